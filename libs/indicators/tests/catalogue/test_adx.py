"""Wilder's directional movement, with decimal sums."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
import talib

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Expected, Oracle
from .series import MINUTE, bars_of

__all__ = ["ORACLES"]

ZERO = Decimal(0)


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Wilder 1978, section IV; 0/0 is 0, and sums begin with n - 1 terms as in TA-Lib."""
    sums = [ZERO, ZERO, ZERO]
    indices: list[Decimal] = []
    adx: Decimal | None = None
    for i, bar in enumerate(bars):
        if i == 0:
            yield {"adx": None, "plus_di": None, "minus_di": None}
            continue
        before = bars[i - 1]
        up = Decimal(bar.high) - Decimal(before.high)
        down = Decimal(before.low) - Decimal(bar.low)
        reached = [Decimal(price) for price in (bar.high, bar.low, before.close)]
        terms = [
            max(up, ZERO) if up > down else ZERO,
            max(down, ZERO) if down > up else ZERO,
            max(reached) - min(reached),
        ]
        kept = 1 - Decimal(1) / period if i >= period else Decimal(1)
        sums = [kept * total + term for total, term in zip(sums, terms, strict=True)]
        if i < period:
            yield {"adx": None, "plus_di": None, "minus_di": None}
            continue
        plus, minus, span = sums
        moved = plus + minus
        indices.append(100 * abs(plus - minus) / moved if moved else ZERO)
        if len(indices) == period:
            adx = sum(indices, ZERO) / period
        elif adx is not None:
            adx = (adx * (period - 1) + indices[-1]) / period
        yield {
            "adx": adx,
            "plus_di": 100 * plus / span if span else ZERO,
            "minus_di": 100 * minus / span if span else ZERO,
        }


ORACLES = (
    Oracle(
        "adx:14",
        lambda bars: reference(bars, 14),
        talib=lambda c: {
            "adx": talib.ADX(c.high, c.low, c.close, 14),
            "plus_di": talib.PLUS_DI(c.high, c.low, c.close, 14),
            "minus_di": talib.MINUS_DI(c.high, c.low, c.close, 14),
        },
        scale=100.0,
    ),
    Oracle("adx:2", lambda bars: reference(bars, 2), scale=100.0),
)


def test_adx_of_bars_that_never_move_is_zero() -> None:
    indicator = parse_choice("adx:3").create()
    got = [indicator.update(bar) for bar in bars_of([7.3] * 9, wide=False)]
    assert list(got[-1].values()) == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("period", [2, 14])
def test_ratios_stay_while_the_price_stands_however_long(period: int) -> None:
    # the sums shrink far below the smallest double; their ratios must not change
    indicator = parse_choice(f"adx:{period}").create()
    for bar in bars_of([100.0, 103.0, 101.0, 104.0, 103.5, 105.0] * 6):
        indicator.update(bar)
    still = bar.close
    flat = [Ohlcv(0, still, still, still, still, 0.0)] * 30_000
    # the first flat bar may still move
    before = indicator.update(flat[0])
    for bar in flat:
        values = indicator.update(bar)
    assert values["plus_di"] == pytest.approx(before["plus_di"], rel=1e-9)
    assert values["minus_di"] == pytest.approx(before["minus_di"], rel=1e-9)
    assert before["plus_di"] or before["minus_di"]
    # a new movement counts at its own size
    values = indicator.update(Ohlcv(MINUTE, still, still + 1, still, still, 0.0))
    assert values["plus_di"] == 100.0
    assert values["minus_di"] == pytest.approx(0.0, abs=1e-300)


def test_a_close_outside_of_its_bar_moves_at_most_all_of_its_range() -> None:
    indicator = parse_choice("adx:2").create()
    for high, low, close in [(1.0, 1.0, 1e99), (1e99, 1e99, 1e99), (2e99, 2e99, 2e99)] * 4:
        values = indicator.update(Ohlcv(0, close, high, low, close, 1.0))
    assert values["plus_di"] is not None
    assert 0.0 <= values["plus_di"] <= 100.0
