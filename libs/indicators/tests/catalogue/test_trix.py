"""The rate of change of a triple average."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import talib

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def average(values: list[Fraction], period: int) -> list[Fraction]:
    """Return Brown's recursion over values, from the mean of the first n on."""
    if len(values) < period:
        return []
    found = [sum(values[:period], Fraction(0)) / period]
    for value in values[period:]:
        # digits far beyond those that count: exact fractions would grow without end
        following = found[-1] + Fraction(2, period + 1) * (value - found[-1])
        found.append(Fraction(round(following * 10**60), 10**60))
    return found


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Return the change of the third average in percent of the one before."""
    closes = [Fraction(bar.close) for bar in bars]
    third = average(average(average(closes, period), period), period)
    for i in range(len(bars)):
        at = i - 3 * (period - 1)
        if at < 1:
            yield {"trix": None}
        else:
            yield {"trix": (third[at] - third[at - 1]) / third[at - 1] * 100}


ORACLES = (
    Oracle(
        "trix:15",
        lambda bars: reference(bars, 15),
        talib=lambda c: {"trix": talib.TRIX(c.close, 15)},
        scale=100,
    ),
    Oracle("trix:2", lambda bars: reference(bars, 2), scale=100),
)


def test_after_an_average_of_zero_there_is_no_rate() -> None:
    trix = parse_choice("trix:1").create()
    closes = [0.0, 0.0, 1.0, 2.0]
    values = [trix.update(Ohlcv(i, c, c, c, c, 1.0))["trix"] for i, c in enumerate(closes)]
    assert values == [None, None, None, 100.0]
