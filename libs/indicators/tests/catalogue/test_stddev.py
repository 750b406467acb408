"""The standard deviation, with the exact variance of each window."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import talib

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Expected, Oracle, decimal_of

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Return the root of the mean squared distance from the mean."""
    for end in range(1, len(bars) + 1):
        window = [Fraction(bar.close) for bar in bars[max(0, end - period) : end]]
        if len(window) < period:
            yield {"stddev": None}
            continue
        mean = sum(window, Fraction(0)) / period
        variance = sum(((close - mean) ** 2 for close in window), Fraction(0)) / period
        yield {"stddev": decimal_of(variance).sqrt()}


ORACLES = (
    Oracle(
        "stddev:20",
        lambda bars: reference(bars, 20),
        talib=lambda c: {"stddev": talib.STDDEV(c.close, 20, 1)},
    ),
    Oracle("stddev:2", lambda bars: reference(bars, 2)),
    Oracle("stddev:5", lambda bars: reference(bars, 5)),
)


def test_it_is_that_of_a_population() -> None:
    stddev = parse_choice("stddev:2").create()
    stddev.update(Ohlcv(0, 1.0, 1.0, 1.0, 1.0, 1.0))
    assert stddev.update(Ohlcv(1, 3.0, 3.0, 3.0, 3.0, 1.0)) == {"stddev": 1.0}
