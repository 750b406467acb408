"""The bars over which indicators are held against their references."""

from __future__ import annotations

import random

from collector_indicators.ohlcv import Ohlcv

__all__ = ["MINUTE", "SERIES", "bars_of", "walk"]

MINUTE = 60_000_000


def walk(seed: int, count: int, start: float, step: float, drift: float = 0.0) -> list[float]:
    """Return a seeded random walk that stays positive."""
    draw = random.Random(seed)
    price, prices = start, []
    for _ in range(count):
        price = max(price + (draw.random() - 0.5 + drift) * step, start * 1e-3)
        prices.append(price)
    return prices


def bars_of(closes: list[float], *, empty: int = 9, wide: bool = True) -> list[Ohlcv]:
    """Return bars of 17 minutes around closes, so that a few days pass.

    Args:
        closes: the last price of each.
        empty: every so many bars nothing is traded; 1 for never any volume, 0 for always some.
        wide: high and low lie around open and close, else all four are equal.
    """
    draw = random.Random(len(closes))
    bars = []
    for i, close in enumerate(closes):
        first = closes[i - 1] if wide and i else close
        high = max(first, close) * (1 + draw.random() * 0.01) if wide else close
        low = min(first, close) * (1 - draw.random() * 0.01) if wide else close
        volume = 0.0 if empty and i % empty == 0 else draw.random() * 1000
        bought = volume * draw.random()
        quote = None if i % 5 == 2 else volume * (first + close) / 2
        bars.append(
            Ohlcv(i * 17 * MINUTE, first, high, low, close, volume, quote, buy_volume=bought)
        )
    return bars


def with_gaps(bars: list[Ohlcv]) -> list[Ohlcv]:
    """Return bars with holes of hours and of days in between."""
    return [bar for i, bar in enumerate(bars) if i % 50 < 30 and not 100 <= i < 190]


_CLOSES: dict[str, list[float]] = {
    "random": walk(1, 250, 50_000.0, 300.0),
    "trending": walk(2, 150, 100.0, 1.0, drift=0.4),
    "flat": [0.1] * 120,
    "flat_then_random": [7.3] * 60 + walk(3, 100, 7.3, 0.1),
    "random_then_flat": walk(4, 100, 7.3, 0.1) + [7.3] * 200,
    "rising": [100 + i * 0.01 for i in range(120)],
    "falling": [100 - i * 0.01 for i in range(120)],
    "huge": walk(5, 200, 1e15, 1e13),
    "tiny": walk(6, 200, 1e-12, 1e-14),
    "tinier": walk(8, 200, 1e-14, 1e-17),
    "tiny_steps_on_huge": walk(7, 200, 1e15, 4.0),
    "spikes": [1e15 if i % 37 == 5 else 1e-12 * (1 + i % 7) for i in range(200)],
    "steps": [float(i // 10) + 1 for i in range(200)],
    "one_row": [42.0],
    "two_rows": [42.0, 43.0],
    "empty": [],
}

SERIES: dict[str, list[Ohlcv]] = {name: bars_of(closes) for name, closes in _CLOSES.items()} | {
    "gaps": with_gaps(bars_of(walk(9, 400, 3_000.0, 20.0))),
    "zero_volume": bars_of(walk(10, 150, 3_000.0, 20.0), empty=1),
    "high_equals_low": bars_of(walk(11, 150, 3_000.0, 20.0), wide=False),
    "flat_without_width": bars_of([7.3] * 120, wide=False),
}
"""By name. The recorded one comes from the captures (``test_references``)."""
