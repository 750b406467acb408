"""An average of averages, by Mulloy."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import talib

from collector_indicators.ohlcv import Ohlcv

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def average(values: list[Fraction], period: int) -> list[Fraction]:
    """Return Brown's recursion over values, from the mean of the first n on."""
    if len(values) < period:
        return []
    found = [sum(values[:period], Fraction(0)) / period]
    for value in values[period:]:
        # digits far beyond those that count: exact fractions would grow without end
        following = found[-1] + Fraction(2, period + 1) * (value - found[-1])
        found.append(Fraction(round(following * 10**60), 10**60))
    return found


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Return Mulloy's combination of averages of averages."""
    closes = [Fraction(bar.close) for bar in bars]
    one = average(closes, period)
    two = average(one, period)
    for i in range(len(bars)):
        if i < 2 * (period - 1):
            yield {"dema": None}
        else:
            yield {"dema": 2 * one[i - 1 * (period - 1)] - two[i - 2 * (period - 1)]}


ORACLES = (
    Oracle(
        "dema:20",
        lambda bars: reference(bars, 20),
        talib=lambda c: {"dema": talib.DEMA(c.close, 20)},
        cumulative=True,
    ),
    Oracle("dema:3", lambda bars: reference(bars, 3), cumulative=True),
    Oracle("dema:1", lambda bars: reference(bars, 1), cumulative=True),
)
