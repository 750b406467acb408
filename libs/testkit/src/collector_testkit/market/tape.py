"""What a market remembers of a symbol: its newest trades, candles and the last 24 hours."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from typing import Final, NamedTuple

from collector_testkit.market.candles import Candle, Candles
from collector_testkit.market.events import Trade

__all__ = ["DayWindow", "Tape", "WindowFigures"]

_DAY: Final = 86_400_000_000


class WindowFigures(NamedTuple):
    """Figures of the last 24 hours; prices in ticks, amounts in lots."""

    start: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    quote: int
    trades: int
    first_id: int
    last_id: int
    previous: int
    """Price of the last trade before the window; the opening price when there was none."""


class DayWindow:
    """The last 24 hours, to the minute: a minute leaves the window as a whole."""

    def __init__(self) -> None:
        self._minutes: deque[Candle] = deque()
        self._volume = 0
        self._quote = 0
        self._count = 0
        self._high = 0
        self._low = 0
        self._previous: int | None = None

    def add(self, minute: Candle) -> None:
        """Take a closed minute."""
        self._minutes.append(minute)
        self._volume += minute.volume
        self._quote += minute.quote
        self._count += minute.count
        if len(self._minutes) == 1:
            self._high, self._low = minute.high, minute.low
        else:
            self._high, self._low = max(self._high, minute.high), min(self._low, minute.low)

    def figures(self, now: int, live: Candle) -> WindowFigures:
        """Return the figures of [now - 24 h, now); ``live`` is the minute that is still open."""
        minutes = self._minutes
        while minutes and minutes[0].end <= now - _DAY:
            self._leave(minutes.popleft())
        first = minutes[0] if minutes else live
        return WindowFigures(
            start=max(now - _DAY, first.open_time),
            open=first.open,
            high=max(self._high, live.high) if minutes else live.high,
            low=min(self._low, live.low) if minutes else live.low,
            close=live.close,
            volume=self._volume + live.volume,
            quote=self._quote + live.quote,
            trades=self._count + live.count,
            first_id=first.first_id,
            last_id=live.last_id,
            previous=first.open if self._previous is None else self._previous,
        )

    def _leave(self, minute: Candle) -> None:
        self._volume -= minute.volume
        self._quote -= minute.quote
        self._count -= minute.count
        self._previous = minute.close
        if self._minutes and minute.high == self._high:
            self._high = max(row.high for row in self._minutes)
        if self._minutes and minute.low == self._low:
            self._low = min(row.low for row in self._minutes)


class Tape:
    """Trades and candles of one symbol.

    Args:
        keep: trades kept at least, and at most half as many more.
    """

    def __init__(self, keep: int = 50_000) -> None:
        self._keep = keep
        self._trades: list[Trade] = []
        self._window = DayWindow()
        self.candles = Candles(on_minute=self._window.add)

    def add(self, trade: Trade) -> None:
        """Take the next trade."""
        self._trades.append(trade)
        self.candles.add(trade)
        if len(self._trades) > self._keep + self._keep // 2:
            del self._trades[: -self._keep]

    @property
    def last(self) -> Trade | None:
        """The newest trade, or None before the first one."""
        return self._trades[-1] if self._trades else None

    def newest(self, count: int) -> list[Trade]:
        """Return at most ``count`` of the newest trades, oldest first."""
        return self._trades[-count:] if count > 0 else []

    def since(self, trade_id: int, count: int | None = None) -> list[Trade]:
        """Return at most ``count`` trades with this id or a later one, oldest first."""
        if not self._trades:
            return []
        start = max(0, trade_id - self._trades[0].id)
        return self._trades[start : None if count is None else start + count]

    def between(self, start: int, end: int) -> list[Trade]:
        """Return the trades with a time in [start, end), oldest first."""
        low = bisect_left(self._trades, start, key=_time)
        return self._trades[low : bisect_left(self._trades, end, key=_time)]

    def day(self, now: int) -> WindowFigures | None:
        """Return the figures of the last 24 hours, or None before the first trade."""
        live = self.candles.latest("1m")
        return None if live is None else self._window.figures(now, live)


def _time(trade: Trade) -> int:
    return trade.time
