"""The commodity channel index, with the mean deviation as its definition has it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import talib

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Lambert: distance from the mean by 0.015 mean deviations; 0 where nothing deviates."""
    prices = [(Fraction(b.high) + Fraction(b.low) + Fraction(b.close)) / 3 for b in bars]
    for end in range(1, len(prices) + 1):
        if end < period:
            yield {"cci": None}
            continue
        window = prices[end - period : end]
        mean = sum(window, Fraction(0)) / period
        deviation = sum((abs(price - mean) for price in window), Fraction(0)) / period
        distance = prices[end - 1] - mean
        yield {"cci": distance / (Fraction(15, 1000) * deviation) if deviation else Fraction(0)}


ORACLES = (
    Oracle(
        "cci:20",
        lambda bars: reference(bars, 20),
        talib=lambda c: {"cci": talib.CCI(c.high, c.low, c.close, 20)},
        scale=100,
    ),
    Oracle("cci:2", lambda bars: reference(bars, 2), scale=100),
    Oracle("cci:7", lambda bars: reference(bars, 7), scale=100),
)


def test_it_is_zero_while_no_price_deviates() -> None:
    cci = parse_choice("cci:3").create()
    values = [cci.update(Ohlcv(i, 7.3, 7.3, 7.3, 7.3, 1.0))["cci"] for i in range(5)]
    assert values == [None, None, 0.0, 0.0, 0.0]
