"""Books that want a snapshot: fetched, or sent by the exchange to a subscription made anew.

One symbol's trouble stays that symbol's. The first attempt goes at once; an attempt in vain, and a
book that breaks again and again, wait by a backoff, so that no fault of ours or of
the exchange becomes a storm of requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf
from typing import Final

import msgspec

from collector_core.errors import CollectorError, Throttled
from collector_core.events import Event
from collector_feed.backoff import Backoff
from collector_feed.outputs import BookSnapshot, Fetch
from collector_feed.pipeline import Pipeline

__all__ = ["Renewal", "Resync"]

_SETTLED: Final = 60.0
"""Seconds that a book has to stay whole for its next trouble to count as a new one."""
_PATIENCE: Final = 5.0
"""Seconds that an exchange is given to send the snapshot of a subscription."""


class Renewal(msgspec.Struct, frozen=True):
    """Subscribe a book anew, for its snapshot."""

    symbol: str


class _Attempt(msgspec.Struct):
    backoff: Backoff
    # when to try (again), in monotonic seconds: inf while a fetch is under way, None for a book
    # that broke again and whose wait is still to be drawn
    due: float | None
    tries: int = 0
    # how often it broke since it was last whole for long
    breaks: int = 0
    # when the book was whole again; None while it is not
    mended: float | None = None


class Resync:
    """Turns the pipeline's wishes for snapshots into fetches and renewals.

    Args:
        pipeline: whose books want snapshots.
        backoff: makes the backoff of one symbol's attempts.
        tokens: numbers for the fetches.
    """

    def __init__(
        self, pipeline: Pipeline, backoff: Callable[[], Backoff], tokens: Iterator[int]
    ) -> None:
        self._pipeline = pipeline
        self._spec = pipeline.adapter.spec
        self._new_backoff = backoff
        # fetches under way: token -> symbol
        self._fetches: dict[int, str] = {}
        # symbols in trouble, and those that were a while ago
        self._attempts: dict[str, _Attempt] = {}
        self._tokens = tokens

    def wanted(self) -> list[Fetch | Renewal]:
        """Return what to do for the wishes that came up since the last call."""
        pipeline = self._pipeline
        wishes, pipeline.snapshots_wanted = pipeline.snapshots_wanted, []
        awaited, pipeline.snapshots_awaited = pipeline.snapshots_awaited, []
        for symbol in awaited:
            # the subscription is new: its snapshot is on the way, and only looked after from here
            self._attempts.setdefault(symbol, _Attempt(self._new_backoff(), None, 1))
        out = []
        for symbol in wishes:
            known = self._attempts.get(symbol)
            if known is None:
                attempt = self._attempts[symbol] = _Attempt(self._new_backoff(), inf)
                out.append(self._try(symbol, attempt))
            elif known.mended is not None:
                known.mended = None
                known.breaks += 1
                if known.breaks == 1:
                    out.append(self._try(symbol, known))
                else:
                    known.due = None
        return out

    def on_answer(
        self, token: int, answer: BookSnapshot | CollectorError, now: float, wall: int
    ) -> list[Event]:
        """Take an answer; return the rows that follow. One that is no longer wanted is dropped."""
        symbol = self._fetches.pop(token, None)
        if symbol is None:
            return []
        attempt = self._attempts.get(symbol)
        if attempt is None or not self._pipeline.wants_snapshot(symbol):
            # unsubscribed meanwhile, or mended by the stream
            self._attempts.pop(symbol, None)
            return []
        if isinstance(answer, CollectorError):
            throttle = answer if isinstance(answer, Throttled) else None
            attempt.due = now + attempt.backoff.next(
                throttled=throttle is not None,
                retry_after=None if throttle is None else throttle.retry_after,
            )
            return self._pipeline.snapshot_failed(symbol, str(answer), wall)
        rows = self._pipeline.on_snapshot(answer, wall)
        if self._pipeline.wants_snapshot(symbol):
            # too old, crossed, or followed by a gap: a newer one is only to be had in a while
            attempt.due = now + attempt.backoff.next()
        else:
            attempt.mended = now
        return rows

    def on_time(self, now: float) -> list[Fetch | Renewal]:
        """Return what is due."""
        out: list[Fetch | Renewal] = []
        for symbol, attempt in list(self._attempts.items()):
            if attempt.mended is not None:
                if now >= attempt.mended + _SETTLED:
                    del self._attempts[symbol]
            elif not self._pipeline.wants_snapshot(symbol):
                attempt.mended = now
            elif attempt.due is None:
                attempt.due = now + max(_PATIENCE * (attempt.tries == 1), attempt.backoff.next())
            elif attempt.due <= now:
                out.append(self._try(symbol, attempt, now))
        return out

    def deadline(self) -> float | None:
        """Return when ``on_time`` has something to do, in monotonic seconds."""
        times = [a.due or 0.0 for a in self._attempts.values() if a.mended is None]
        return min(times, default=None)

    def clear(self) -> None:
        """The connection is gone; answers to what is under way come too late."""
        self._fetches.clear()
        self._attempts.clear()

    def _try(self, symbol: str, attempt: _Attempt, now: float | None = None) -> Fetch | Renewal:
        attempt.tries += 1
        # a stream that keeps its snapshot back is helped by REST, where its numbers stand there
        by_rest = self._spec.book_by_rest or (self._spec.book_audit and attempt.tries % 2 == 0)
        if not by_rest:
            wait = _PATIENCE + attempt.backoff.next()
            attempt.due = None if now is None else now + wait
            return Renewal(symbol)
        token = next(self._tokens)
        self._fetches[token] = symbol
        attempt.due = inf
        return Fetch(self._pipeline.adapter.book(symbol), token)
