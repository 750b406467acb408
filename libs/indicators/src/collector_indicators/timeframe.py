"""The grid of an interval: which bar holds a time, where it ends, and its number."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from collector_core import intervals

__all__ = ["Timeframe"]

_MICRO: Final = 1_000_000


class Timeframe:
    """One interval's bars as ``collector_core.intervals`` aligns them; times in microseconds.

    Raises:
        SettingsError: not an interval.
    """

    __slots__ = ("_origin", "_step", "interval")

    def __init__(self, interval: str) -> None:
        self.interval = interval
        # None for the month, whose length varies
        self._step = intervals.length(interval)
        self._origin = intervals.open_time(interval, 0)

    def open_of(self, time: int) -> int:
        """Return when the bar that holds ``time`` opens."""
        if self._step is None:
            return intervals.open_time(self.interval, time)
        return (time - self._origin) // self._step * self._step + self._origin

    def end_of(self, opened: int) -> int:
        """Return the exclusive end of the bar that opens at ``opened``."""
        if self._step is None:
            return intervals.close_time(self.interval, opened)
        return opened + self._step

    def back(self, opened: int, bars: int) -> int:
        """Return when the bar opens that is ``bars`` before the one that opens at ``opened``."""
        if self._step is None:
            for _ in range(bars):
                opened = intervals.open_time(self.interval, opened - 1)
            return opened
        return opened - bars * self._step

    def ordinal(self, opened: int) -> int:
        """Return the number of a bar: intervals since the epoch, for the month calendar months."""
        if self._step is None:
            moment = datetime.fromtimestamp(opened // _MICRO, UTC)
            return (moment.year - 1970) * 12 + moment.month - 1
        return opened // self._step
