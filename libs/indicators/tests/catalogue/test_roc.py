"""The rate of change, as a quotient of two closes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import talib

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """ChartSchool: what the close has changed in n bars, in percent of the earlier one."""
    for i, bar in enumerate(bars):
        if i < period:
            yield {"roc": None}
        else:
            yield {"roc": (Fraction(bar.close) / Fraction(bars[i - period].close) - 1) * 100}


ORACLES = (
    Oracle(
        "roc:12",
        lambda bars: reference(bars, 12),
        talib=lambda c: {"roc": talib.ROC(c.close, 12)},
        scale=100,
    ),
    Oracle("roc:1", lambda bars: reference(bars, 1), scale=100),
)


def test_from_zero_there_is_no_rate() -> None:
    roc = parse_choice("roc:1").create()
    closes = [0.0, 1.0, 2.0, 0.0, 5e-324, 9e99, -9e99]
    values = [roc.update(Ohlcv(i, c, c, c, c, 1.0))["roc"] for i, c in enumerate(closes)]
    assert values == [None, None, 100.0, -100.0, None, None, -200.0]
