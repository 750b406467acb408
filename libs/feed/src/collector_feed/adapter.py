"""The exchange contract: what a folder of ``collector_exchanges`` has to bring.

An adapter is a pure state machine of one connection. It turns wanted subscriptions into frames
to send, and frames into ``Decoded`` outputs. It keeps no book, counts no gap and knows no time of
its own: that is the session's, the same for every exchange.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import ClassVar

from collector_core.events import Candle, Instrument, Trade
from collector_core.symbols import SymbolTable
from collector_feed.outputs import BookSnapshot, Decoded, Request, Send, Subscription
from collector_feed.spec import Spec

__all__ = ["Adapter"]


class Adapter(ABC):
    """Base of the adapters; a folder's ``__init__`` exports one subclass as ``ADAPTER``.

    Args:
        symbols: both spellings of the exchange's symbols; made with ``read_symbol`` as its
            fallback where no instruments are at hand (a replay).
    """

    spec: ClassVar[Spec]

    def __init__(self, symbols: SymbolTable) -> None:
        self.symbols = symbols

    @staticmethod
    @abstractmethod
    def read_symbol(venue_symbol: str) -> str:
        """Return our spelling of a venue symbol that no instrument list names.

        Raises:
            SymbolError: it cannot be split into base and quote.
        """

    def url(self, base: str) -> str:
        """Return the URL to connect to, for the ``websocket_url`` of the settings."""
        return base

    def login(self) -> Send | None:
        """Return the login frame, for an exchange and a channel that want one."""
        return None

    @abstractmethod
    def change(
        self,
        held: Collection[Subscription],
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

    @abstractmethod
    def on_frame(self, frame: bytes | memoryview, receive_time: int | None) -> list[Decoded]:
        """Return what a frame says, in order; nothing returned refers to ``frame`` any longer.

        Raises:
            FrameError: not the protocol: not JSON, a message type that is not known, a field
                that is missing, of another type or no number.
        """

    def reset(self) -> None:
        """Forget what belongs to the connection; called before each connect."""

    # --- REST as data ------------------------------------------------------------------------

    @abstractmethod
    def instruments(self) -> Request[list[Instrument]]:
        """Return the request for everything that is listed."""

    def book(self, symbol: str) -> Request[BookSnapshot]:
        """Return the request for a snapshot of the book, as deep as the exchange gives one."""
        raise NotImplementedError(f"{self.spec.exchange} has no book over REST")

    def trades(self, symbol: str, from_id: str | None = None) -> Request[list[Trade]]:
        """Return the request for recent trades, oldest first, all ``backfilled``.

        ``from_id`` is the first one wanted where the exchange can address it (else the newest
        page comes).
        """
        raise NotImplementedError(f"{self.spec.exchange} has no trades over REST")

    def candles(
        self, symbol: str, interval: str, start: int | None, end: int | None
    ) -> Request[list[Candle]]:
        """Return the request for closed candles of [start, end), microseconds, oldest first.

        A still open candle is left out. One page at most; the caller goes on from the last row.
        """
        raise NotImplementedError(f"{self.spec.exchange} has no candles over REST")
