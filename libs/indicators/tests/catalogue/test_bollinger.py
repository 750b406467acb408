"""Bollinger's bands, with the exact mean and variance of each window."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from math import sqrt

import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int, deviations: Decimal) -> Iterator[Expected]:
    """Bollinger 2001: mean of the window, bands at population standard deviations."""
    for i in range(len(bars)):
        window = [Fraction(bar.close) for bar in bars[max(0, i + 1 - period) : i + 1]]
        if len(window) < period:
            yield {"upper": None, "middle": None, "lower": None}
            continue
        mean = sum(window, Fraction(0)) / period
        variance = sum(((close - mean) ** 2 for close in window), Fraction(0)) / period
        middle = Decimal(mean.numerator) / Decimal(mean.denominator)
        width = deviations * (Decimal(variance.numerator) / Decimal(variance.denominator)).sqrt()
        yield {"upper": middle + width, "middle": middle, "lower": middle - width}


ORACLES = (
    Oracle(
        "bollinger:20:2",
        lambda bars: reference(bars, 20, Decimal(2)),
        talib=lambda c: dict(
            zip(("upper", "middle", "lower"), talib.BBANDS(c.close, 20, 2, 2), strict=True)
        ),
        talib_differs={
            "spikes": "TA-Lib's running sums keep the rounding error of a term that has left"
        },
    ),
    Oracle("bollinger:5:0.5", lambda bars: reference(bars, 5, Decimal("0.5"))),
)


@settings(deadline=None)
@given(st.lists(st.floats(-1e15, 1e15), min_size=5, max_size=12))
def test_mean_and_variance_are_rounded_once(closes: list[float]) -> None:
    bollinger = parse_choice("bollinger:5:1").create()
    for close in closes:
        bands = bollinger.update(Ohlcv(0, close, close, close, close, 1.0))
    exact = [Fraction(close) for close in closes[-5:]]
    mean = sum(exact) / 5
    variance = sum((close - mean) ** 2 for close in exact) / 5
    middle, width = float(mean), sqrt(float(variance))
    assert {"upper": middle + width, "middle": middle, "lower": middle - width} == bands
