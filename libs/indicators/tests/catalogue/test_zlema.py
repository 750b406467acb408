"""The average without half of its lag, by Ehlers and Way."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from collector_indicators.ohlcv import Ohlcv

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Return the average of twice the close less the close half a period ago."""
    closes = [Fraction(bar.close) for bar in bars]
    lag = (period - 1) // 2
    average = Fraction(0)
    for i, close in enumerate(closes):
        if i < lag:
            yield {"zlema": None}
            continue
        value = 2 * close - closes[i - lag]
        seen = i - lag + 1
        if seen <= period:
            average += value / period
        else:
            average += Fraction(2, period + 1) * (value - average)
        yield {"zlema": average if seen >= period else None}


ORACLES = (
    Oracle("zlema:20", lambda bars: reference(bars, 20), cumulative=True),
    Oracle("zlema:2", lambda bars: reference(bars, 2), cumulative=True),
    Oracle("zlema:1", lambda bars: reference(bars, 1), cumulative=True),
    Oracle("zlema:7", lambda bars: reference(bars, 7), cumulative=True),
)
