"""Candles of a symbol's trades, for every interval at once.

A trade is folded into the candle of its second alone; a second that is over is merged into the
longer candles. So a trade costs the same however many intervals there are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Final

import msgspec

from collector_core.errors import SettingsError
from collector_core.intervals import close_time, open_time
from collector_testkit.market.events import Trade

__all__ = ["INTERVALS", "Candle", "Candles"]

_SECOND: Final = 1_000_000
INTERVALS: Final = (
    *("1s", "1m", "3m", "5m", "10m", "15m", "30m"),
    *("1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"),
)
"""Intervals that the exchanges publish; each holds whole seconds."""


class Candle(msgspec.Struct, gc=False):
    """The trades of one interval. Times in microseconds, prices in ticks, amounts in lots."""

    open_time: int
    end: int
    """Exclusive."""
    open: int
    high: int
    low: int
    close: int
    volume: int
    quote: int
    """Sum of price times amount, in ticks times lots."""
    count: int
    first_id: int
    last_id: int
    buy_volume: int
    buy_quote: int
    last_time: int

    def merge(self, later: Candle) -> None:
        """Add a candle that follows within the same interval."""
        self.high = max(self.high, later.high)
        self.low = min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.quote += later.quote
        self.count += later.count
        self.last_id = later.last_id
        self.buy_volume += later.buy_volume
        self.buy_quote += later.buy_quote
        self.last_time = later.last_time

    def within(self, interval: str) -> Candle:
        """Return a copy that stands for the longer interval it lies in."""
        opened = open_time(interval, self.open_time)
        copy = msgspec.structs.replace(self)
        copy.open_time = opened
        copy.end = close_time(interval, opened)
        return copy


class Candles:
    """The newest candles of each interval; only intervals with trades have one.

    Args:
        keep: closed candles kept of each interval.
        on_minute: told of each closed candle of one minute.
    """

    def __init__(self, keep: int = 3600, on_minute: Callable[[Candle], None] | None = None) -> None:
        self._keep = keep
        self._on_minute = on_minute
        self._second: Candle | None = None
        # closed candles by interval, oldest first
        self._closed: dict[str, list[Candle]] = {interval: [] for interval in INTERVALS}
        # the open candle of each longer interval, without the open second
        self._open: dict[str, Candle] = {}

    def add(self, trade: Trade) -> None:
        """Fold a trade; trades come in the order of their times."""
        second = self._second
        price, amount = trade.price, trade.amount
        value = price * amount
        if second is None or trade.time >= second.end:
            opened = trade.time - trade.time % _SECOND
            if second is not None:
                self._close_second(second, opened)
            taken = (amount, value) if trade.side == "buy" else (0, 0)
            self._second = Candle(
                opened, opened + _SECOND, price, price, price, price, amount, value, 1,
                trade.id, trade.id, *taken, trade.time,
            )  # fmt: skip
            return
        if price > second.high:
            second.high = price
        elif price < second.low:
            second.low = price
        second.close = price
        second.volume += amount
        second.quote += value
        second.count += 1
        second.last_id = trade.id
        second.last_time = trade.time
        if trade.side == "buy":
            second.buy_volume += amount
            second.buy_quote += value

    def latest(self, interval: str) -> Candle | None:
        """Return the candle of the last trade, open or not, or None before the first trade."""
        second = self._second
        if second is None or interval == "1s":
            return second
        held = self._open.get(interval)
        if held is None:
            return second.within(interval)
        live = msgspec.structs.replace(held)
        live.merge(second)
        return live

    def range(
        self, interval: str, start: int | None = None, end: int | None = None
    ) -> list[Candle]:
        """Return the candles with an open time in [start, end), oldest first.

        Raises:
            SettingsError: the interval is none of ``INTERVALS``.
        """
        if interval not in self._closed:
            raise SettingsError(f"expected one of {', '.join(INTERVALS)}, was {interval!r}")
        rows = self._closed[interval]
        low = 0 if start is None else bisect_left(rows, start, key=_open_time)
        high = len(rows) if end is None else bisect_left(rows, end, key=_open_time)
        found = rows[low:high]
        live = self.latest(interval)
        if (
            live is not None
            and (start is None or live.open_time >= start)
            and (end is None or live.open_time < end)
        ):
            found.append(live)
        return found

    def last_before(self, interval: str, time: int) -> Candle | None:
        """Return the last candle that opened before ``time``."""
        live = self.latest(interval)
        if live is not None and live.open_time < time:
            return live
        rows = self._closed[interval]
        place = bisect_left(rows, time, key=_open_time)
        return rows[place - 1] if place else None

    def _close_second(self, second: Candle, now: int) -> None:
        self._append("1s", second)
        for interval in INTERVALS[1:]:
            held = self._open.get(interval)
            if held is None:
                held = self._open[interval] = second.within(interval)
            else:
                held.merge(second)
            if held.end <= now:
                del self._open[interval]
                self._append(interval, held)
                if interval == "1m" and self._on_minute is not None:
                    self._on_minute(held)

    def _append(self, interval: str, candle: Candle) -> None:
        rows = self._closed[interval]
        rows.append(candle)
        if len(rows) > self._keep + self._keep // 2:
            del rows[: -self._keep]


def _open_time(candle: Candle) -> int:
    return candle.open_time
