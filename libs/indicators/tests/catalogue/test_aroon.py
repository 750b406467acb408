"""Chande's Aroon, from the places of extremes in slices."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import talib

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Expected, Oracle
from .series import bars_of

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Return 100 * (n - bars since the extreme) / n over n + 1 bars; the latest of equals."""
    for i in range(len(bars)):
        if i < period:
            yield {"up": None, "down": None, "oscillator": None}
            continue
        back = [bars[i - age] for age in range(period + 1)]
        since_high = min(range(period + 1), key=lambda age: (-back[age].high, age))
        since_low = min(range(period + 1), key=lambda age: (back[age].low, age))
        up = Fraction(100 * (period - since_high), period)
        down = Fraction(100 * (period - since_low), period)
        yield {"up": up, "down": down, "oscillator": up - down}


ORACLES = (
    Oracle(
        "aroon:25",
        lambda bars: reference(bars, 25),
        talib=lambda c: {
            **dict(zip(("down", "up"), talib.AROON(c.high, c.low, 25), strict=True)),
            "oscillator": talib.AROONOSC(c.high, c.low, 25),
        },
        scale=100.0,
    ),
    Oracle("aroon:1", lambda bars: reference(bars, 1), scale=100.0),
    Oracle("aroon:7", lambda bars: reference(bars, 7), scale=100.0),
)


def test_of_equal_extremes_the_latest_counts() -> None:
    indicator = parse_choice("aroon:5").create()
    for bar in bars_of([7.3] * 6, wide=False):
        values = indicator.update(bar)
    assert values == {"up": 100.0, "down": 100.0, "oscillator": 0.0}
