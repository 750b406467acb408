"""The candles of one connection: closed once, in order, those of the stream and of the history."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from collector_core.candles import CandleCloser
from collector_core.events import Candle, Event
from collector_feed.outputs import Subscription

__all__ = ["CandleStreams"]

_HELD: Final = 1_000
"""Candles of the stream that wait for a history; past it they go first."""


class CandleStreams:
    """Takes candles as they come and gives the rows to publish.

    Args:
        flagged: the exchange says which candles are closed; else time and newer ones do.
        seeds: by symbol and interval the end of the last closed candle that is on the bus.
    """

    def __init__(self, *, flagged: bool, seeds: dict[tuple[str, str], int] | None = None) -> None:
        self._closer = None if flagged else CandleCloser()
        # (symbol, interval) -> end of the last closed candle published
        self._last: dict[tuple[str, str], int] = {} if seeds is None else seeds
        # candles of the stream that wait for a history
        self._held: dict[tuple[str, str], list[Candle]] = {}
        # candles fetched and published
        self.filled = 0

    def take(self, candle: Candle, out: list[Event]) -> None:
        """Take a candle of the stream; append the rows that follow to ``out``."""
        series = candle.symbol, candle.interval
        held = self._held.get(series)
        if held is not None:
            held.append(candle)
            if len(held) > _HELD:
                self.release(Subscription("candle", *series), out)
        elif self._closer is None:
            self._publish(candle, out)
        else:
            for row in self._closer.feed(candle):
                self._publish(row, out)

    def add(self, wanted: Subscription, rows: Iterable[Candle], out: list[Event]) -> bool:
        """Take closed candles of the history, oldest first; tell whether one was new."""
        series = wanted.symbol, wanted.interval
        new = False
        for row in rows:
            if row.open_time >= self._last.get(series, 0):
                new = True
                self.filled += 1
                self._publish(row if row.backfilled else replace(row, backfilled=True), out)
        return new

    def hold(self, wanted: Subscription) -> None:
        """Let the candles of a stream wait for its history."""
        self._held.setdefault((wanted.symbol, wanted.interval), [])

    def release(self, wanted: Subscription, out: list[Event]) -> None:
        """Wait no longer; append what waited to ``out``."""
        for candle in self._held.pop((wanted.symbol, wanted.interval), ()):
            if candle.open_time >= self._last.get((wanted.symbol, wanted.interval), 0):
                self.take(candle, out)

    def last(self, wanted: Subscription) -> int | None:
        """Return the end of a series' last closed candle on the bus, None if there is none."""
        return self._last.get((wanted.symbol, wanted.interval))

    def is_new(self, candle: Candle) -> bool:
        """Tell whether a candle is not of a time that is closed on the bus."""
        return candle.open_time >= self._last.get((candle.symbol, candle.interval), 0)

    def on_time(self, wall: int) -> list[Event]:
        """Return the candles that time alone has closed."""
        out: list[Event] = []
        if self._closer is not None:
            for row in self._closer.on_time(wall):
                self._publish(row, out)
        return out

    def interrupted(self) -> None:
        """The connection is gone; what waited is part of the history to come."""
        self._held.clear()
        if self._closer is not None:
            self._closer.interrupted()

    def forget(self, symbol: str) -> None:
        """A symbol's candles are wanted no longer; where they ended stays known."""
        for series in [s for s in self._held if s[0] == symbol]:
            del self._held[series]
        if self._closer is not None:
            self._closer.forget(symbol)

    def _publish(self, row: Candle, out: list[Event]) -> None:
        if row.closed:
            series = row.symbol, row.interval
            self._last[series] = max(row.close_time, self._last.get(series, 0))
        out.append(row)
