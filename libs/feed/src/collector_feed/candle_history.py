"""Candles over REST: those missed in an outage, and those of intervals that nobody pushes.

A series is one symbol and interval. It knows the last closed candle on the bus, so that whatever
is fetched goes on from there, without doubles and in order; candles of the stream wait meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from collector_core import intervals
from collector_core.errors import CollectorError, Throttled
from collector_core.events import Candle, Event
from collector_feed.backoff import Backoff
from collector_feed.outputs import Fetch, Page, Request, Subscription
from collector_feed.pipeline import Pipeline
from collector_feed.request_queue import Priority

__all__ = ["CandleHistory"]

_LAG: Final = 2.0
"""Seconds that an exchange is given to close a candle in its history."""
_LOOK_AGAIN: Final = 5.0
"""Seconds to the next look for a candle that is late, or that nobody traded in."""
_BACK: Final = 3
"""Closed candles that a series without a past begins with."""
_PAGES: Final = 100


class _Series(msgspec.Struct):
    subscription: Subscription
    backoff: Backoff
    polled: bool
    # monotonic: when to fetch, None while a fetch is under way or none is wanted
    due: float | None
    # wall time from which a polled series has something new; empty intervals move it on
    awaited: int = 0
    pages: int = 0
    # looks in a row that found nothing new
    looks: int = 0


class CandleHistory:
    """Fetches candles for the series of one connection.

    Args:
        pipeline: publishes what comes.
        backoff: makes the backoff of one series' attempts.
        tokens: numbers for the fetches.
        random: returns a float in [0, 1), to spread the fetches of many symbols.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        backoff: Callable[[], Backoff],
        tokens: Iterator[int],
        random: Callable[[], float],
    ) -> None:
        self._adapter = pipeline.adapter
        self._pipeline = pipeline
        self._new_backoff = backoff
        self._tokens = tokens
        self._random = random
        self._series: dict[Subscription, _Series] = {}
        self._fetches: dict[int, Subscription] = {}

    def begin(self, subscription: Subscription, now: float, *, polled: bool) -> None:
        """A series is wanted, or flows again; a pushed one is fetched if it has a past."""
        missed = self._pipeline.candles.last(subscription) is not None
        if polled or missed:
            due = now + (_LAG if missed else 0.0) + self._random()
            series = _Series(subscription, self._new_backoff(), polled, due)
            self._series[subscription] = series
            if not polled:
                self._pipeline.candles.hold(subscription)

    def forget(self, subscription: Subscription) -> None:
        """A series is wanted no longer."""
        self._series.pop(subscription, None)

    def on_time(self, now: float, wall: int) -> list[Fetch]:
        """Return the fetches that are due."""
        fetches = []
        for series in self._series.values():
            if series.due is not None and now >= series.due:
                if series.polled and wall < series.awaited:
                    series.due = now + (series.awaited - wall) / 1e6
                    continue
                series.due = None
                series.pages = 0
                fetches.append(self._fetch(series, self._request(series, wall)))
        return fetches

    def on_answer(
        self,
        token: int,
        answer: Page[Candle] | CollectorError,
        now: float,
        wall: int,
        out: list[Event],
    ) -> list[Fetch]:
        """Take an answer; return what else to fetch, and append the rows that follow to ``out``."""
        subscription = self._fetches.pop(token, None)
        series = None if subscription is None else self._series.get(subscription)
        if subscription is None or series is None:
            return []
        if isinstance(answer, CollectorError):
            throttle = answer if isinstance(answer, Throttled) else None
            series.due = now + series.backoff.next(
                throttled=throttle is not None,
                retry_after=None if throttle is None else throttle.retry_after,
            )
            return []
        series.backoff.reset()
        new = self._pipeline.candles.add(subscription, answer.rows, out)
        series.pages += 1
        if answer.more is not None and series.pages < _PAGES:
            return [self._fetch(series, answer.more)]
        if series.polled:
            self._await_next(series, now, wall, new=new)
        else:
            self._pipeline.candles.release(subscription, out)
            del self._series[subscription]
        return []

    def deadline(self) -> float | None:
        """Return when ``on_time`` has something to do, in monotonic seconds."""
        return min((s.due for s in self._series.values() if s.due is not None), default=None)

    def clear(self, now: float) -> None:
        """The connection is gone: pushed series begin anew, polled ones need no connection."""
        self._fetches.clear()
        self._series = {s: series for s, series in self._series.items() if series.polled}
        for series in self._series.values():
            series.due = now if series.due is None else series.due

    def _request(self, series: _Series, wall: int) -> Request[Page[Candle]]:
        wanted = series.subscription
        start = self._pipeline.candles.last(wanted)
        if start is None:
            length = intervals.length(wanted.interval)
            running = intervals.open_time(wanted.interval, wall)
            start = None if length is None else running - _BACK * length
        return self._adapter.candles(wanted.symbol, wanted.interval, start, None)

    def _await_next(self, series: _Series, now: float, wall: int, *, new: bool) -> None:
        last = self._pipeline.candles.last(series.subscription)
        interval = series.subscription.interval
        spread = self._random()
        if last is None:
            series.due = now + _LOOK_AGAIN + spread
            return
        series.looks = 0 if new else series.looks + 1
        # the candle that comes after the last one ends then
        end = intervals.close_time(interval, last)
        if series.looks == 1 and end <= wall:
            # it is late, or nobody traded in it
            series.due = now + _LOOK_AGAIN + spread
            return
        if end <= wall:
            # an interval without trades has no candle in many histories: wait for the next one
            end = intervals.close_time(interval, intervals.open_time(interval, wall))
        series.awaited = end + round((_LAG + spread) * 1e6)
        series.due = now + max(0.0, (series.awaited - wall) / 1e6)

    def _fetch(self, series: _Series, request: Request[Page[Candle]]) -> Fetch:
        token = next(self._tokens)
        self._fetches[token] = series.subscription
        # a stream waits for what it missed; what is polled comes in its own time
        priority = Priority.ROUTINE if series.polled else Priority.REPAIR
        return Fetch(request, token, priority)
