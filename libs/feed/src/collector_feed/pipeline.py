"""From frames to rows: an adapter, and behind it the integrity of each symbol's streams.

The live session and the replay of recorded frames run this very code; they differ in who answers
the wish for a snapshot, and in whether only subscribed symbols are let through.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping

from collector_core.candles import CandleCloser
from collector_core.errors import FrameError
from collector_core.events import Candle, Event, Trade
from collector_feed.adapter import Adapter
from collector_feed.book_stream import LEVELS, BookStream
from collector_feed.outputs import (
    Acknowledged,
    BookDelta,
    BookSnapshot,
    Decoded,
    Notice,
    Rejected,
    Undecodable,
)
from collector_feed.trade_stream import TradeSeed, TradeStream

__all__ = ["Pipeline"]


class Pipeline:
    """Turns one connection's frames into the rows to publish.

    Args:
        adapter: the exchange's decoder.
        seeds: what is on the bus already, by symbol; a stream takes its seed when it opens and
            leaves one when it closes.
        accept_any: let symbols through that nobody opened (replay).
        book_levels: levels a side of a published book snapshot.
    """

    def __init__(
        self,
        adapter: Adapter,
        seeds: MutableMapping[str, TradeSeed] | None = None,
        *,
        accept_any: bool = False,
        book_levels: int = LEVELS,
    ) -> None:
        self.adapter = adapter
        self._spec = adapter.spec
        self._seeds = {} if seeds is None else seeds
        self._accept_any = accept_any
        self._book_levels = book_levels
        self._decode = adapter.on_frame
        self._trades: dict[str, TradeStream] = {}
        self._books: dict[str, BookStream] = {}
        self._closer = None if self._spec.candle_flag else CandleCloser()
        # symbols whose book wants a snapshot that nobody has asked for yet
        self.snapshots_wanted: list[str] = []
        # acknowledgements, refusals and notices of the frames since the holder last took them
        self.control: list[Acknowledged | Rejected | Notice] = []
        # there is something in one of the two, or the holder wants to see every frame's items
        self.attention = False
        # what the adapter made of the last frame
        self.decoded: list[Decoded] = []
        # rows of symbols that nobody opened: late frames after an unsubscription
        self.foreign = 0

    def on_frame(
        self, frame: bytes | memoryview, receive_time: int | None
    ) -> list[Event | Undecodable]:
        """Return the rows of a frame, in order; one ``Undecodable`` if it cannot be read."""
        try:
            decoded = self._decode(frame, receive_time)
        except (FrameError, RecursionError) as error:
            # RecursionError: brackets nested deeper than a decoder follows
            self.decoded = []
            return [Undecodable(bytes(frame), receive_time, str(error))]
        self.decoded = decoded
        if len(decoded) == 1 and type(trade := decoded[0]) is Trade:
            # nearly every frame: one trade, the next of its stream; nothing else is to be said
            stream = self._trades.get(trade.symbol)
            if stream is not None and stream.follows(trade):
                return decoded  # type: ignore[return-value]  # a list with one trade in it
        out: list[Event] = []
        for item in decoded:
            self._take(item, receive_time, out)
        return [*out]

    def _take(self, item: Decoded, receive_time: int | None, out: list[Event]) -> None:
        match item:
            case Trade():
                self._take_trade(item, out)
            case BookDelta():
                book = self._book(item.symbol)
                if book is not None:
                    book.on_delta(item, receive_time, out)
                    self._note(item.symbol, book)
            case BookSnapshot():
                book = self._book(item.symbol)
                if book is None:
                    return
                if self._spec.book_rule == "whole":
                    book.on_whole(item, receive_time, out)
                else:
                    book.on_snapshot(item, receive_time, out)
                    self._note(item.symbol, book)
            case Candle() if self._closer is not None:
                out.extend(self._closer.feed(item))
            case Acknowledged() | Rejected() | Notice():
                self.control.append(item)
                self.attention = True
            case Event():
                out.append(item)

    def _take_trade(self, trade: Trade, out: list[Event]) -> None:
        stream = self._trades.get(trade.symbol)
        if stream is None and self._accept_any:
            stream = self.open_trades(trade.symbol)
        if stream is None:
            self.foreign += 1
        else:
            stream.take(trade, out)

    # --- streams -----------------------------------------------------------------------------

    def open_trades(self, symbol: str) -> TradeStream:
        """Open a symbol's trades, from its seed if there is one; an open one is returned."""
        stream = self._trades.get(symbol)
        if stream is None:
            seed = self._seeds.pop(symbol, None)
            stream = TradeStream(self._spec.exchange, symbol, self._spec.trade_ids, seed)
            self._trades[symbol] = stream
        return stream

    def open_book(self, symbol: str) -> BookStream:
        """Open a symbol's book; an open one is returned."""
        book = self._books.get(symbol)
        if book is None:
            spec = self._spec
            book = BookStream(
                spec.exchange,
                symbol,
                spec.book_rule,
                by_rest=spec.book_by_rest,
                levels=self._book_levels,
            )
            self._books[symbol] = book
        return book

    def begin(self, channel: str, symbol: str, receive_time: int | None, out: list[Event]) -> None:
        """The exchange sends a stream from now on; a book asks for the snapshot it needs."""
        if channel == "trade":
            self.open_trades(symbol).begin()
        elif channel == "book" and self._spec.book_by_rest:
            book = self.open_book(symbol)
            if book.state == "empty":
                book.start(receive_time, out)
                self._note(symbol, book)

    def close(self, channel: str, symbol: str) -> None:
        """Close a symbol's stream; its trades leave a seed for whoever opens them next."""
        if channel == "trade":
            stream = self._trades.pop(symbol, None)
            if stream is not None:
                self._seeds[symbol] = stream.seed()
        elif channel == "book":
            self._books.pop(symbol, None)
        elif channel == "candle" and self._closer is not None:
            self._closer.forget(symbol)

    def interrupted(self) -> None:
        """The connection is gone."""
        for stream in self._trades.values():
            stream.interrupted()
        for book in self._books.values():
            book.interrupted()
        if self._closer is not None:
            self._closer.interrupted()
        self.snapshots_wanted.clear()
        self.control.clear()

    # --- snapshots that the holder fetched ---------------------------------------------------

    def on_snapshot(self, snapshot: BookSnapshot, receive_time: int | None) -> list[Event]:
        """Return the rows that follow from a fetched snapshot."""
        out: list[Event] = []
        book = self._books.get(snapshot.symbol)
        if book is not None and book.state == "syncing":
            book.on_snapshot(snapshot, receive_time, out)
            self._note(snapshot.symbol, book)
        return out

    def snapshot_failed(self, symbol: str, reason: str, receive_time: int | None) -> list[Event]:
        """Return the rows that say that a snapshot could not be had."""
        out: list[Event] = []
        book = self._books.get(symbol)
        if book is not None and book.state == "syncing":
            book.snapshot_failed(reason, receive_time, out)
        return out

    def without_snapshot(self, symbol: str, reason: str, receive_time: int | None) -> list[Event]:
        """Go on with a symbol's deltas alone (replay); return the rows, the reason first."""
        out: list[Event] = []
        book = self._books.get(symbol)
        if book is not None and book.state == "syncing":
            book.without_snapshot(reason, receive_time, out)
        return out

    def wants_snapshot(self, symbol: str) -> bool:
        """Tell whether a snapshot is still of use."""
        book = self._books.get(symbol)
        return book is not None and book.wants_snapshot

    # --- time --------------------------------------------------------------------------------

    def clock_rows(self, second: int, receive_time: int) -> list[Event]:
        """Return the clock rows due for a whole second that the exchange has passed."""
        rows = (stream.clock(second, receive_time) for stream in self._trades.values())
        return [row for row in rows if row is not None]

    def closed_candles(self, wall: int) -> list[Event]:
        """Return the candles that time alone has closed."""
        return [] if self._closer is None else [*self._closer.on_time(wall)]

    def book_rows(self, receive_time: int | None) -> list[Event]:
        """Return a snapshot row of each live delta book, for readers who come late."""
        if self._spec.book_rule == "whole":
            return []
        return [
            book.row(None, receive_time)
            for book in self._books.values()
            if book.state == "live" and not book.partial
        ]

    def books(self) -> Iterator[tuple[str, BookStream]]:
        """Return each open book with its symbol."""
        return iter(self._books.items())

    def trades(self) -> Iterator[tuple[str, TradeStream]]:
        """Return each open trade stream with its symbol."""
        return iter(self._trades.items())

    def _book(self, symbol: str) -> BookStream | None:
        book = self._books.get(symbol)
        if book is None:
            if self._accept_any:
                return self.open_book(symbol)
            self.foreign += 1
        return book

    def _note(self, symbol: str, book: BookStream) -> None:
        if book.wants_snapshot and symbol not in self.snapshots_wanted and self._spec.book_by_rest:
            self.snapshots_wanted.append(symbol)
            self.attention = True
