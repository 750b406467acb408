"""The money flow index, from its sums."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import talib

from collector_indicators.ohlcv import Ohlcv

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Return the inflow in percent of both, over typical prices as doubles add them."""
    prices = [bar.high + bar.low + bar.close for bar in bars]
    volumes = [Fraction(bar.volume) for bar in bars]
    flows = [Fraction(price) * volume for price, volume in zip(prices, volumes, strict=True)]
    for i in range(len(bars)):
        if i < period:
            yield {"mfi": None}
            continue
        window = range(i + 1 - period, i + 1)
        rising = sum((flows[j] for j in window if prices[j] > prices[j - 1]), Fraction(0))
        falling = sum((flows[j] for j in window if prices[j] < prices[j - 1]), Fraction(0))
        both = rising + falling
        yield {"mfi": rising / both * 100 if both else Fraction(50)}


NOTHING = "TA-Lib says 0 where nothing flowed"

ORACLES = (
    Oracle(
        "mfi:14",
        lambda bars: reference(bars, 14),
        talib=lambda c: {"mfi": talib.MFI(c.high, c.low, c.close, c.volume, 14)},
        talib_differs={
            "flat_without_width": NOTHING,
            "zero_volume": NOTHING,
            "spikes": "TA-Lib's running sums keep the rounding error of a term that has left",
        },
        scale=100,
    ),
    Oracle("mfi:2", lambda bars: reference(bars, 2), scale=100),
)
