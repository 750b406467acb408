"""Volumes and their mean."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import talib

from collector_indicators.ohlcv import Ohlcv

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Return the volume and the mean of the last ones."""
    for i, bar in enumerate(bars):
        window = [Fraction(b.volume) for b in bars[max(0, i + 1 - period) : i + 1]]
        average = sum(window, Fraction(0)) / period if len(window) == period else None
        yield {"volume": Fraction(bar.volume), "average": average}


ORACLES = (
    Oracle(
        "volume:20",
        lambda bars: reference(bars, 20),
        talib=lambda c: {"average": talib.SMA(c.volume, 20)},
        inputs=("volume",),
    ),
    Oracle("volume:1", lambda bars: reference(bars, 1), inputs=("volume",)),
)
