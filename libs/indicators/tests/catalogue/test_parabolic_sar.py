"""Wilder's parabolic, in rational numbers, a falling trend being a rising one upside down."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import talib

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], acceleration: float, maximum: float) -> Iterator[Expected]:
    """Wilder 1978, section II; the first direction as TA-Lib says."""

    def seen(i: int) -> tuple[Fraction, Fraction]:
        # high and low of the second bar or a later one, as the present trend sees them
        high, low = Fraction(bars[max(i, 1)].high), Fraction(bars[max(i, 1)].low)
        return (high, low) if sign > 0 else (-low, -high)

    sign = 1
    stop = extreme = Fraction(0)
    extremes = 1
    for i, bar in enumerate(bars):
        if i == 0:
            yield {"parabolic_sar": None}
            continue
        if i == 1:
            first = bars[0]
            fall = Fraction(first.low) - Fraction(bar.low)
            sign = -1 if fall > max(Fraction(bar.high) - Fraction(first.high), Fraction(0)) else 1
            stop = Fraction(first.low) if sign > 0 else -Fraction(first.high)
            extreme = seen(1)[0]
        (high, low), (high_before, _) = seen(i), seen(i - 1)
        if low <= stop:
            value = sign * max(extreme, high_before, high)
            sign, stop, extreme, extremes = -sign, -sign * value, -low, 1
        else:
            value = sign * stop
            if high > extreme:
                extreme, extremes = high, extremes + 1
        yield {"parabolic_sar": value}
        factor = min(extremes * Fraction(acceleration), Fraction(maximum))
        stop = min(stop + factor * (extreme - stop), seen(i)[1], seen(i - 1)[1])


ORACLES = (
    Oracle(
        "parabolic_sar:0.02:0.2",
        lambda bars: reference(bars, 0.02, 0.2),
        talib=lambda c: {"parabolic_sar": talib.SAR(c.high, c.low, 0.02, 0.2)},
        cumulative=True,
    ),
    Oracle(
        "parabolic_sar:0.5:0.3",
        lambda bars: reference(bars, 0.5, 0.3),
        talib=lambda c: {"parabolic_sar": talib.SAR(c.high, c.low, 0.5, 0.3)},
        cumulative=True,
    ),
)


def test_a_touch_reverses_also_without_width() -> None:
    indicator = parse_choice("parabolic_sar").create()
    still = Ohlcv(0, 7.3, 7.3, 7.3, 7.3, 0.0)
    got = [indicator.update(still)["parabolic_sar"] for _ in range(4)]
    assert got == [None, 7.3, 7.3, 7.3]


def test_bars_upside_down_and_large_factors_stay_bounded() -> None:
    indicator = parse_choice("parabolic_sar:10:10").create()
    for i in range(400):
        high, low = (1e99, 9e99) if i % 3 else (5e98, -(i % 7) * 1e99)
        value = indicator.update(Ohlcv(i, 1.0, high, low, 1.0, 1.0))["parabolic_sar"]
        assert value is None or abs(value) < 1e102
