"""The fetching of trades that were missed, page by page, for one symbol at a time.

The history of an exchange lags behind its stream by up to a second or two, so a fetch waits a
little, and is made again while it does not reach the live trades that wait behind the hole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from collector_core.errors import CollectorError, Throttled
from collector_core.events import Event, Trade
from collector_feed.backoff import Backoff
from collector_feed.outputs import Fetch, Page, Request
from collector_feed.pipeline import Pipeline

__all__ = ["Backfill"]

_LAG: Final = 0.3
"""Seconds that a history is given to show what was traded before a live trade that waits."""
_QUIET_LAG: Final = 1.5
"""Likewise where no live trade waits that would prove it complete."""
_LOOKS: Final = 4
"""How often a history is read that does not reach the live trades."""
_PAGES: Final = 200
"""Pages of one history; a hole that is longer stays a gap from there."""


class _Job(msgspec.Struct):
    symbol: str
    backoff: Backoff
    # monotonic: when it began, and when to fetch (again), None while a fetch is under way
    began: float
    due: float | None
    looks: int = 0
    pages: list[list[Trade]] = []


class Backfill:
    """Turns the pipeline's holes in trades into fetches and hands back what came.

    Args:
        pipeline: whose trade streams have holes.
        backoff: makes the backoff of one symbol's attempts.
        tokens: numbers for the fetches.
        timeout: seconds after which live trades wait no longer.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        backoff: Callable[[], Backoff],
        tokens: Iterator[int],
        timeout: float,
    ) -> None:
        self._pipeline = pipeline
        self._new_backoff = backoff
        self._tokens = tokens
        self._timeout = timeout
        self._jobs: dict[str, _Job] = {}
        # fetches under way: token -> symbol
        self._fetches: dict[int, str] = {}

    def on_time(self, now: float, wall: int, out: list[Event]) -> list[Fetch]:
        """Return the fetches that are due; append rows that wait no longer to ``out``."""
        pipeline = self._pipeline
        wishes, pipeline.fills_wanted = pipeline.fills_wanted, []
        for symbol in wishes:
            lag = _LAG if self._waiting(symbol) else _QUIET_LAG
            self._jobs[symbol] = _Job(symbol, self._new_backoff(), now, now + lag)
        fetches = []
        for symbol, job in list(self._jobs.items()):
            stream = pipeline.trade_stream(symbol)
            if stream is None or stream.filling is None:
                # given up, or unsubscribed meanwhile
                self._end(job)
            elif now >= job.began + self._timeout and self._waiting(symbol):
                self._finish(job, wall, out)
            elif job.due is not None and now >= job.due:
                job.due = None
                job.looks += 1
                job.pages = []
                after, before = stream.filling.after, stream.filling.before()
                fetches.append(self._fetch(job, pipeline.adapter.trades(symbol, after, before)))
        return fetches

    def on_answer(
        self,
        token: int,
        answer: Page[Trade] | CollectorError,
        now: float,
        wall: int,
        out: list[Event],
    ) -> list[Fetch]:
        """Take an answer; return what else to fetch, and append the rows that follow to ``out``."""
        symbol = self._fetches.pop(token, None)
        job = None if symbol is None else self._jobs.get(symbol)
        if job is None:
            return []
        if isinstance(answer, CollectorError):
            throttle = answer if isinstance(answer, Throttled) else None
            job.due = now + job.backoff.next(
                throttled=throttle is not None,
                retry_after=None if throttle is None else throttle.retry_after,
            )
            return []
        if answer.rows:
            job.pages.append(answer.rows)
        if answer.more is not None and len(job.pages) < _PAGES:
            return [self._fetch(job, answer.more)]
        if job.looks < _LOOKS and not self._reaches(job.symbol, _in_order(job.pages)):
            job.due = now + _LAG * 2**job.looks
        else:
            self._finish(job, wall, out)
        return []

    def deadline(self) -> float | None:
        """Return when ``on_time`` has something to do, in monotonic seconds."""
        if self._pipeline.fills_wanted:
            return 0.0
        return min((job.due for job in self._jobs.values() if job.due is not None), default=None)

    def clear(self) -> None:
        """The connection is gone; each stream asks again when it begins anew."""
        self._jobs.clear()
        self._fetches.clear()

    def _fetch(self, job: _Job, request: Request[Page[Trade]]) -> Fetch:
        token = next(self._tokens)
        self._fetches[token] = job.symbol
        return Fetch(request, token)

    def _finish(self, job: _Job, wall: int, out: list[Any]) -> None:
        self._end(job)
        stream = self._pipeline.trade_stream(job.symbol)
        if stream is not None:
            stream.fetched(_in_order(job.pages), wall, out)
            self._pipeline.note(job.symbol)

    def _waiting(self, symbol: str) -> bool:
        stream = self._pipeline.trade_stream(symbol)
        return stream is not None and stream.filling is not None and bool(stream.filling.held)

    def _reaches(self, symbol: str, rows: Sequence[Trade]) -> bool:
        # whether the history goes on to the live trades that wait, as far as one can tell
        stream = self._pipeline.trade_stream(symbol)
        fill = None if stream is None else stream.filling
        before = None if fill is None else fill.before()
        if before is None or before.time is None:
            return True
        return bool(rows) and (rows[-1].exchange_time or 0) >= before.time

    def _end(self, job: _Job) -> None:
        del self._jobs[job.symbol]
        self._fetches = {t: symbol for t, symbol in self._fetches.items() if symbol != job.symbol}


def _in_order(pages: list[list[Trade]]) -> list[Trade]:
    # pages go on or back in time; rows of one moment keep the order of their page
    first = sorted(pages, key=lambda page: page[0].exchange_time or 0)
    return [trade for page in first for trade in page]
