"""The Hull moving average, as three averages one after another."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import sqrt

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def weighted(numbers: list[Fraction], period: int) -> list[Fraction]:
    """Return the weighted averages of all full windows, the first one first."""
    return [
        sum(
            (Fraction(i + 1) * numbers[start + i] for i in range(period)),
            Fraction(0),
        )
        / Fraction(period * (period + 1), 2)
        for start in range(len(numbers) - period + 1)
    ]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Hull: WMA(2 WMA(Integer(n / 2)) - WMA(n), Integer(sqrt(n)))."""
    closes = [Fraction(bar.close) for bar in bars]
    whole = weighted(closes, period)
    half = weighted(closes, int(period / 2))
    # both end with the last bar; the shorter one has begun earlier
    ahead = [
        2 * fast - slow for fast, slow in zip(half[len(half) - len(whole) :], whole, strict=True)
    ]
    values = weighted(ahead, int(sqrt(period)))
    for _ in range(len(bars) - len(values)):
        yield {"hma": None}
    for value in values:
        yield {"hma": value}


ORACLES = (
    Oracle("hma:20", lambda bars: reference(bars, 20)),
    Oracle("hma:2", lambda bars: reference(bars, 2)),
    Oracle("hma:3", lambda bars: reference(bars, 3)),
    Oracle("hma:9", lambda bars: reference(bars, 9)),
    Oracle("hma:15", lambda bars: reference(bars, 15)),
)


def test_a_straight_line_is_followed_almost_without_lag() -> None:
    hma = parse_choice("hma:16").create()
    for i in range(40):
        value = hma.update(Ohlcv(i, i, i, i, i, 1.0))["hma"]
    # WMA(8) lags 7 / 3 bars, WMA(16) 15 / 3, WMA(4) 3 / 3: 39 - 14 / 3 + 5 - 1
    assert float(39 - Fraction(2, 3)) == value
