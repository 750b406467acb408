"""Double Exponential Moving Average.

Source: Patrick G. Mulloy, Smoothing Data with Faster Moving Averages, Technical Analysis of Stocks
& Commodities 12:1 (1994); seeds as TA-Lib (TA_DEMA).
"""

from __future__ import annotations

from collector_indicators.cascade import Cascade
from collector_indicators.indicator import Values

__all__ = ["Dema"]


class Dema(Cascade):
    """Twice the average less the average of the average, which takes most of its lag away."""

    name = "dema"
    outputs = ("dema",)
    stages = 2

    def _values(self, averages: list[float]) -> Values:
        once, twice = averages
        return {"dema": 2.0 * once - twice}

    def _nothing(self) -> Values:
        return {"dema": None}
