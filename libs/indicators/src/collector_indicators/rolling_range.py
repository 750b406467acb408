"""Highest high and lowest low of the last bars, however many, at a constant cost a bar.

Source: D. Lemire, Streaming Maximum-Minimum Filter Using No More than Three Comparisons per
Element, Nordic Journal of Computing 13 (2006): of the window only those bars are kept that may yet
become its extreme, so that the kept highs fall and the kept lows rise.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

__all__ = ["RollingRange"]

_KEPT_AHEAD = 16

_Extremes: TypeAlias = tuple[float, int, float, int]


class RollingRange(msgspec.Struct):
    """The candidates for the extremes of a window; part of an indicator's state.

    Of equal extremes the latest counts. While fewer bars than the window's came, the extremes are
    those of all. A bar is kept once and left out once, so the cost is constant on average over any
    bars, and each list has at most twice as many places as the window has bars. The window's
    length is an argument, always the same, since an indicator's parameters say it already.
    """

    bar: int = 0
    """Number of the last bar, counted from 1."""
    highs: list[float] = []
    """Falling from ``first_high`` on; what stands before has left the window."""
    high_bars: list[int] = []
    """Their numbers."""
    first_high: int = 0
    lows: list[float] = []
    """Rising from ``first_low`` on."""
    low_bars: list[int] = []
    first_low: int = 0

    def update(self, high: float, low: float, length: int) -> tuple[float, float]:
        """Take a bar and return the highest and the lowest over the last ``length`` bars."""
        self.bar = bar = self.bar + 1
        values, first = self.highs, self.first_high
        if bar == 1 or high >= values[first]:
            # no other can be the highest any more
            self.highs, self.high_bars, self.first_high = [high], [bar], 0
            highest = high
        else:
            bars = self.high_bars
            # ends at the first, which is higher
            while values[-1] <= high:
                del values[-1], bars[-1]
            values.append(high)
            bars.append(bar)
            if bars[first] == bar - length:
                first += 1
                if first > _KEPT_AHEAD and 2 * first > len(values):
                    # at least as many have left since as are moved now
                    del values[:first], bars[:first]
                    first = 0
                self.first_high = first
            highest = values[first]
        values, first = self.lows, self.first_low
        if bar == 1 or low <= values[first]:
            self.lows, self.low_bars, self.first_low = [low], [bar], 0
            return highest, low
        bars = self.low_bars
        while values[-1] >= low:
            del values[-1], bars[-1]
        values.append(low)
        bars.append(bar)
        if bars[first] == bar - length:
            first += 1
            if first > _KEPT_AHEAD and 2 * first > len(values):
                del values[:first], bars[:first]
                first = 0
            self.first_low = first
        return highest, values[first]

    def peek(self, high: float, low: float, length: int) -> _Extremes:
        """Return highest, bars since, lowest, bars since if a bar came now; change nothing."""
        gone = self.bar + 1 - length
        highest, since_high = high, 0
        # one at most leaves with a bar
        for i in range(self.first_high, min(self.first_high + 2, len(self.highs))):
            if self.high_bars[i] > gone:
                if self.highs[i] > high:
                    highest, since_high = self.highs[i], self.bar + 1 - self.high_bars[i]
                break
        lowest, since_low = low, 0
        for i in range(self.first_low, min(self.first_low + 2, len(self.lows))):
            if self.low_bars[i] > gone:
                if self.lows[i] < low:
                    lowest, since_low = self.lows[i], self.bar + 1 - self.low_bars[i]
                break
        return highest, since_high, lowest, since_low

    def ages(self) -> tuple[int, int]:
        """Return how many bars ago the highest and the lowest were; not before a first bar."""
        bar = self.bar
        return bar - self.high_bars[self.first_high], bar - self.low_bars[self.first_low]
