"""Keltner's channels in Raschke's form, from decimal averages."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import talib

from collector_indicators.ohlcv import Ohlcv

from .oracle import Array, Columns, Expected, Oracle
from .test_atr import average_true_ranges

__all__ = ["ORACLES"]


def reference(
    bars: list[Ohlcv], period: int, range_period: int, multiplier: int
) -> Iterator[Expected]:
    """Return the exponential average of the close, and bands in average true ranges."""
    weight = Decimal(2) / (period + 1)
    closes: list[Decimal] = []
    middle: Decimal | None = None
    for bar, average in zip(bars, average_true_ranges(bars, range_period), strict=True):
        closes.append(Decimal(bar.close))
        if middle is not None:
            middle = weight * closes[-1] + (1 - weight) * middle
        elif len(closes) == period:
            middle = sum(closes, Decimal(0)) / period
        if middle is None or average is None:
            yield {"upper": None, "middle": middle, "lower": None}
        else:
            away = multiplier * average
            yield {"upper": middle + away, "middle": middle, "lower": middle - away}


def by_talib(c: Columns) -> dict[str, Array]:
    """Return bands made of TA-Lib's averages."""
    middle = talib.EMA(c.close, 20)
    away = 2 * talib.ATR(c.high, c.low, c.close, 10)
    return {"upper": middle + away, "middle": middle, "lower": middle - away}


ORACLES = (
    Oracle(
        "keltner:20:10:2",
        lambda bars: reference(bars, 20, 10, 2),
        talib=by_talib,
        cumulative=True,
    ),
    Oracle("keltner:3:7:1", lambda bars: reference(bars, 3, 7, 1), cumulative=True),
    Oracle("keltner:1:1:1", lambda bars: reference(bars, 1, 1, 1), cumulative=True),
)
