"""Wilder's average true range, with decimal averages."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import talib

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Expected, Oracle
from .series import bars_of

__all__ = ["ORACLES", "average_true_ranges"]


def average_true_ranges(bars: list[Ohlcv], period: int) -> Iterator[Decimal | None]:
    """Wilder 1978, section III: the greatest of three distances, then his averages."""
    ranges: list[Decimal] = []
    average = Decimal(0)
    for i, bar in enumerate(bars):
        if i:
            high, low, before = Decimal(bar.high), Decimal(bar.low), Decimal(bars[i - 1].close)
            ranges.append(max(high - low, abs(high - before), abs(low - before)))
        if i == period:
            average = sum(ranges, Decimal(0)) / period
        elif i > period:
            average = (average * (period - 1) + ranges[-1]) / period
        yield average if i >= period else None


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Return the averages as values."""
    for average in average_true_ranges(bars, period):
        yield {"atr": average}


ORACLES = (
    Oracle(
        "atr:14",
        lambda bars: reference(bars, 14),
        talib=lambda c: {"atr": talib.ATR(c.high, c.low, c.close, 14)},
        cumulative=True,
    ),
    Oracle("atr:1", lambda bars: reference(bars, 1)),
    Oracle("atr:5", lambda bars: reference(bars, 5), cumulative=True),
)


def test_atr_of_bars_without_width_is_zero() -> None:
    indicator = parse_choice("atr:14").create()
    got = [indicator.update(bar)["atr"] for bar in bars_of([7.3] * 20, wide=False)]
    assert got == [None] * 14 + [0.0] * 6
