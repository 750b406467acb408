"""Wilder's relative strength index, with decimal averages."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import pytest
import talib

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Expected, Oracle
from .series import bars_of

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Wilder 1978: RSI = 100 - 100 / (1 + average gain / average loss)."""
    gain = loss = Decimal(0)
    for i, bar in enumerate(bars):
        change = Decimal(bar.close) - Decimal(bars[i - 1].close) if i else Decimal(0)
        up, down = max(change, Decimal(0)), max(-change, Decimal(0))
        if i <= period:
            gain, loss = gain + up / period, loss + down / period
        else:
            gain = (gain * (period - 1) + up) / period
            loss = (loss * (period - 1) + down) / period
        if i < period:
            yield {"rsi": None}
        elif loss:
            yield {"rsi": 100 - 100 / (1 + gain / loss)}
        else:
            yield {"rsi": Decimal(100) if gain else Decimal(50)}


ORACLES = (
    Oracle(
        "rsi:14",
        lambda bars: reference(bars, 14),
        talib=lambda c: {"rsi": talib.RSI(c.close, 14)},
        talib_differs={
            "flat": "TA-Lib says 0 where nothing changed",
            "flat_then_random": "TA-Lib says 0 where nothing changed",
            "flat_without_width": "TA-Lib says 0 where nothing changed",
        },
        scale=100.0,
    ),
    Oracle("rsi:2", lambda bars: reference(bars, 2), scale=100.0),
)


def test_rsi_of_a_flat_series_is_fifty_where_talib_says_zero() -> None:
    closes = [0.1] * 20
    indicator = parse_choice("rsi:14").create()
    got = [indicator.update(bar)["rsi"] for bar in bars_of(closes)]
    assert got == [None] * 14 + [50.0] * 6
    assert talib.RSI(np.array(closes), 14)[-1] == 0.0


@pytest.mark.parametrize("period", [2, 14])
def test_rsi_stays_while_the_price_stands_however_long(period: int) -> None:
    # the averages shrink far below the smallest double; their ratio must not change
    closes = [100.0, 103.0, 101.0, 104.0, 103.5, 105.0] * 5
    indicator = parse_choice(f"rsi:{period}").create()
    for bar in bars_of(closes):
        before = indicator.update(bar)["rsi"]
    for bar in bars_of([closes[-1]] * 30_000):
        value = indicator.update(bar)["rsi"]
    assert value == pytest.approx(before, rel=1e-9)
    # and a new change counts at its own size
    assert indicator.update(bars_of([closes[-1] + 1])[0])["rsi"] == 100.0
    assert indicator.update(bars_of([closes[-1]])[0])["rsi"] == pytest.approx(
        100 * (period - 1) / (2 * period - 1)
    )
