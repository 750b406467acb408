"""Lane's slow stochastic, from the extremes of slices and means of rational numbers."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest
import talib

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Expected, Oracle
from .series import bars_of, walk

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int, smoothing: int, signal: int) -> Iterator[Expected]:
    """Return means of 100 * (close - lowest) / (highest - lowest), and means of those."""
    fast: list[Fraction] = []
    slow: list[Fraction] = []
    for i, bar in enumerate(bars):
        if i + 1 >= period:
            window = bars[i + 1 - period : i + 1]
            lowest = Fraction(min(one.low for one in window))
            width = Fraction(max(one.high for one in window)) - lowest
            fast.append(100 * (Fraction(bar.close) - lowest) / width if width else Fraction(0))
        if len(fast) >= smoothing:
            slow.append(sum(fast[-smoothing:], Fraction(0)) / smoothing)
        yield {
            "k": slow[-1] if slow else None,
            "d": sum(slow[-signal:], Fraction(0)) / signal if len(slow) >= signal else None,
        }


ORACLES = (
    Oracle(
        "stochastic:14:3:3",
        lambda bars: reference(bars, 14, 3, 3),
        # simple averages are what TA-Lib smooths with unless told otherwise
        talib=lambda c: dict(
            zip(
                ("k", "d"),
                talib.STOCH(c.high, c.low, c.close, 14, slowk_period=3, slowd_period=3),
                strict=True,
            )
        ),
        scale=100.0,
    ),
    Oracle("stochastic:5:1:1", lambda bars: reference(bars, 5, 1, 1), scale=100.0),
    Oracle("stochastic:2:5:4", lambda bars: reference(bars, 2, 5, 4), scale=100.0),
)


def test_a_window_without_range_is_zero_as_in_talib() -> None:
    indicator = parse_choice("stochastic:3:2:2").create()
    got = [indicator.update(bar) for bar in bars_of([7.3] * 5, wide=False)]
    assert got[2:] == [{"k": None, "d": None}, {"k": 0.0, "d": None}, {"k": 0.0, "d": 0.0}]


@pytest.mark.parametrize(("close", "expected"), [(1e99, 100.0), (-1e99, 0.0)])
def test_a_close_outside_of_its_bar_counts_as_the_end(close: float, expected: float) -> None:
    indicator = parse_choice("stochastic:1:1:1").create()
    got = indicator.update(Ohlcv(0, 1.0, 5e-324, 0.0, close, 1.0))
    assert got == {"k": expected, "d": expected}


def test_means_do_not_drift() -> None:
    # after any history a window of positions of 100 gives exactly 100
    indicator = parse_choice("stochastic:5:7:3").create()
    for bar in bars_of(walk(12, 20_000, 100.0, 1.0)):
        indicator.update(bar)
    for close in range(1_000, 1_020):
        values = indicator.update(Ohlcv(0, close, close, close, close, 1.0))
    assert values == {"k": 100.0, "d": 100.0}


def test_the_largest_windows_have_a_state() -> None:
    indicator = parse_choice("stochastic:1:10000:3").create()
    bar = Ohlcv(0, 1.0, 2.0, 0.0, 2.0, 1.0)
    for _ in range(10_002):
        values = indicator.update(bar)
    assert values == {"k": 100.0, "d": 100.0}
    assert indicator.copy().update(bar) == values
