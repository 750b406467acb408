"""The moving average envelope, as a mean and parts of it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from collector_indicators.ohlcv import Ohlcv

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int, percent: Fraction) -> Iterator[Expected]:
    """Murphy: the mean of the window, and lines at a percentage of it."""
    closes = [Fraction(bar.close) for bar in bars]
    for end in range(1, len(bars) + 1):
        if end < period:
            yield {"upper": None, "middle": None, "lower": None}
            continue
        mean = sum(closes[end - period : end], Fraction(0)) / period
        yield {
            "upper": mean * (100 + percent) / 100,
            "middle": mean,
            "lower": mean * (100 - percent) / 100,
        }


ORACLES = (
    Oracle("envelope:20:2.5", lambda bars: reference(bars, 20, Fraction(5, 2))),
    Oracle("envelope:1:100", lambda bars: reference(bars, 1, Fraction(100))),
    Oracle("envelope:6:0.1", lambda bars: reference(bars, 6, Fraction(1, 10))),
)
