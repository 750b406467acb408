"""SuperTrend, from the final bands of all bars in decimals."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Expected, Oracle
from .series import bars_of
from .test_atr import average_true_ranges

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int, multiplier: int) -> Iterator[Expected]:
    """Pine Script reference, ta.supertrend: the line tells by itself which band it was."""
    uppers: list[Decimal] = []
    lowers: list[Decimal] = []
    lines: list[Decimal] = []
    for i, (bar, average) in enumerate(zip(bars, average_true_ranges(bars, period), strict=True)):
        if average is None:
            yield {"supertrend": None, "direction": None}
            continue
        close, before = Decimal(bar.close), Decimal(bars[i - 1].close)
        middle = (Decimal(bar.high) + Decimal(bar.low)) / 2
        upper, lower = middle + multiplier * average, middle - multiplier * average
        if lines and not (upper < uppers[-1] or before > uppers[-1]):
            upper = uppers[-1]
        if lines and not (lower > lowers[-1] or before < lowers[-1]):
            lower = lowers[-1]
        if not lines:
            up = False
        elif lines[-1] == uppers[-1]:
            up = close > upper
        else:
            up = not close < lower
        uppers.append(upper)
        lowers.append(lower)
        lines.append(lower if up else upper)
        yield {"supertrend": lines[-1], "direction": Decimal(1 if up else -1)}


ORACLES = (
    Oracle("supertrend:10:3", lambda bars: reference(bars, 10, 3), cumulative=True),
    Oracle("supertrend:1:1", lambda bars: reference(bars, 1, 1), cumulative=True),
    Oracle("supertrend:4:2", lambda bars: reference(bars, 4, 2), cumulative=True),
)


def test_a_trend_turns_with_a_close_beyond_the_band() -> None:
    indicator = parse_choice("supertrend:2:1").create()
    closes = [100.0, 100.0, 100.0, 120.0, 121.0, 90.0]
    got = [indicator.update(bar)["direction"] for bar in bars_of(closes)]
    assert got == [None, None, -1.0, 1.0, 1.0, -1.0]


def test_without_width_the_first_trend_is_down_and_stays() -> None:
    indicator = parse_choice("supertrend:3:3").create()
    got = [indicator.update(bar) for bar in bars_of([7.3] * 6, wide=False)]
    assert got[3:] == [{"supertrend": 7.3, "direction": -1.0}] * 3
