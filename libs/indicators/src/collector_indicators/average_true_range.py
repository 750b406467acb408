"""Wilder's average true range, for those indicators that measure in it.

Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978), section III; seed as
TA-Lib (TA_ATR): the plain mean of the first n true ranges, of which the first is that of the second
bar; later ones are (previous * (n - 1) + present) / n.
"""

from __future__ import annotations

import msgspec

from collector_indicators.ohlcv import Ohlcv

__all__ = ["AverageTrueRange"]


class AverageTrueRange(msgspec.Struct):
    """The average over ``period`` true ranges; part of an indicator's state.

    The period is an argument, always the same, since an indicator's parameters say it already.
    No term is negative and each step shrinks the error of the one before along with its value, so
    the relative error stays at a few units of the last place, however many bars pass.
    """

    bars: int = 0
    """Bars seen, counted up to one more than the period."""
    close: float = 0.0
    """Of the bar before."""
    average: float = 0.0
    """Sum while seeding, then the average."""

    def update(self, bar: Ohlcv, period: int) -> float | None:
        """Take a closed bar and return the average over it; None while seeding."""
        high, low, close = bar.high, bar.low, self.close
        self.close = bar.close
        if close > high:
            high = close
        if close < low:
            low = close
        if self.bars > period:
            self.average = average = (self.average * (period - 1) + (high - low)) / period
            return average
        self.bars += 1
        if self.bars == 1:
            return None
        self.average += high - low
        if self.bars <= period:
            return None
        self.average /= period
        return self.average

    def peek(self, bar: Ohlcv, period: int) -> float | None:
        """Return what ``update`` would return, and change nothing."""
        if self.bars < period:
            return None
        true_range = max(bar.high, self.close) - min(bar.low, self.close)
        if self.bars > period:
            return (self.average * (period - 1) + true_range) / period
        return (self.average + true_range) / period
