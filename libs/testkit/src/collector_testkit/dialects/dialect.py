"""What a folder of ``collector_testkit.dialects`` has to bring: an exchange, seen from a client.

A dialect is pure. It is told what happens on its connections and on the market, and says which
frames go where and which connections end; the times that it wants to be called at it names by
``next_deadline``. All times are microseconds since the epoch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from typing import ClassVar

import msgspec

from collector_core.errors import SettingsError
from collector_testkit.dialects.messages import Action, Delivery, Reply, Request
from collector_testkit.market import Listing, Market, MarketEvent, Trade
from collector_testkit.truth import TruthTrade

__all__ = ["Dialect", "Limits"]


class Limits(msgspec.Struct, frozen=True):
    """Limits of the exchange that tests set otherwise; None is the exchange's own value."""

    max_age: float | None = None
    """Seconds after which a connection is cut by plan."""
    idle: float | None = None
    """Seconds without any byte after which a connection is cut."""
    weight: int | None = None
    """REST requests, by weight, in the exchange's window."""
    messages: int | None = None
    """Messages a second that a connection may send."""


class Dialect(ABC):
    """Base of the dialects; a folder exports one subclass as ``DIALECT``.

    Args:
        market: what is traded; its listings come from ``listing``.
        limits: what differs from the exchange's own limits.
    """

    name: ClassVar[str]
    websocket_path: ClassVar[str]
    """Path at which a client connects that subscribes by message."""
    catalogue: ClassVar[tuple[Listing, ...]]
    """Symbols with figures of their own; any other in ``quotes`` can be listed too."""
    quotes: ClassVar[dict[str, Listing]]
    """Quote currencies, each with the model of a symbol that the catalogue does not name."""
    symbols: ClassVar[tuple[str, ...]]
    """Symbols that are traded unless the settings say otherwise."""
    ping_interval: ClassVar[float | None] = None
    """Seconds between the ping frames of the exchange; None if it sends none."""
    ping_timeout: ClassVar[float | None] = None
    """Seconds that it waits for the pong."""

    def __init__(self, market: Market, limits: Limits | None = None) -> None:
        self.market = market
        self.limits = Limits() if limits is None else limits
        # (time, order of entry, what to do then)
        self._timers: list[tuple[int, int, Callable[[int], Iterable[Action]]]] = []
        self._timer_count = 0

    @classmethod
    def listing(cls, symbol: str) -> Listing:
        """Return the listing of a symbol in our spelling.

        Raises:
            SettingsError: the exchange has no market in its quote currency.
            SymbolError: not our spelling.
        """
        for listing in cls.catalogue:
            if listing.symbol == symbol:
                return listing
        quote = symbol.rpartition("/")[2]
        if quote not in cls.quotes:
            raise SettingsError(
                f"expected a symbol in {', '.join(cls.quotes)} on {cls.name}, was {symbol!r}"
            )
        model = cls.quotes[quote]
        return Listing(
            symbol, model.price, model.tick, model.step, model.amount, model.min_notional,
            model.orders,
        )  # fmt: skip

    # --- what the dialect brings ---------------------------------------------------------------

    @classmethod
    @abstractmethod
    def to_venue(cls, symbol: str) -> str:
        """Return the exchange's spelling of a symbol."""

    @abstractmethod
    def fact(self, trade: Trade) -> TruthTrade:
        """Return a trade as a client sees it on the wire, for the truth log."""

    @abstractmethod
    def handshake(self, request: Request, now: int) -> Reply | None:
        """Return why a WebSocket is refused, or None to let it open."""

    @abstractmethod
    def opened(self, connection: int, request: Request, now: int) -> list[Action]:
        """Take a new connection."""

    @abstractmethod
    def received(self, connection: int, message: str | bytes, now: int) -> list[Action]:
        """Take a message of a client."""

    def heard(self, _connection: int, _now: int) -> None:
        """Be told that bytes came from a client, pings among them."""

    @abstractmethod
    def closed(self, connection: int) -> None:
        """Forget a connection that ended."""

    @abstractmethod
    def publish(self, events: Sequence[MarketEvent]) -> list[Action]:
        """Return the frames of what one action did; books and tapes are as right after it."""

    def on_tick(self, _now: int) -> list[Action]:
        """Return the frames that are due at a time that ``next_tick`` named."""
        return []

    def next_tick(self) -> int | None:
        """Return the next time at which frames are due that no event of the market causes."""
        return None

    @abstractmethod
    def request(self, request: Request, now: int) -> Reply:
        """Answer a REST request."""

    @abstractmethod
    def refusal(self, status: int, retry_after: float | None) -> Reply:
        """Return the answer of an exchange that throttles (429, 418) or fails (5xx)."""

    def notice(self, _now: int) -> list[Delivery]:
        """Return the frames by which the exchange announces that it will close, if it does."""
        return []

    # --- timers, the same for every exchange --------------------------------------------------

    def at(self, time: int, do: Callable[[int], Iterable[Action]]) -> None:
        """Have ``do`` called with the time once it is ``time``."""
        self._timer_count += 1
        heappush(self._timers, (time, self._timer_count, do))

    def next_deadline(self) -> int | None:
        """Return when ``on_time`` has something to do next, or None."""
        times = [time for time in (self.next_tick(), self._next_timer()) if time is not None]
        return min(times, default=None)

    def on_time(self, now: int) -> list[Action]:
        """Do what is due at ``now``."""
        actions: list[Action] = []
        tick = self.next_tick()
        if tick is not None and tick <= now:
            actions += self.on_tick(now)
        while self._timers and self._timers[0][0] <= now:
            actions += heappop(self._timers)[2](now)
        return actions

    def _next_timer(self) -> int | None:
        return self._timers[0][0] if self._timers else None
