"""Triple Exponential Moving Average.

Source: Patrick G. Mulloy, Smoothing Data with Less Lag, Technical Analysis of Stocks & Commodities
12:2 (1994); seeds as TA-Lib (TA_TEMA).
"""

from __future__ import annotations

from collector_indicators.cascade import Cascade
from collector_indicators.indicator import Values

__all__ = ["Tema"]


class Tema(Cascade):
    """Three averages of one another, weighed 3, -3 and 1, with still less lag."""

    name = "tema"
    outputs = ("tema",)
    stages = 3

    def _values(self, averages: list[float]) -> Values:
        once, twice, thrice = averages
        return {"tema": 3.0 * (once - twice) + thrice}

    def _nothing(self) -> Values:
        return {"tema": None}
