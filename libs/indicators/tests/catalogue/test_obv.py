"""Granville's on balance volume."""

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
        yield {"obv": total}


def term(bar: Ohlcv, before: Ohlcv | None) -> Fraction:
    """Return what a bar adds."""
    if before is None or bar.close > before.close:
        return Fraction(bar.volume)
    return -Fraction(bar.volume) if bar.close < before.close else Fraction(0)


ORACLES = (
    Oracle(
        "obv",
        reference,
        talib=lambda c: {"obv": talib.OBV(c.close, c.volume)},
        inputs=("volume",),
        cumulative=True,
    ),
)
