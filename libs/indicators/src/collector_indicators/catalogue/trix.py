"""Triple Exponential Average, TRIX.

Source: Jack K. Hutson, Good TRIX, Technical Analysis of Stocks & Commodities 1:5 (1983): the change
from bar to bar of a triple exponential average, in percent; seeds as TA-Lib (TA_TRIX).
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.cascade import Cascade, CascadeParameters
from collector_indicators.indicator import Values

__all__ = ["Trix"]

_TINY = 1e-200
"""Less counts as zero: a number below ``ohlcv.LIMIT``, divided by it, could be no double."""


class TrixParameters(CascadeParameters, frozen=True):
    """Bars of each of the three averages; 15 as ChartSchool (TA-Lib 30, TradingView 18)."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 15


class Trix(Cascade):
    """Percent by which the triple average moved; None where it was zero before."""

    name = "trix"
    outputs = ("trix",)
    stages = 3
    parameters_type = TrixParameters

    @property
    def bars_needed(self) -> int:
        """One bar more than the average needs."""
        return self._seeded + 1

    def _values(self, averages: list[float]) -> Values:
        average, before = averages[2], self._state.before
        self._state.before = average
        if before is None or -_TINY < before < _TINY:
            return {"trix": None}
        return {"trix": (average - before) / before * 100.0}

    def _nothing(self) -> Values:
        return {"trix": None}
