"""Momentum, as the difference of two closes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import talib

from collector_indicators.ohlcv import Ohlcv

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Murphy: the close less that n bars ago."""
    for i, bar in enumerate(bars):
        if i < period:
            yield {"momentum": None}
        else:
            yield {"momentum": Fraction(bar.close) - Fraction(bars[i - period].close)}


ORACLES = (
    Oracle(
        "momentum:10",
        lambda bars: reference(bars, 10),
        talib=lambda c: {"momentum": talib.MOM(c.close, 10)},
    ),
    Oracle("momentum:1", lambda bars: reference(bars, 1)),
)
