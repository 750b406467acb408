"""Comparing what is published with what the exchange says over REST, one symbol after another.

A book is compared at the very update that the snapshot was taken at: the updates since the audit
began are recorded and applied to a copy until both stand at the same number. Trades without
counting ids are compared with the exchange's history, the only way to find a loss in a live
connection. Both are slow and steady, and wait behind every other request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal

import msgspec

from collector_core.book import OrderBook
from collector_core.errors import CollectorError
from collector_core.events import Event, Level, Trade
from collector_feed.outputs import BookDelta, BookSnapshot, Fetch, Mark, Page
from collector_feed.pipeline import Pipeline
from collector_feed.request_queue import Priority

__all__ = ["Audit"]

_LEVELS: Final = 100
"""Best levels a side that are compared."""
_PATIENCE: Final = 10.0
"""Seconds that the stream is given to reach the number of a snapshot."""
_LAG: Final = 5_000_000
"""Microseconds of the newest history that are left to the next audit: REST may lag behind."""
_PAGES: Final = 5


class _Running(msgspec.Struct):
    kind: Literal["book", "trade"]
    symbol: str
    # book: its copy as of the beginning, and the answer once it is there
    copy: OrderBook | None = None
    snapshot: BookSnapshot | None = None
    until: float = 0.0
    # trade: from when on, and the pages so far
    since: int = 0
    pages: list[list[Trade]] = []


class Audit:
    """Audits the books and trades of one connection.

    Args:
        pipeline: what is published.
        tokens: numbers for the fetches.
        every: seconds between two audits.
        skew: returns the exchange's clock less ours in microseconds, None while it is not known.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        tokens: Iterator[int],
        every: float,
        skew: Callable[[], int | None],
    ) -> None:
        self._pipeline = pipeline
        self._spec = pipeline.adapter.spec
        self._tokens = tokens
        self._every = every
        self._skew = skew
        trade = self._spec.channels["trade"]
        self._trades = trade.loss == "audit" and trade.history != "none"
        self._next: float | None = None
        self._running: _Running | None = None
        self._token = 0
        # symbols still to come in this round
        self._round: list[tuple[Literal["book", "trade"], str]] = []
        # by symbol the time up to which its trades were compared
        self._verified: dict[str, int] = {}
        # counters, for metrics
        self.done = 0
        self.mismatches = 0
        self.inconclusive = 0

    def on_time(self, now: float, wall: int, out: list[Event]) -> list[Fetch]:
        """Return the fetch that is due; append what a comparison shows to ``out``."""
        running = self._running
        if running is not None:
            if running.snapshot is not None:
                self._compare_book(running, now, wall, out)
            return []
        if self._next is None:
            # the streams have to settle first
            self._next = now + self._every
        if now < self._next:
            return []
        self._next = now + self._every
        return self._begin(now)

    def on_answer(
        self,
        token: int,
        answer: BookSnapshot | Page[Trade] | CollectorError,
        now: float,
        wall: int,
        out: list[Event],
    ) -> list[Fetch]:
        """Take an answer; return what else to fetch, and append what it shows to ``out``."""
        running = self._running
        if running is None or token != self._token:
            return []
        match answer:
            case BookSnapshot() if running.kind == "book":
                running.snapshot = answer
                running.until = now + _PATIENCE
                self._compare_book(running, now, wall, out)
            case Page() if running.kind == "trade":
                return self._compare_trades(running, answer, wall, out)
            case _:
                self._end(conclusive=False)
        return []

    def deadline(self) -> float | None:
        """Return when ``on_time`` has something to do, in monotonic seconds."""
        if self._running is not None:
            return None
        return 0.0 if self._next is None else self._next

    def clear(self) -> None:
        """The connection is gone, and with it what is under way."""
        self._running = None
        self._next = None

    def adopt(self, other: Audit) -> None:
        """Go on with the trades of a connection that this one replaces."""
        self._verified, other._verified = other._verified, {}

    # --- the parts of it ---------------------------------------------------------------------

    def _begin(self, now: float) -> list[Fetch]:
        if not self._round:
            if self._spec.book_audit:
                self._round += [("book", symbol) for symbol, _ in self._pipeline.books()]
            if self._trades:
                self._round += [("trade", symbol) for symbol, _ in self._pipeline.trades()]
        while self._round:
            kind, symbol = self._round.pop()
            if kind == "book" and (book := self._pipeline.book_stream(symbol)) is not None:
                if book.state == "live" and not book.partial:
                    book.recorder = [] if book.whole is None else [book.whole]
                    self._running = _Running("book", symbol, book.book.copy(), None, now)
                    self._token = next(self._tokens)
                    return [Fetch(self._pipeline.adapter.book(symbol), self._token, Priority.AUDIT)]
            elif kind == "trade" and (trades := self._pipeline.trade_stream(symbol)) is not None:
                known = trades.recent.since()
                if not known or self._skew() is None:
                    continue
                # what is younger than the last trade was never heard of, if it was verified or not
                since = min(max(self._verified.get(symbol, 0), known), trades.time)
                self._running = _Running("trade", symbol, since=since)
                self._token = next(self._tokens)
                request = self._pipeline.adapter.trades(symbol, Mark(None, since), None)
                return [Fetch(request, self._token, Priority.AUDIT)]
        return []

    def _compare_book(self, running: _Running, now: float, wall: int, out: list[Event]) -> None:
        book = self._pipeline.book_stream(running.symbol)
        snapshot = running.snapshot
        if book is None or book.recorder is None or snapshot is None or snapshot.last is None:
            # resynced, unsubscribed or replaced meanwhile
            self._end(conclusive=False)
            return
        reached = book.book.sequence if book.whole is None else book.whole.last
        if reached is None or reached < snapshot.last:
            if now >= running.until:
                self._end(conclusive=False)
            return
        found = self._at(running, book.recorder, snapshot)
        book.recorder = None
        if found is None:
            self._end(conclusive=False)
            return
        difference = _difference(*found)
        if difference is not None:
            self.mismatches += 1
            book.audit_failed(difference, wall, out)
            self._pipeline.note(running.symbol)
        self._end(conclusive=True)

    def _at(
        self,
        running: _Running,
        recorded: list[BookDelta | BookSnapshot],
        snapshot: BookSnapshot,
    ) -> tuple[OrderBook, OrderBook] | None:
        """Return our book and the exchange's at one and the same update, None if there is none."""
        last = snapshot.last or 0
        theirs = OrderBook()
        theirs.replace(snapshot.bids, snapshot.asks)
        ours = running.copy
        if self._spec.book_rule == "whole":
            for item in recorded:
                if isinstance(item, BookSnapshot) and item.last == last:
                    same = OrderBook()
                    same.replace(item.bids, item.asks)
                    return same, theirs
            return None
        if ours is None or ours.sequence is None or ours.sequence > last:
            # an answer out of a cache, older than the audit
            return None
        for item in recorded:
            if not isinstance(item, BookDelta):
                return None
            if item.last > last and not item.first <= last:
                break
            ours.apply(item.bids, item.asks)
            if item.last > last:
                # the snapshot is of a moment inside of this update; amounts are absolute
                theirs.apply(item.bids, item.asks)
                break
        return ours, theirs

    def _compare_trades(
        self, running: _Running, page: Page[Trade], wall: int, out: list[Event]
    ) -> list[Fetch]:
        if page.rows:
            running.pages.append(page.rows)
        if page.more is not None and len(running.pages) < _PAGES:
            self._token = next(self._tokens)
            return [Fetch(page.more, self._token, Priority.AUDIT)]
        pages = sorted(running.pages, key=lambda rows: rows[0].exchange_time or 0)
        rows = [trade for part in pages for trade in part]
        stream = self._pipeline.trade_stream(running.symbol)
        skew = self._skew()
        if stream is None or skew is None:
            self._end(conclusive=False)
            return []
        # by the exchange's clock: ours may be off by hours
        until = wall + skew - _LAG
        oldest = rows[0].exchange_time or 0 if rows else until
        since = max(running.since, oldest - 1 if page.more is not None else 0)
        before = len(out)
        conclusive = stream.audit(rows, since, until, wall, out)
        if len(out) > before:
            self.mismatches += 1
        if conclusive:
            self._verified[running.symbol] = max(until, running.since)
        self._end(conclusive=conclusive)
        return []

    def _end(self, *, conclusive: bool) -> None:
        running, self._running = self._running, None
        if conclusive:
            self.done += 1
        else:
            self.inconclusive += 1
        if running is not None and running.kind == "book":
            book = self._pipeline.book_stream(running.symbol)
            if book is not None:
                book.recorder = None


def _difference(ours: OrderBook, theirs: OrderBook) -> str | None:
    for name, mine, other in zip(
        ("bid", "ask"), ours.depth(_LEVELS), theirs.depth(_LEVELS), strict=True
    ):
        # a side that REST cuts short can only be compared as far as it goes
        for place, (one, two) in enumerate(zip(mine, other, strict=False)):
            if _value(one) != _value(two):
                return f"expected {name} {place + 1} to be {two} as in a fresh snapshot, was {one}"
    return None


def _value(level: Level) -> tuple[str, str]:
    price, amount = level
    return _plain(price), _plain(amount)


def _plain(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number
