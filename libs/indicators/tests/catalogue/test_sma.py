"""The simple moving average, as the mean of each window."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import talib

from collector_indicators.ohlcv import Ohlcv

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Return the mean of the last n closes."""
    closes = [Fraction(bar.close) for bar in bars]
    for end in range(1, len(bars) + 1):
        if end < period:
            yield {"sma": None}
        else:
            yield {"sma": sum(closes[end - period : end], Fraction(0)) / period}


ORACLES = (
    Oracle(
        "sma:20",
        lambda bars: reference(bars, 20),
        talib=lambda c: {"sma": talib.SMA(c.close, 20)},
        talib_differs={
            "spikes": "TA-Lib's running sums keep the rounding error of a term that has left"
        },
    ),
    Oracle("sma:1", lambda bars: reference(bars, 1)),
    Oracle("sma:7", lambda bars: reference(bars, 7)),
)
