"""Williams %R, from the extremes of slices."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest
import talib

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Expected, Oracle
from .series import bars_of

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Return -100 * (highest - close) / (highest - lowest); 0/0 is 0 as in TA-Lib."""
    for i, bar in enumerate(bars):
        window = bars[i + 1 - period : i + 1]
        if i + 1 < period:
            yield {"williams_r": None}
            continue
        highest = Fraction(max(one.high for one in window))
        width = highest - Fraction(min(one.low for one in window))
        below = highest - Fraction(bar.close)
        yield {"williams_r": -100 * below / width if width else Fraction(0)}


ORACLES = (
    Oracle(
        "williams_r:14",
        lambda bars: reference(bars, 14),
        talib=lambda c: {"williams_r": talib.WILLR(c.high, c.low, c.close, 14)},
        scale=100.0,
    ),
    Oracle("williams_r:2", lambda bars: reference(bars, 2), scale=100.0),
)


def test_a_window_without_range_is_zero_as_in_talib() -> None:
    indicator = parse_choice("williams_r:3").create()
    got = [indicator.update(bar)["williams_r"] for bar in bars_of([7.3] * 4, wide=False)]
    assert got == [None, None, 0.0, 0.0]


@pytest.mark.parametrize(("close", "expected"), [(1e99, 0.0), (-1e99, -100.0)])
def test_a_close_outside_of_its_bar_counts_as_the_end(close: float, expected: float) -> None:
    indicator = parse_choice("williams_r:1").create()
    got = indicator.update(Ohlcv(0, 1.0, 5e-324, 0.0, close, 1.0))
    assert got == {"williams_r": expected}
