"""From frames to rows: an adapter, and behind it the integrity of each symbol's streams.

The live session and the replay of recorded frames run this very code; they differ in who answers
the wish for a snapshot, and in whether only subscribed symbols are let through.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping

from collector_core.errors import FrameError
from collector_core.events import Candle, Event, Trade
from collector_feed.adapter import Adapter
from collector_feed.book_stream import LEVELS, BookStream
from collector_feed.candle_streams import CandleStreams
from collector_feed.outputs import (
    Acknowledged,
    BookDelta,
    BookSnapshot,
    Decoded,
    Lost,
    Notice,
    Rejected,
    Undecodable,
)
from collector_feed.overheard import Overheard
from collector_feed.recent_trades import TradeSeed
from collector_feed.trade_stream import TradeStream

__all__ = ["Pipeline"]


class Pipeline:
    """Turns one connection's frames into the rows to publish.

    Args:
        adapter: the exchange's decoder.
        seeds: what is on the bus already, by symbol; a stream takes its seed when it opens and
            leaves one when it closes.
        candle_seeds: by symbol and interval the end of the last closed candle on the bus.
        fills: the holder fetches trades that are missing, where the exchange has a history.
        accept_any: let symbols through that nobody opened (replay).
        book_levels: levels a side of a published book snapshot.
    """

    def __init__(
        self,
        adapter: Adapter,
        seeds: MutableMapping[str, TradeSeed] | None = None,
        *,
        candle_seeds: dict[tuple[str, str], int] | None = None,
        fills: bool = False,
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
        self._fills = fills and self._spec.channels["trade"].history != "none"
        self.candles = CandleStreams(flagged=self._spec.candle_flag, seeds=candle_seeds)
        # what is kept while another connection still publishes, None for the one that does
        self.overheard: Overheard | None = None
        # symbols whose trades have a hole that nobody has noted yet
        self.fills_wanted: list[str] = []
        # symbols whose book wants a snapshot that nobody has asked for yet
        self.snapshots_wanted: list[str] = []
        # symbols whose book was just subscribed and whose snapshot the stream is about to send
        self.snapshots_awaited: list[str] = []
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
        if self.overheard is not None:
            self._overhear(decoded, receive_time)
            return []
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
            case Lost():
                self._lose(item, receive_time, out)
            case Candle():
                self.candles.take(item, out)
            case Acknowledged() | Rejected() | Notice():
                self.control.append(item)
                self.attention = True
            case Event():
                out.append(item)

    def _lose(self, lost: Lost, receive_time: int | None, out: list[Event]) -> None:
        # nobody can say which streams the missing frames were of: those that can be broken are
        for symbol, book in self._books.items():
            if self._spec.book_rule != "whole":
                book.lost(lost.expected, lost.received, receive_time, out)
                self._note(symbol, book)
        for symbol, stream in self._trades.items():
            if stream.healthy or stream.filling is not None:
                stream.interrupted()
                # a quiet symbol's next trade may be hours away: its history is asked now
                stream.begin()
                self._note_hole(stream, symbol)

    def _take_trade(self, trade: Trade, out: list[Event]) -> None:
        stream = self._trades.get(trade.symbol)
        if stream is None and self._accept_any:
            stream = self.open_trades(trade.symbol)
        if stream is None:
            self.foreign += 1
        else:
            stream.take(trade, out)
            self._note_hole(stream, trade.symbol)

    # --- streams -----------------------------------------------------------------------------

    def open_trades(self, symbol: str) -> TradeStream:
        """Open a symbol's trades, from its seed if there is one; an open one is returned."""
        stream = self._trades.get(symbol)
        if stream is None:
            seed = self._seeds.pop(symbol, None)
            spec = self._spec
            stream = TradeStream(
                spec.exchange,
                symbol,
                spec.trade_ids,
                seed,
                fills=self._fills,
                same_ids=spec.rest_trade_ids,
            )
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
                by_rest=spec.book_by_rest or spec.book_audit,
                levels=self._book_levels,
                depth=spec.book_depth,
                checksum=(
                    (self.adapter.checksum, spec.checksum_levels) if spec.checksum_levels else None
                ),
            )
            self._books[symbol] = book
        return book

    def begin(self, channel: str, symbol: str, receive_time: int | None, out: list[Event]) -> None:
        """The exchange sends a stream from now on; a book asks for the snapshot it needs."""
        if channel == "trade":
            stream = self.open_trades(symbol)
            stream.begin()
            self._note_hole(stream, symbol)
        elif channel == "book" and self._spec.book_rule != "whole":
            book = self.open_book(symbol)
            if book.state == "empty":
                book.start(receive_time, out)
                if self._spec.book_by_rest:
                    self._note(symbol, book)
                else:
                    book.wish = False
                    self.snapshots_awaited.append(symbol)
                    self.attention = True

    def close(self, channel: str, symbol: str) -> list[Event]:
        """Close a symbol's stream; return the rows that waited for something.

        Its trades leave a seed for whoever opens them next.
        """
        out: list[Event] = []
        if channel == "trade":
            stream = self._trades.pop(symbol, None)
            if stream is not None:
                stream.give_up(out)
                self._seeds[symbol] = stream.seed()
        elif channel == "book":
            self._books.pop(symbol, None)
        elif channel == "candle":
            self.candles.forget(symbol)
        return out

    def finish(self) -> list[Event]:
        """Nothing more will come; return the rows that waited for something."""
        out: list[Event] = []
        for stream in self._trades.values():
            stream.give_up(out)
        return out

    def interrupted(self) -> None:
        """The connection is gone."""
        for stream in self._trades.values():
            stream.interrupted()
        for book in self._books.values():
            book.interrupted()
        self.candles.interrupted()
        self.fills_wanted.clear()
        self.snapshots_wanted.clear()
        self.snapshots_awaited.clear()
        self.control.clear()

    # --- taking over from another connection --------------------------------------------------

    def _overhear(self, decoded: list[Decoded], receive_time: int | None) -> None:
        for item in decoded:
            if isinstance(item, Acknowledged | Rejected | Notice):
                self.control.append(item)
                self.attention = True
            elif self.overheard is not None:
                self.overheard.add(item, receive_time)

    def adopt(self, other: Pipeline) -> list[Event]:
        """Go on with the streams of a connection that this one replaces; return the rows."""
        overheard, self.overheard = self.overheard, None
        self._trades, other._trades = other._trades, {}
        self._books, other._books = other._books, {}
        self.candles, other.candles = other.candles, self.candles
        out: list[Event] = []
        # what the other was about to fetch is this one's to ask for
        for stream in self._trades.values():
            stream.wish = stream.filling is not None
        for book in self._books.values():
            book.wish = book.wants_snapshot
            book.recorder = None
        for item, receive_time in () if overheard is None else overheard.replay(self._is_published):
            if not isinstance(item, Candle) or self.candles.is_new(item):
                self._take(item, receive_time, out)
        for symbol in {*self._trades, *self._books}:
            self.note(symbol)
        return out

    def _is_published(self, trade: Trade) -> bool:
        stream = self._trades.get(trade.symbol)
        return stream is not None and trade.id in stream.recent

    # --- snapshots that the holder fetched ---------------------------------------------------

    def on_snapshot(self, snapshot: BookSnapshot, receive_time: int | None) -> list[Event]:
        """Return the rows that follow from a fetched snapshot."""
        out: list[Event] = []
        book = self._books.get(snapshot.symbol)
        if book is not None and book.state == "syncing":
            book.on_snapshot(snapshot, receive_time, out, fetched=True)
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

    # --- single streams, for those that repair and audit them -----------------------------------

    def trade_stream(self, symbol: str) -> TradeStream | None:
        """Return a symbol's trades, if they are open."""
        return self._trades.get(symbol)

    def book_stream(self, symbol: str) -> BookStream | None:
        """Return a symbol's book, if it is open."""
        return self._books.get(symbol)

    def note(self, symbol: str) -> None:
        """Take up the wishes of a symbol's streams that no frame gave rise to."""
        stream, book = self._trades.get(symbol), self._books.get(symbol)
        if stream is not None:
            self._note_hole(stream, symbol)
        if book is not None:
            self._note(symbol, book)

    def _note_hole(self, stream: TradeStream, symbol: str) -> None:
        if stream.wish:
            stream.wish = False
            self.fills_wanted.append(symbol)
            self.attention = True

    # --- time --------------------------------------------------------------------------------

    def clock_rows(self, second: int, receive_time: int) -> list[Event]:
        """Return the clock rows due for a whole second that the exchange has passed."""
        rows = (stream.clock(second, receive_time) for stream in self._trades.values())
        return [row for row in rows if row is not None]

    def closed_candles(self, wall: int) -> list[Event]:
        """Return the candles that time alone has closed."""
        return self.candles.on_time(wall)

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
        if book.wish:
            book.wish = False
            self.snapshots_wanted.append(symbol)
            self.attention = True
