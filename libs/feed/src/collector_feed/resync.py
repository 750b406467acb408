"""The fetching of book snapshots: one at a time for each symbol, again after a while if in vain."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from collector_core.errors import CollectorError, Throttled
from collector_core.events import Event
from collector_feed.backoff import Backoff
from collector_feed.outputs import BookSnapshot, Fetch
from collector_feed.pipeline import Pipeline

__all__ = ["Resync"]


class Resync:
    """Turns the pipeline's wishes for snapshots into fetches.

    Args:
        pipeline: whose books want snapshots.
        backoff: makes the backoff of one symbol's attempts.
    """

    def __init__(self, pipeline: Pipeline, backoff: Callable[[], Backoff]) -> None:
        self._pipeline = pipeline
        self._new_backoff = backoff
        # fetches under way: token -> symbol
        self._fetches: dict[int, str] = {}
        # symbols that failed: when to try again (inf while under way) and their backoff
        self._again: dict[str, tuple[float, Backoff]] = {}
        self._token = 0

    def wanted(self) -> list[Fetch]:
        """Return the fetches for the wishes that came up since the last call."""
        wishes, self._pipeline.snapshots_wanted = self._pipeline.snapshots_wanted, []
        busy = {*self._fetches.values(), *self._again}
        return [self._fetch(symbol) for symbol in wishes if symbol not in busy]

    def on_answer(
        self, token: int, answer: BookSnapshot | CollectorError, now: float, wall: int
    ) -> list[Event]:
        """Take an answer; return the rows that follow. One that is no longer wanted is dropped."""
        symbol = self._fetches.pop(token, None)
        if symbol is None:
            return []
        if not self._pipeline.wants_snapshot(symbol):
            # unsubscribed meanwhile: its timer must not stand in the way of the next wish
            self._again.pop(symbol, None)
            return []
        if isinstance(answer, CollectorError):
            throttle = answer if isinstance(answer, Throttled) else None
            self._later(symbol, now, throttle)
            return self._pipeline.snapshot_failed(symbol, str(answer), wall)
        rows = self._pipeline.on_snapshot(answer, wall)
        if self._pipeline.wants_snapshot(symbol):
            # too old, crossed, or followed by a gap: a newer one is only to be had in a while
            self._later(symbol, now, None)
        else:
            self._again.pop(symbol, None)
        return rows

    def on_time(self, now: float) -> list[Fetch]:
        """Return the fetches whose time has come."""
        out = []
        for symbol, (at, backoff) in list(self._again.items()):
            if at > now:
                continue
            if self._pipeline.wants_snapshot(symbol):
                self._again[symbol] = (inf, backoff)
                out.append(self._fetch(symbol))
            else:
                del self._again[symbol]
        return out

    def deadline(self) -> float | None:
        """Return when the next fetch is due, in monotonic seconds."""
        return min((at for at, _ in self._again.values()), default=None)

    def clear(self) -> None:
        """The connection is gone; answers to what is under way come too late."""
        self._fetches.clear()
        self._again.clear()

    def _fetch(self, symbol: str) -> Fetch:
        self._token += 1
        self._fetches[self._token] = symbol
        return Fetch(self._pipeline.adapter.book(symbol), self._token)

    def _later(self, symbol: str, now: float, throttle: Throttled | None) -> None:
        # the wish is the timer's now
        wishes = self._pipeline.snapshots_wanted
        wishes[:] = [wish for wish in wishes if wish != symbol]
        backoff = self._again[symbol][1] if symbol in self._again else self._new_backoff()
        delay = backoff.next(
            throttled=throttle is not None,
            retry_after=None if throttle is None else throttle.retry_after,
        )
        self._again[symbol] = (now + delay, backoff)
