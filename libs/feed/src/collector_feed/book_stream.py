"""The life of one symbol's book: synchronize, apply, prove, publish, and start again when in doubt.

States: ``empty`` (nothing wanted or known yet), ``syncing`` (deltas are buffered, a snapshot is
awaited), ``live``. Rows leave only in ``live``; whatever breaks the chain is said by a status row
in the book's own topic, and the next rows after it are ``synced`` and a snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Literal, TypeAlias

from collector_core.book import OrderBook
from collector_core.errors import BookError, NumberError, SequenceGap
from collector_core.events import Book, Event, Level
from collector_feed.book_rows import ANEW, BookRows
from collector_feed.outputs import BookDelta, BookSnapshot
from collector_feed.restart import NumberWatch
from collector_feed.sequence import RULES, link, older
from collector_feed.spec import BookRule

__all__ = ["BUFFER", "LEVELS", "BookStream", "Checksum"]

BUFFER: Final = 10_000
"""Deltas held while a snapshot is awaited; past it the oldest attempt is given up."""
LEVELS: Final = 1_000
"""Levels a side of a published snapshot."""

Checksum: TypeAlias = Callable[[str, Sequence[Level], Sequence[Level]], int | None]
"""Computes an exchange's checksum of a symbol's best bids and asks (``Adapter.checksum``)."""


class BookStream:
    """One symbol's maintained book under a sequence rule.

    Args:
        exchange, symbol: what the rows are of.
        rule: name of the sequence rule.
        by_rest: a snapshot can be fetched that carries the stream's numbers, so updates are held
            for it; else only the stream's own snapshot helps.
        levels: levels a side of a published snapshot.
        depth: levels a side that the stream keeps; None for all.
        checksum: what proves the book, with how many levels a side go into it.
    """

    __slots__ = (
        "_behind",
        "_buffer",
        "_by_rest",
        "_checksum",
        "_depth",
        "_exchange",
        "_invalid",
        "_joining",
        "_levels",
        "_numbers",
        "_rows",
        "_rule",
        "_symbol",
        "book",
        "gaps",
        "outdated",
        "partial",
        "recorder",
        "resyncs",
        "state",
        "updates",
        "wants_snapshot",
        "whole",
        "wish",
    )

    def __init__(
        self,
        exchange: str,
        symbol: str,
        rule: BookRule,
        *,
        by_rest: bool,
        levels: int = LEVELS,
        depth: int | None = None,
        checksum: tuple[Checksum, int] | None = None,
    ) -> None:
        self._exchange = exchange
        self._symbol = symbol
        self._rows = BookRows(exchange, symbol)
        self._rule = RULES[rule]
        self._by_rest = by_rest
        self._levels = levels
        self._depth = depth
        self._checksum = checksum
        # deltas waiting for a snapshot, with their receive times
        self._buffer: list[tuple[BookDelta, int | None]] = []
        # a book_invalid row was written and no synced row since (whole books)
        self._invalid = False
        # the next linked update may begin before the snapshot that was fetched
        self._joining = False
        self._numbers = NumberWatch()
        # numbers began anew while a snapshot was awaited, which may have the old ones
        self._behind = False
        self.book = OrderBook()
        self.state: Literal["empty", "syncing", "live"] = "empty"
        # a snapshot is wanted; ``wish`` until the holder has taken note of it
        self.wants_snapshot = False
        self.wish = False
        # the book goes on without a snapshot: its levels are true ones, but not all
        self.partial = False
        # last whole book published, and its time (rule whole)
        self.whole: BookSnapshot | None = None
        # while an audit runs, what the stream brings; None else, and once the book broke
        self.recorder: list[BookDelta | BookSnapshot] | None = None
        # counters
        self.gaps = 0
        self.resyncs = 0
        self.outdated = 0
        # items taken, of any use or none: the stream's pulse
        self.updates = 0

    @property
    def held(self) -> int:
        """Updates that wait for a snapshot."""
        return len(self._buffer)

    # --- deltas ------------------------------------------------------------------------------

    def on_delta(self, delta: BookDelta, receive_time: int | None, out: list[Event]) -> None:
        """Take a delta; append the rows that follow from it to ``out``."""
        self.updates += 1
        anew = self._numbers.began_anew(delta, receive_time)
        if self.state == "live":
            self._apply(delta, receive_time, out, anew=anew)
            return
        if self.state == "empty":
            self._want(out, receive_time, "a delta came before any snapshot")
        if not self._by_rest:
            # the snapshot that is awaited will be newer than this
            self.outdated += 1
            return
        if anew and self._buffer and self._rule is not link:
            self._buffer.clear()
            self._behind = True
        if len(self._buffer) >= BUFFER:
            # the snapshot took longer than the bound: it would leave a hole, so ask for a newer one
            self._buffer.clear()
            self._want(out, receive_time, f"no snapshot within {BUFFER} updates")
        self._buffer.append((delta, receive_time))

    def _apply(
        self, delta: BookDelta, receive_time: int | None, out: list[Event], *, anew: bool
    ) -> None:
        book = self.book
        if self._joining and book.sequence is not None and delta.last > book.sequence:
            self._joining = False
            if delta.first < book.sequence:
                # the snapshot is of a moment inside of this update; amounts are absolute
                book.sequence = delta.first
        try:
            # a book without a number (begun without a snapshot) takes its first update as it is
            if book.sequence is not None and not self._rule(book.sequence, delta):
                self.outdated += 1
                if anew or self._numbers.stands_still(delta):
                    self.gaps += 1
                    out.append(self._rows.status("gap", receive_time, ANEW))
                    self._resync(delta, receive_time, out, ANEW)
                return
            bids, asks = book.apply(delta.bids, delta.asks)
            if self._depth is not None and book.exceeds(self._depth):
                # a reader keeps every level until a row removes it
                for side, beyond in zip((bids, asks), book.keep(self._depth), strict=True):
                    side.extend((price, "0") for price, _ in beyond)
            book.check()
            if delta.checksum is not None:
                self._prove(delta.checksum)
        except SequenceGap as gap:
            self.gaps += 1
            out.append(self._rows.gap(gap, receive_time, linked=self._rule is link))
            self._resync(delta, receive_time, out, str(gap))
            return
        except (BookError, NumberError) as error:
            out.append(self._rows.status("book_invalid", receive_time, str(error)))
            self._resync(None, receive_time, out, str(error))
            return
        book.sequence = delta.last or None
        self._numbers.applied(receive_time)
        if self.recorder is not None:
            self.recorder.append(delta)
        if not (bids or asks):
            # a sign of life: the chain goes on, and there is nothing to tell
            return
        out.append(
            Book(
                self._exchange,
                self._symbol,
                delta.exchange_time,
                receive_time,
                0,
                0,
                "delta",
                bids,
                asks,
                book.sequence,
            )
        )

    def _prove(self, expected: int) -> None:
        if self._checksum is not None:
            compute, levels = self._checksum
            found = compute(self._symbol, *self.book.depth(levels))
            if found is not None and found != expected:
                raise BookError(f"expected a book with checksum {expected}, was {found}")

    def lost(self, first: int, last: int, receive_time: int | None, out: list[Event]) -> None:
        """Frames of the connection are missing, maybe of this book; start it anew."""
        if self.state == "live":
            self.gaps += 1
            out.append(
                self._rows.gap(SequenceGap(first, last), receive_time, linked=self._rule is link)
            )
            self._resync(None, receive_time, out, "frames of the connection are missing")

    # --- snapshots ---------------------------------------------------------------------------

    def on_snapshot(
        self,
        snapshot: BookSnapshot,
        receive_time: int | None,
        out: list[Event],
        *,
        fetched: bool = False,
    ) -> None:
        """Take a snapshot, fetched or streamed, and then whatever was held for a fetched one."""
        self.wants_snapshot = False
        held = self._buffer if fetched else []
        if held and snapshot.last is not None:
            before = self._before(held[0][0])
            if before > snapshot.last:
                self._want(out, receive_time, f"snapshot {snapshot.last} is older than {before}")
                return
        behind, self._behind = self._behind, False
        if fetched and behind:
            self._want(out, receive_time, "the snapshot may be older than the new numbers")
            return
        self._buffer = []
        try:
            self.book.replace(snapshot.bids, snapshot.asks)
            if self._depth is not None:
                self.book.keep(self._depth)
            self.book.check()
            if snapshot.checksum is not None:
                self._prove(snapshot.checksum)
        except (BookError, NumberError) as error:
            out.append(self._rows.status("book_invalid", receive_time, str(error)))
            self._want(out, receive_time, str(error))
            return
        self.book.sequence = snapshot.last
        self.partial = False
        self.state = "live"
        out.append(self._rows.status("synced", receive_time, None))
        out.append(self.row(snapshot.exchange_time, receive_time))
        self._joining = fetched and self._rule is link
        self._numbers.applied(receive_time)
        for delta, time in held:
            self.on_delta(delta, time, out)

    def _before(self, delta: BookDelta) -> int:
        # number of the update that the book has to have before this one
        return delta.first if self._rule is link else delta.first - 1

    def on_whole(self, snapshot: BookSnapshot, receive_time: int | None, out: list[Event]) -> None:
        """Take a whole book of an exchange that sends nothing else; a changed one is a row."""
        self.updates += 1
        last = self.whole
        if last is not None and self.state == "live":
            if older(snapshot, last):
                self.outdated += 1
                return
            if snapshot.bids == last.bids and snapshot.asks == last.asks:
                return
        self.whole = snapshot
        if self.recorder is not None:
            self.recorder.append(snapshot)
        try:
            self.book.replace(snapshot.bids[:1], snapshot.asks[:1])
            self.book.check()
        except (BookError, NumberError) as error:
            if not self._invalid:
                out.append(self._rows.status("book_invalid", receive_time, str(error)))
            self._invalid = True
            self.state = "syncing"
            return
        if self.state != "live":
            self.state = "live"
            self._invalid = False
            out.append(self._rows.status("synced", receive_time, None))
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
        out.append(self._rows.status("resyncing", receive_time, reason))
        if held:
            self.book.sequence = self._before(held[0][0])
        for delta, time in held:
            self.on_delta(delta, time, out)

    def snapshot_failed(self, reason: str, receive_time: int | None, out: list[Event]) -> None:
        """The wanted snapshot could not be had; say so. The caller tries again in its own time."""
        out.append(self._rows.status("resyncing", receive_time, reason))

    def interrupted(self) -> None:
        """The connection is gone: nothing of the book is known any longer."""
        self.state = "empty"
        self.recorder = None
        self._joining = False
        self._numbers.forget()
        self._behind = False
        self.wants_snapshot = False
        self._invalid = False
        self._buffer = []
        self.book = OrderBook()
        self.whole = None

    def audit_failed(self, reason: str, receive_time: int, out: list[Event]) -> None:
        """A fresh snapshot shows another book: say so and start anew."""
        out.append(self._rows.status("book_invalid", receive_time, reason))
        self._resync(None, receive_time, out, reason)

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
        self.recorder = None
        self.wants_snapshot = True
        self.wish = True
        out.append(self._rows.status("resyncing", receive_time, reason))
