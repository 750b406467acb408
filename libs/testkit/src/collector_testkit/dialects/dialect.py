"""What a folder of ``collector_testkit.dialects`` has to bring: an exchange, seen from a client.

A dialect is pure. It is told what happens on its connections and on the market, and says which
frames go where and which connections end; the times that it wants to be called at it names by
``next_deadline``. All times are microseconds since the epoch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from typing import ClassVar, TypeAlias

import msgspec

from collector_core.errors import SettingsError
from collector_testkit.dialects.messages import Action, Delivery, Reply, Request
from collector_testkit.market import Listing, Market, MarketEvent, Trade
from collector_testkit.truth import TruthTrade

__all__ = ["Dialect", "Levels", "Limits"]

Levels: TypeAlias = list[tuple[int, int]]
"""Prices and amounts in units of 10**-8, best first."""


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
    attempts: tuple[int, float] | None = None
    """Handshakes that one address may try, and in how many seconds; refused ones count too."""
    connections: int | None = None
    """Connections that one address may have open."""


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
    max_attempts: ClassVar[tuple[int, float] | None] = None
    """The exchange's own ``Limits.attempts``, which the venue enforces; None: no such limit."""
    max_connections: ClassVar[int | None] = None
    """The exchange's own ``Limits.connections``, which the venue enforces; None: no such limit."""

    book_levels: ClassVar[int | None] = None
    """Levels a side that the deepest book of the stream shows; None: all."""
    book_unit: ClassVar[int] = 1
    """Smallest amount that a book shows, in units of 10**-8; smaller parts are cut off."""

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
        """Return the answer of an exchange that throttles (429, 418), forbids (403) or fails."""

    def notice(self, _now: int) -> list[Delivery]:
        """Return the frames by which the exchange announces that it will close, if it does."""
        return []

    # --- what the dialect may bring besides -----------------------------------------------------

    def listed(self, _symbol: str) -> list[Action]:
        """Take a symbol that the market has just gained; return the frames that tell of it.

        A dialect that keeps something of each symbol adds it here, as it did at the start.

        Raises:
            SettingsError: the dialect does not take symbols at run time.
        """
        raise SettingsError(f"expected an exchange that lists while it runs, was {self.name}")

    def delisted(self, _symbol: str) -> list[Action]:
        """Drop a symbol that the market has just lost; return the frames that tell of it.

        No event of it comes any more, so its streams end by themselves; its streams that follow
        the clock, and its answers over REST, are ended here.

        Raises:
            SettingsError: the dialect does not drop symbols at run time.
        """
        raise SettingsError(f"expected an exchange that delists while it runs, was {self.name}")

    def restart_sequences(self, _now: int) -> list[Action]:
        """Begin the sequence numbers of the books anew, as the exchange does after maintenance.

        Returns the frames that it sends then; nothing where books have no numbers.
        """
        return []

    def reject(self, _connection: int, _message: str | bytes, _now: int) -> list[Action] | None:
        """Refuse what a client asks, in the exchange's words, without doing it.

        None if the message asks for no stream, or if the exchange has no such answer.
        """
        return None

    def acknowledges(self, message: str | bytes, _frame: Delivery) -> bool:
        """Tell whether a frame without a channel, sent on a message, acknowledges it.

        It does unless the message is a ping.
        """
        text = message if isinstance(message, bytes) else message.encode()
        return b"ping" not in text.lower()

    def trade_ids(self, _frame: Delivery) -> tuple[str, ...] | None:
        """Return the ids of the trades that a frame of the channel ``trade`` carries.

        None: to be found by the id, price and amount of ``fact`` within one JSON object, which
        serves a frame that has each trade by itself.
        """
        return None

    def unknown(self) -> bytes:
        """Return a well-formed frame of a kind that clients do not know."""
        return b'{"type":"of_tomorrow","channel":"of_tomorrow","event":"of_tomorrow","data":[]}'

    # --- what tests compare with ----------------------------------------------------------------

    def shown(self, symbol: str, levels: int | None = None) -> tuple[Levels, Levels]:
        """Return bids and asks as the stream shows them now, taken from the matching engine.

        At most ``levels`` a side, where a client asks for fewer than ``book_levels``.
        """
        own = self.market.symbol(symbol)
        tick, step, unit = own.listing.tick_units, own.listing.step_units, self.book_unit
        depth = levels or self.book_levels
        bids, asks = (
            [(price * tick, amount * step // unit * unit) for price, amount in side]
            for side in (own.engine.levels("buy", depth), own.engine.levels("sell", depth))
        )
        return [level for level in bids if level[1]], [level for level in asks if level[1]]

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
