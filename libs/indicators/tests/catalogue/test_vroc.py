"""The rate of change of the volume."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest
import talib

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Columns, Expected, Oracle
from .series import SERIES

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Return the change of the volume in percent of the earlier one."""
    for i, bar in enumerate(bars):
        earlier = Fraction(bars[i - period].volume) if i >= period else Fraction(0)
        yield {"vroc": (Fraction(bar.volume) / earlier - 1) * 100 if earlier else None}


ORACLES = (
    Oracle("vroc:14", lambda bars: reference(bars, 14), scale=100),
    Oracle("vroc:1", lambda bars: reference(bars, 1), scale=100),
)


def test_it_agrees_with_talib_s_rate_of_change_of_the_volume() -> None:
    bars = [bar for bar in SERIES["random"] if bar.volume]
    vroc = parse_choice("vroc:14").create()
    expected = talib.ROC(Columns(bars).volume, 14)
    got = [vroc.update(bar)["vroc"] for bar in bars]
    assert got[:14] == [None] * 14
    assert got[14:] == pytest.approx(expected[14:], rel=1e-9)


def test_warm_needs_a_volume_then() -> None:
    vroc = parse_choice("vroc:1").create()
    found = []
    for i, volume in enumerate([0.0, 2.0, 3.0]):
        bar = Ohlcv(i, 1.0, 1.0, 1.0, 1.0, volume)
        found.append((vroc.warm(bar, i + 1), vroc.update(bar)["vroc"]))
    assert found == [(False, None), (False, None), (True, 50.0)]
