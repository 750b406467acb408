"""The moving average convergence/divergence, with TA-Lib's seeds."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import talib

from collector_indicators.ohlcv import Ohlcv

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], fast: int, slow: int, signal: int) -> Iterator[Expected]:
    """Appel, with TA-Lib's seeds: both price averages begin at bar ``slow``."""
    closes = [Decimal(bar.close) for bar in bars]
    averages: list[Decimal] = []
    macds: list[Decimal] = []
    signal_average = Decimal(0)
    for i, close in enumerate(closes):
        if i + 1 < slow:
            yield {"macd": None, "signal": None, "histogram": None}
            continue
        if i + 1 == slow:
            averages = [sum(closes[i + 1 - n : i + 1], Decimal(0)) / n for n in (fast, slow)]
        else:
            averages = [
                (2 * close + (n - 1) * average) / (n + 1)
                for n, average in zip((fast, slow), averages, strict=True)
            ]
        macds.append(averages[0] - averages[1])
        if len(macds) < signal:
            yield {"macd": macds[-1], "signal": None, "histogram": None}
            continue
        if len(macds) == signal:
            signal_average = sum(macds, Decimal(0)) / signal
        else:
            signal_average = (2 * macds[-1] + (signal - 1) * signal_average) / (signal + 1)
        yield {
            "macd": macds[-1],
            "signal": signal_average,
            "histogram": macds[-1] - signal_average,
        }


ORACLES = (
    Oracle(
        "macd:12:26:9",
        lambda bars: reference(bars, 12, 26, 9),
        talib=lambda c: dict(
            zip(("macd", "signal", "histogram"), talib.MACD(c.close, 12, 26, 9), strict=True)
        ),
        cumulative=True,
    ),
    Oracle("macd:3:5:1", lambda bars: reference(bars, 3, 5, 1), cumulative=True),
)
