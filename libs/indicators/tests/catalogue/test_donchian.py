"""Donchian's channels, from the extremes of slices."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import talib

from collector_indicators.ohlcv import Ohlcv

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Return highest high and lowest low of the last n bars with the present one."""
    for i in range(len(bars)):
        if i + 1 < period:
            yield {"upper": None, "middle": None, "lower": None}
            continue
        window = bars[i + 1 - period : i + 1]
        upper = Fraction(max(bar.high for bar in window))
        lower = Fraction(min(bar.low for bar in window))
        yield {"upper": upper, "middle": (upper + lower) / 2, "lower": lower}


ORACLES = (
    Oracle(
        "donchian:20",
        lambda bars: reference(bars, 20),
        talib=lambda c: {
            "upper": talib.MAX(c.high, 20),
            "middle": talib.MIDPRICE(c.high, c.low, 20),
            "lower": talib.MIN(c.low, 20),
        },
    ),
    Oracle("donchian:1", lambda bars: reference(bars, 1)),
    Oracle("donchian:60", lambda bars: reference(bars, 60)),
)
