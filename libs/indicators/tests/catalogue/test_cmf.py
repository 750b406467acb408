"""Chaikin's money flow."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from collector_indicators.ohlcv import Ohlcv

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Return money flow volume by volume of the window."""
    for i in range(len(bars)):
        window = bars[max(0, i + 1 - period) : i + 1]
        volume = sum((Fraction(bar.volume) for bar in window), Fraction(0))
        if len(window) < period or not volume:
            yield {"cmf": None}
            continue
        yield {"cmf": sum((flow(bar) for bar in window), Fraction(0)) / volume}


def flow(bar: Ohlcv) -> Fraction:
    """Return the volume with the sign of where it closed."""
    high, low, close = Fraction(bar.high), Fraction(bar.low), Fraction(bar.close)
    if high == low:
        return Fraction(0)
    return (2 * close - low - high) / (high - low) * Fraction(bar.volume)


ORACLES = (
    Oracle("cmf:20", lambda bars: reference(bars, 20), scale=1),
    Oracle("cmf:1", lambda bars: reference(bars, 1), scale=1),
)
