"""The life of one symbol's book: synchronize, apply, prove, publish, and start again when in doubt.

States: ``empty`` (nothing wanted or known yet), ``syncing`` (deltas are buffered, a snapshot is
awaited), ``live``. Rows leave only in ``live``; whatever breaks the chain is said by a status row
in the book's own topic, and the next rows after it are ``synced`` and a snapshot.
"""

from __future__ import annotations

from typing import Final, Literal

from collector_core.book import OrderBook
from collector_core.errors import BookError, NumberError, SequenceGap
from collector_core.events import Book, Event, Level, State, Status
from collector_core.numbers import is_zero
from collector_feed.outputs import BookDelta, BookSnapshot
from collector_feed.sequence import RULES, link

__all__ = ["BUFFER", "LEVELS", "BookStream"]

BUFFER: Final = 10_000
"""Deltas held while a snapshot is awaited; past it the oldest attempt is given up."""
LEVELS: Final = 1_000
"""Levels a side of a published snapshot."""


class BookStream:
    """One symbol's maintained book under a sequence rule.

    Args:
        exchange, symbol: what the rows are of.
        rule: name of the sequence rule.
        by_rest: a snapshot has to be fetched; else the stream sends it.
        levels: levels a side of a published snapshot.
    """

    __slots__ = (
        "_buffer",
        "_by_rest",
        "_exchange",
        "_invalid",
        "_levels",
        "_rule",
        "_symbol",
        "book",
        "gaps",
        "outdated",
        "partial",
        "resyncs",
        "state",
        "wants_snapshot",
        "whole",
    )

    def __init__(
        self,
        exchange: str,
        symbol: str,
        rule: Literal["range", "link", "counter", "whole"],
        *,
        by_rest: bool,
        levels: int = LEVELS,
    ) -> None:
        self._exchange = exchange
        self._symbol = symbol
        self._rule = RULES[rule]
        self._by_rest = by_rest
        self._levels = levels
        # deltas waiting for a snapshot, with their receive times
        self._buffer: list[tuple[BookDelta, int | None]] = []
        # a book_invalid row was written and no synced row since (whole books)
        self._invalid = False
        self.book = OrderBook()
        self.state: Literal["empty", "syncing", "live"] = "empty"
        # the session is to fetch a snapshot
        self.wants_snapshot = False
        # the book goes on without a snapshot: its levels are true ones, but not all
        self.partial = False
        # last whole book published, and its time (rule whole)
        self.whole: BookSnapshot | None = None
        # counters
        self.gaps = 0
        self.resyncs = 0
        self.outdated = 0

    # --- deltas ------------------------------------------------------------------------------

    def on_delta(self, delta: BookDelta, receive_time: int | None, out: list[Event]) -> None:
        """Take a delta; append the rows that follow from it to ``out``."""
        if self.state == "live":
            self._apply(delta, receive_time, out)
            return
        if self.state == "empty":
            self._want(out, receive_time, "a delta came before any snapshot")
        if len(self._buffer) >= BUFFER:
            # the snapshot took longer than the bound: it would leave a hole, so ask for a newer one
            self._buffer.clear()
            self._want(out, receive_time, f"no snapshot within {BUFFER} updates")
        self._buffer.append((delta, receive_time))

    def _apply(self, delta: BookDelta, receive_time: int | None, out: list[Event]) -> None:
        book = self.book
        try:
            # a book without a number (begun without a snapshot) takes its first update as it is
            if book.sequence is not None and not self._rule(book.sequence, delta):
                self.outdated += 1
                return
            book.apply(delta.bids, delta.asks)
            book.check()
        except SequenceGap as gap:
            self.gaps += 1
            out.append(self._gap(gap, receive_time))
            self._resync(delta, receive_time, out, str(gap))
            return
        except (BookError, NumberError) as error:
            out.append(self._status("book_invalid", receive_time, str(error)))
            self._resync(None, receive_time, out, str(error))
            return
        book.sequence = delta.last
        out.append(
            Book(
                self._exchange,
                self._symbol,
                delta.exchange_time,
                receive_time,
                0,
                0,
                "delta",
                _written(delta.bids),
                _written(delta.asks),
                delta.last,
            )
        )

    # --- snapshots ---------------------------------------------------------------------------

    def on_snapshot(
        self, snapshot: BookSnapshot, receive_time: int | None, out: list[Event]
    ) -> None:
        """Take a snapshot, fetched or streamed, and then whatever was buffered for it."""
        self.wants_snapshot = False
        held = self._buffer
        if self._by_rest and held and snapshot.last is not None:
            first = held[0][0].first
            if first > snapshot.last + 1:
                self._want(out, receive_time, f"snapshot {snapshot.last} is older than {first}")
                return
        self._buffer = []
        try:
            self.book.replace(snapshot.bids, snapshot.asks)
            self.book.check()
        except (BookError, NumberError) as error:
            out.append(self._status("book_invalid", receive_time, str(error)))
            self._want(out, receive_time, str(error))
            return
        self.book.sequence = snapshot.last
        self.partial = False
        self.state = "live"
        out.append(self._status("synced", receive_time, None))
        out.append(self.row(snapshot.exchange_time, receive_time))
        for delta, time in held:
            self.on_delta(delta, time, out)

    def on_whole(self, snapshot: BookSnapshot, receive_time: int | None, out: list[Event]) -> None:
        """Take a whole book of an exchange that sends nothing else; a changed one is a row."""
        last = self.whole
        if last is not None and self.state == "live":
            if _older(snapshot, last):
                self.outdated += 1
                return
            if snapshot.bids == last.bids and snapshot.asks == last.asks:
                return
        self.whole = snapshot
        try:
            self.book.replace(snapshot.bids[:1], snapshot.asks[:1])
            self.book.check()
        except (BookError, NumberError) as error:
            if not self._invalid:
                out.append(self._status("book_invalid", receive_time, str(error)))
            self._invalid = True
            self.state = "syncing"
            return
        if self.state != "live":
            self.state = "live"
            self._invalid = False
            out.append(self._status("synced", receive_time, None))
        out.append(
            Book(
                self._exchange,
                self._symbol,
                snapshot.exchange_time,
                receive_time,
                0,
                0,
                "snapshot",
                snapshot.bids,
                snapshot.asks,
                snapshot.last,
            )
        )

    def start(self, receive_time: int | None, out: list[Event]) -> None:
        """Updates flow from now on; ask for the snapshot that they need."""
        self._want(out, receive_time, "first snapshot")

    def without_snapshot(self, reason: str, receive_time: int | None, out: list[Event]) -> None:
        """Go on with deltas alone, as a replay must that has no snapshot; say why.

        The levels held are true ones, but not all: no ``synced`` row and no snapshot is written.
        """
        held, self._buffer = self._buffer, []
        self.wants_snapshot = False
        self.partial = True
        self.state = "live"
        # what was held before a gap may be gone since, and would cross the book for good
        self.book = OrderBook()
        out.append(self._status("resyncing", receive_time, reason))
        if held:
            self.book.sequence = held[0][0].first - 1
        for delta, time in held:
            self.on_delta(delta, time, out)

    def snapshot_failed(self, reason: str, receive_time: int | None, out: list[Event]) -> None:
        """The wanted snapshot could not be had; say so. The caller tries again in its own time."""
        out.append(self._status("resyncing", receive_time, reason))

    def interrupted(self) -> None:
        """The connection is gone: nothing of the book is known any longer."""
        self.state = "empty"
        self.wants_snapshot = False
        self._invalid = False
        self._buffer = []
        self.book = OrderBook()
        self.whole = None

    def row(self, exchange_time: int | None, receive_time: int | None) -> Book:
        """Return the book as a snapshot row of its best levels."""
        bids, asks = self.book.depth(self._levels)
        return Book(
            self._exchange,
            self._symbol,
            exchange_time,
            receive_time,
            0,
            0,
            "snapshot",
            bids,
            asks,
            self.book.sequence,
            truncated=len(self.book) > len(bids) + len(asks),
        )

    # --- resync ------------------------------------------------------------------------------

    def _resync(
        self, delta: BookDelta | None, receive_time: int | None, out: list[Event], reason: str
    ) -> None:
        self.resyncs += 1
        self._buffer = [] if delta is None else [(delta, receive_time)]
        self._want(out, receive_time, reason)

    def _want(self, out: list[Event], receive_time: int | None, reason: str) -> None:
        self.state = "syncing"
        self.wants_snapshot = True
        out.append(self._status("resyncing", receive_time, reason))

    def _gap(self, gap: SequenceGap, receive_time: int | None) -> Status:
        reason = "book updates are missing"
        if self._rule is not link:
            first, last = gap.expected, gap.received - 1
            return self._status("gap", receive_time, reason, first, last, last - first + 1)
        # linked numbers have holes: what lies between two is no count of updates
        if gap.received > gap.expected:
            return self._status("gap", receive_time, reason, gap.expected + 1, gap.received)
        return self._status("gap", receive_time, f"{reason}, and their numbers began anew")

    def _status(
        self,
        state: State,
        receive_time: int | None,
        reason: str | None,
        first: int | None = None,
        last: int | None = None,
        count: int | None = None,
    ) -> Status:
        return Status(
            exchange=self._exchange,
            symbol=self._symbol,
            exchange_time=None,
            receive_time=receive_time,
            epoch=0,
            seq=0,
            state=state,
            channel="book",
            reason=reason,
            from_=None if first is None else str(first),
            to=None if last is None else str(last),
            count=count,
            unit=None if first is None else "sequence",
        )


def _written(levels: list[Level]) -> list[Level]:
    # the wire form of a removal is the amount "0", however many zeros the exchange wrote
    return [level if not is_zero(level[1]) else (level[0], "0") for level in levels]


def _older(snapshot: BookSnapshot, last: BookSnapshot) -> bool:
    if snapshot.last is not None and last.last is not None:
        return snapshot.last < last.last
    if snapshot.exchange_time is not None and last.exchange_time is not None:
        return snapshot.exchange_time < last.exchange_time
    return False
