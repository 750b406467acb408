"""Chaikin's accumulation/distribution line."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import talib

from collector_indicators.ohlcv import Ohlcv

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv]) -> Iterator[Expected]:
    """Return the sum of what each bar adds, exact."""
    total = Fraction(0)
    for i, bar in enumerate(bars):
        total += term(bar, bars[i - 1] if i else None)
        yield {"adl": total}


def term(bar: Ohlcv, before: Ohlcv | None) -> Fraction:
    """Return what a bar adds."""
    del before
    high, low, close = Fraction(bar.high), Fraction(bar.low), Fraction(bar.close)
    if high == low:
        return Fraction(0)
    return ((close - low) - (high - close)) / (high - low) * Fraction(bar.volume)


ORACLES = (
    Oracle(
        "adl",
        reference,
        talib=lambda c: {"adl": talib.AD(c.high, c.low, c.close, c.volume)},
        inputs=("volume",),
        cumulative=True,
    ),
)
