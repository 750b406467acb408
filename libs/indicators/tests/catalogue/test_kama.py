"""Kaufman's adaptive average, in decimals."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

import talib

from collector_indicators.ohlcv import Ohlcv

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int, fast: int, slow: int) -> Iterator[Expected]:
    """Return Kaufman's recursion from the close before the first value on."""
    closes = [Decimal(bar.close) for bar in bars]
    fastest, slowest = Decimal(2) / (fast + 1), Decimal(2) / (slow + 1)
    average = Decimal(0)
    for i, close in enumerate(closes):
        if i < period:
            average = close
            yield {"kama": None}
            continue
        window = closes[i - period : i + 1]
        way = sum((abs(b - a) for a, b in pairwise(window)), Decimal(0))
        ratio = abs(close - window[0]) / way if way else Decimal(1)
        average += (ratio * (fastest - slowest) + slowest) ** 2 * (close - average)
        yield {"kama": average}


ORACLES = (
    Oracle(
        "kama:10:2:30",
        lambda bars: reference(bars, 10, 2, 30),
        talib=lambda c: {"kama": talib.KAMA(c.close, 10)},
        talib_differs={
            "spikes": "TA-Lib's running sums keep the rounding error of a term that has left"
        },
        cumulative=True,
    ),
    Oracle("kama:2:3:5", lambda bars: reference(bars, 2, 3, 5), cumulative=True),
)
