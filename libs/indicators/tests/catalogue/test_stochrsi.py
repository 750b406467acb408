"""The stochastic of the RSI, from the references of both."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import talib

from collector_indicators.ohlcv import Ohlcv

from .oracle import Expected, Oracle, decimal_of
from .test_rsi import reference as rsi_reference

__all__ = ["ORACLES"]

ILL = {
    "spikes": "after a spike the RSI moves by less than its own rounding",
}


def reference(bars: list[Ohlcv], counts: tuple[int, int, int, int]) -> Iterator[Expected]:
    """Return the averaged position of the RSI in its range, from the reference of the RSI."""
    rsi_period, period, smoothing, signal = counts
    strengths: list[Decimal] = []
    positions: list[Decimal] = []
    ks: list[Decimal] = []
    for given in rsi_reference(bars, rsi_period):
        value = given["rsi"]
        if value is None:
            yield {"k": None, "d": None}
            continue
        strengths.append(decimal_of(value))
        window = strengths[-period:]
        k = d = None
        if len(window) == period:
            width = max(window) - min(window)
            # below the 60 digits of the reference nothing moved
            inside = (window[-1] - min(window)) / width if width > Decimal("1e-40") else Decimal(0)
            positions.append(inside * 100)
        if len(positions) >= smoothing:
            k = sum(positions[-smoothing:], Decimal(0)) / smoothing
            ks.append(k)
        if len(ks) >= signal:
            d = sum(ks[-signal:], Decimal(0)) / signal
        yield {"k": k, "d": d}


ORACLES = (
    Oracle(
        "stochrsi:14:14:3:3",
        lambda bars: reference(bars, (14, 14, 3, 3)),
        scale=100,
        ill_conditioned=ILL,
    ),
    Oracle(
        "stochrsi:14:5:1:3",
        lambda bars: reference(bars, (14, 5, 1, 3)),
        talib=lambda c: dict(zip(("k", "d"), talib.STOCHRSI(c.close, 14, 5, 3), strict=True)),
        talib_differs={"flat_then_random": "TA-Lib's RSI is 0 where nothing changed, ours 50"},
        scale=100,
        ill_conditioned=ILL,
    ),
)
