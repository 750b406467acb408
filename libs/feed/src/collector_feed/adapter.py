"""The exchange contract: what a folder of ``collector_exchanges`` has to bring.

An adapter is a pure state machine of one connection. It turns wanted subscriptions into frames
to send, and frames into ``Decoded`` outputs. It keeps no book, counts no gap and knows no time of
its own: that is the session's, the same for every exchange. What it has of REST is a module of
functions beside it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Mapping, Sequence
from itertools import count
from typing import ClassVar, Protocol, TypeVar

import msgspec

from collector_core.errors import SettingsError
from collector_core.events import Candle, Instrument, Level, Trade
from collector_core.symbols import SymbolTable
from collector_feed.outputs import (
    BookSnapshot,
    Decoded,
    Mark,
    Page,
    Request,
    Send,
    Subscription,
)
from collector_feed.spec import Spec

__all__ = ["Adapter", "Rest"]

_Name = TypeVar("_Name")


class Rest(Protocol):
    """REST as data: the four functions of an exchange's ``rest`` module, without any state.

    They are what ``Adapter`` has under the same names, with both spellings of the symbol.
    """

    def instruments(self) -> Request[list[Instrument]]:
        """As ``Adapter.instruments``."""

    def book(self, symbol: str, venue_symbol: str, /) -> Request[BookSnapshot]:
        """As ``Adapter.book``."""

    def trades(
        self, symbol: str, venue_symbol: str, after: Mark | None, before: Mark | None, /
    ) -> Request[Page[Trade]]:
        """As ``Adapter.trades``."""

    def candles(
        self, symbol: str, venue_symbol: str, interval: str, start: int | None, end: int | None, /
    ) -> Request[Page[Candle]]:
        """As ``Adapter.candles``."""


class Adapter(ABC):
    """Base of the adapters; a folder's ``__init__`` exports one subclass as ``ADAPTER``.

    Args:
        symbols: both spellings of the exchange's symbols; made with ``read_symbol`` as its
            fallback where no instruments are at hand (a replay).
    """

    spec: ClassVar[Spec]
    rest: ClassVar[Rest | None] = None

    def __init__(self, symbols: SymbolTable) -> None:
        self.symbols = symbols
        # numbers of the messages to send
        self._ids = count(1)
        # their spelling -> ours, of the symbols seen here; the hot path looks into it
        self._ours: dict[str, str] = {}

    def _symbol(self, venue_symbol: str) -> str:
        """Return our spelling and remember it in ``_ours``; raises ``SymbolError``."""
        symbol = self._ours[venue_symbol] = self.symbols.from_venue(venue_symbol)
        return symbol

    def _head(
        self, venue_symbol: str, exchange_time: int | None, receive_time: int | None
    ) -> tuple[str, str, int | None, int | None, int, int]:
        """Return what an event begins with; raises ``SymbolError``."""
        symbol = self._ours.get(venue_symbol) or self._symbol(venue_symbol)
        return self.spec.exchange, symbol, exchange_time, receive_time, 0, 0

    @staticmethod
    @abstractmethod
    def read_symbol(venue_symbol: str) -> str:
        """Return our spelling of a venue symbol that no instrument list names.

        Raises:
            SymbolError: it cannot be split into base and quote.
        """

    def url(self, base: str, path: str = "") -> str:
        """Return the URL of the channels with ``path``; ``base`` is ``websocket_url``."""
        return base + path

    def opening(self) -> list[Send]:
        """Return frames to send as soon as the socket is open, before any subscription."""
        return []

    def login(self) -> Send | None:
        """Return the login frame, for an exchange and a channel that want one."""
        return None

    def change(
        self,
        held: Collection[Subscription],  # noqa: ARG002  # for those that replace the whole list
        add: Sequence[Subscription],
        remove: Sequence[Subscription],
    ) -> list[tuple[Send, tuple[Subscription, ...]]]:
        """Return the frames that add and remove subscriptions, each with what it adds.

        ``held`` are the connection's subscriptions before the change: an exchange that replaces
        the whole list at each message needs them. Frames keep to ``subscriptions_per_message``.

        Raises:
            SymbolError: a symbol is not listed.
            SettingsError: a channel or interval that the exchange does not push.
        """
        size = self.spec.subscriptions_per_message
        return [
            *((self._message(part, subscribe=False), ()) for part in self._parts(remove, size)),
            *((self._message(part, subscribe=True), part) for part in self._parts(add, size)),
        ]

    def _message(self, part: Sequence[Subscription], *, subscribe: bool) -> Send:
        """Return the message that adds, or takes away, subscriptions of one ``_group``."""
        raise NotImplementedError(f"{self.spec.exchange} has no such message: {subscribe}, {part}")

    def _group(self, subscription: Subscription) -> Hashable:  # noqa: ARG002  # for those that part
        """Return what all subscriptions of a message have in common."""
        return None

    def _parts(
        self, subscriptions: Sequence[Subscription], size: int
    ) -> list[tuple[Subscription, ...]]:
        """Return subscriptions by the messages that they fit into."""
        groups: dict[Hashable, list[Subscription]] = {}
        for subscription in subscriptions:
            groups.setdefault(self._group(subscription), []).append(subscription)
        return [
            tuple(group[start : start + size])
            for group in groups.values()
            for start in range(0, len(group), size)
        ]

    def _pushed(self, names: Mapping[tuple[str, str], _Name], subscription: Subscription) -> _Name:
        """Return the exchange's name of a channel and interval; raises ``SettingsError``."""
        try:
            return names[subscription.channel, subscription.interval]
        except KeyError:
            title = self.spec.title
            raise SettingsError(f"expected what {title} pushes, was {subscription}") from None

    @staticmethod
    def _send(message: object, request_id: int | None = None) -> Send:
        """Return a message as a frame of JSON."""
        return Send(msgspec.json.encode(message).decode(), request_id)

    @abstractmethod
    def on_frame(self, frame: bytes | memoryview, receive_time: int | None) -> list[Decoded]:
        """Return what a frame says, in order; nothing returned refers to ``frame`` any longer.

        Raises:
            FrameError: not the protocol: not JSON, a message type that is not known, a field
                that is missing, of another type or no number.
        """

    def reset(self) -> None:
        """Forget what belongs to the connection; called before each connect."""

    def checksum(self, symbol: str, bids: Sequence[Level], asks: Sequence[Level]) -> int | None:
        """Return the exchange's checksum of a book's best ``checksum_levels``, best first.

        None while what it takes is not known yet (the number of decimals, say).
        """
        raise NotImplementedError(f"{self.spec.exchange} has no checksum: {symbol}")

    def spent(self, headers: Mapping[str, str]) -> int | None:  # noqa: ARG002  # for those that say
        """Return the request weight used in the running window, as an answer's headers tell.

        Names of headers are in lower case. None where the exchange does not say.
        """
        return None

    # --- REST as data ------------------------------------------------------------------------

    def _rest(self) -> Rest:
        if self.rest is None:
            raise NotImplementedError(f"{self.spec.exchange} has no REST")
        return self.rest

    def instruments(self) -> Request[list[Instrument]]:
        """Return the request for everything that is listed."""
        return self._rest().instruments()

    def book(self, symbol: str) -> Request[BookSnapshot]:
        """Return the request for a snapshot of the book, as deep as the exchange gives one.

        Raises:
            SymbolError: the symbol is not listed; likewise below.
        """
        return self._rest().book(symbol, self.symbols.to_venue(symbol))

    def trades(
        self, symbol: str, after: Mark | None = None, before: Mark | None = None
    ) -> Request[Page[Trade]]:
        """Return the request for the trades between two known ones, or for the newest page.

        Both ends are exclusive and as far as the exchange can address them; rows outside may come
        and are the caller's to drop. Rows are oldest first within a page and all ``backfilled``;
        ``more`` goes on towards the other end, in whichever direction the exchange pages.
        """
        return self._rest().trades(symbol, self.symbols.to_venue(symbol), after, before)

    def candles(
        self, symbol: str, interval: str, start: int | None, end: int | None
    ) -> Request[Page[Candle]]:
        """Return the request for closed candles of [start, end), microseconds, oldest first.

        A still open candle is left out. ``more`` goes on where the page could not hold all.

        Raises:
            SettingsError: an interval that the exchange does not keep.
        """
        return self._rest().candles(symbol, self.symbols.to_venue(symbol), interval, start, end)
