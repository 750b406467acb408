"""The exponential moving average, from Brown's recursion with the plain mean as seed."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import talib

from collector_indicators.ohlcv import Ohlcv

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Return the mean of the first n closes, then average + 2 / (n + 1) * (close - average)."""
    average = Fraction(0)
    for i, bar in enumerate(bars):
        if i < period:
            average += Fraction(bar.close) / period
        else:
            average += Fraction(2, period + 1) * (Fraction(bar.close) - average)
        yield {"ema": average if i + 1 >= period else None}


ORACLES = (
    Oracle(
        "ema:20",
        lambda bars: reference(bars, 20),
        talib=lambda c: {"ema": talib.EMA(c.close, 20)},
        cumulative=True,
    ),
    Oracle("ema:1", lambda bars: reference(bars, 1)),
)
