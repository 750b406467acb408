"""Which rows can be computed with."""

from __future__ import annotations

import msgspec
import pytest

from collector_indicators.computable import computable

from .rows import candle, clock, trade


def test_rows_of_numbers_and_rows_without_any() -> None:
    assert computable(trade(1))
    assert computable(trade(1, "-2.5", "1e99"))
    assert computable(candle(0))
    assert computable(clock(5))


@pytest.mark.parametrize("text", ["-", "", "nan", "-inf", "9" * 101, "-1e100"])
def test_each_number_must_be_one_in_bounds(text: str) -> None:
    assert not computable(trade(1, text))
    assert not computable(trade(1, "1", text))
    assert not computable(msgspec.structs.replace(candle(0), low=text))
    assert not computable(msgspec.structs.replace(candle(0), quote_volume=text))


def test_a_product_must_be_in_bounds_as_well() -> None:
    assert computable(trade(1, "9" * 60, "9" * 30))
    assert not computable(trade(1, "9" * 60, "9" * 60))
