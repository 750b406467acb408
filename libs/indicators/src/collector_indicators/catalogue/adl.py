"""Accumulation/Distribution Line.

Source: Marc Chaikin, as StockCharts' ChartSchool gives it: the sum of the money flow volumes of all
bars (``flow.money_flow``); as TA-Lib (TA_AD).
"""

from __future__ import annotations

from collector_indicators.flow import money_flow
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.running_total import RunningTotal

__all__ = ["Adl"]


class Adl(RunningTotal):
    """Volume weighed with where its bar closed in its range, summed since the log began."""

    name = "adl"
    outputs = ("adl",)
    looks_back = False

    def _term(self, bar: Ohlcv, before: float | None) -> float:  # noqa: ARG002  # the base's
        return money_flow(bar)
