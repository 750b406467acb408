"""What the topics send that follow the clock: books, tickers and candles."""

from __future__ import annotations

from typing import Final

from collector_core.intervals import open_time
from collector_testkit.dialects.bybit.books import DEPTHS, BookFeed, BookState
from collector_testkit.dialects.bybit.frames import SymbolFrames
from collector_testkit.dialects.bybit.topics import INTERVALS, Topic
from collector_testkit.dialects.whole_candles import candle_at

__all__ = ["Pushes"]

_AUDITED: Final = 1000
"""The depth whose numbers REST has."""
_REPEAT: Final = 3_000_000
"""Microseconds after which a book of one level is sent again though nothing changed."""


class Pushes:
    """Knows of each topic what was sent last, so that only what changed is sent."""

    def __init__(self) -> None:
        # by symbol in the exchange's spelling and depth
        self._feeds: dict[tuple[str, int], BookFeed] = {}
        # when a book of one level was sent last, by topic
        self._sent: dict[str, int] = {}
        # open time of the candle that a topic was sent last, and number of its last trade
        self._shown: dict[str, tuple[int, int]] = {}
        # last trade that a topic of tickers has told of
        self._told: dict[str, int] = {}

    def first(self, topic: Topic, now: int, *, heard: bool) -> list[str]:
        """Return what a new subscriber gets; ``heard`` if the topic had subscribers before."""
        if topic.kind == "orderbook":
            feed = self._feed(topic.frames, int(topic.variant))
            if not heard:
                feed.change()
            self._sent.setdefault(topic.name, now)
            return [topic.frames.book(int(topic.variant), "snapshot", feed.whole(), now)]
        if topic.kind == "tickers":
            day = topic.frames.market.tape.day(now)
            return [] if day is None else [topic.frames.ticker(day, now)]
        if topic.kind == "kline":
            interval = INTERVALS[topic.variant]
            candle = candle_at(topic.frames.market, interval, open_time(interval, now))
            if not heard:
                self._shown[topic.name] = candle.open_time, candle.last_id
            return [topic.frames.kline(topic.variant, candle, now)]
        return []

    def due(self, topic: Topic, now: int) -> list[str]:
        """Return what a topic sends at one of its steps."""
        if topic.kind == "orderbook":
            return self._book(topic, now)
        if topic.kind == "tickers":
            return self._ticker(topic, now)
        return self._candles(topic, now)

    def audited(self, frames: SymbolFrames, *, heard: bool) -> BookState:
        """Return the book that REST shows: that of the deepest stream, as it was sent last.

        Where nobody hears that stream (``heard``), it is as of now.
        """
        feed = self._feed(frames, _AUDITED)
        if not heard:
            feed.change()
        return feed.whole()

    def restart(self, frames: SymbolFrames, depth: int, now: int) -> str:
        """Begin the numbers of a depth anew; return the frame that says so."""
        return frames.book(depth, "snapshot", self._feed(frames, depth).restart(), now)

    def forget(self, frames: SymbolFrames) -> None:
        """Forget the books of a symbol that is listed no longer."""
        for depth in DEPTHS:
            self._feeds.pop((frames.venue, depth), None)

    def _feed(self, frames: SymbolFrames, depth: int) -> BookFeed:
        feed = self._feeds.get((frames.venue, depth))
        if feed is None:
            feed = self._feeds[frames.venue, depth] = BookFeed(frames.market, depth)
        return feed

    def _book(self, topic: Topic, now: int) -> list[str]:
        depth = int(topic.variant)
        feed = self._feed(topic.frames, depth)
        state = feed.change()
        if depth > 1:
            return [] if state is None else [topic.frames.book(depth, "delta", state, now)]
        if state is None and now < self._sent[topic.name] + _REPEAT:
            return []
        self._sent[topic.name] = now
        return [topic.frames.book(depth, "snapshot", feed.whole(), now)]

    def _ticker(self, topic: Topic, now: int) -> list[str]:
        tape = topic.frames.market.tape
        day = tape.day(now)
        last = 0 if tape.last is None else tape.last.id
        if day is None or self._told.get(topic.name) == last:
            return []
        self._told[topic.name] = last
        return [topic.frames.ticker(day, now)]

    def _candles(self, topic: Topic, now: int) -> list[str]:
        interval, market = INTERVALS[topic.variant], topic.frames.market
        opened = open_time(interval, now)
        before = self._shown[topic.name]
        candle = candle_at(market, interval, opened)
        self._shown[topic.name] = opened, candle.last_id
        if before == (opened, candle.last_id):
            return []
        due = [candle]
        if before[0] < opened:
            due.insert(0, candle_at(market, interval, before[0]))
        return [topic.frames.kline(topic.variant, each, now) for each in due]
