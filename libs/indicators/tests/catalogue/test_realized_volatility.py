"""Realized volatility, with logarithms of 60 digits."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from math import log

import pytest

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Andersen, Bollerslev, Diebold, Labys: the root of the sum of squared log returns."""
    squares = []
    for i, bar in enumerate(bars):
        if i:
            squares.append((Decimal(bar.close) / Decimal(bars[i - 1].close)).ln() ** 2)
        if i < period:
            yield {"realized_volatility": None}
        else:
            yield {"realized_volatility": sum(squares[-period:], Decimal(0)).sqrt()}


ORACLES = (
    Oracle("realized_volatility:20", lambda bars: reference(bars, 20), scale=1),
    Oracle("realized_volatility:1", lambda bars: reference(bars, 1), scale=1),
)


def values_of(choice: str, closes: list[float]) -> list[float | None]:
    """Return the values over bars with these closes."""
    indicator = parse_choice(choice).create()
    bars = [Ohlcv(i, close, close, close, close, 1.0) for i, close in enumerate(closes)]
    return [indicator.update(bar)["realized_volatility"] for bar in bars]


def test_a_close_of_zero_or_less_is_felt_until_its_returns_have_left() -> None:
    closes = [1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, -2.0, 1.0, 1.0, 1.0]
    expected = [None, None, 0.0, None, None, None, 0.0, None, None, None, 0.0]
    assert expected == values_of("realized_volatility:2", closes)


def test_the_smallest_move_has_all_its_digits() -> None:
    # ln(1 + x) for x = 2**-52 is x, to 15 digits
    values = values_of("realized_volatility:1", [1.0, 1.0 + 2.0**-52])
    assert values[1] == pytest.approx(2.0**-52, rel=1e-15)


def test_the_largest_moves_are_finite() -> None:
    values = values_of("realized_volatility:1", [5e-324, 9e99, 5e-324])
    expected = log(9) + 99 * log(10) + 1074 * log(2)
    assert values[1:] == [pytest.approx(expected, rel=1e-14)] * 2
