"""The weighted moving average, as a sum of weighted closes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import talib

from collector_indicators.ohlcv import Ohlcv

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Murphy: weights 1 to n, the last close with the largest, by the sum of the weights."""
    weights = range(1, period + 1)
    for end in range(1, len(bars) + 1):
        window = [Fraction(bar.close) for bar in bars[max(0, end - period) : end]]
        if len(window) < period:
            yield {"wma": None}
        else:
            weighted = sum((w * c for w, c in zip(weights, window, strict=True)), Fraction(0))
            yield {"wma": weighted / sum(weights)}


ORACLES = (
    Oracle(
        "wma:20",
        lambda bars: reference(bars, 20),
        talib=lambda c: {"wma": talib.WMA(c.close, 20)},
        talib_differs={
            "spikes": "TA-Lib's running sums keep the rounding error of a term that has left"
        },
    ),
    Oracle("wma:1", lambda bars: reference(bars, 1)),
    Oracle("wma:5", lambda bars: reference(bars, 5)),
)
