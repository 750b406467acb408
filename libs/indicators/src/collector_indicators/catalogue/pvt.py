"""Price Volume Trend.

Source: StockCharts' ChartSchool and TradingView, Price Volume Trend: the sum of volume times the
relative change of the close. The first bar adds nothing, and neither does one after a close
of zero.
"""

from __future__ import annotations

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.running_total import RunningTotal

__all__ = ["Pvt"]

_TINY = 1e-100
"""Less counts as zero: volume times a change of the largest size must stay a double."""


class Pvt(RunningTotal):
    """Volume weighed with the relative change of its bar's close, summed since the log began."""

    name = "pvt"
    outputs = ("pvt",)

    def _term(self, bar: Ohlcv, before: float | None) -> float:
        if before is None or -_TINY < before < _TINY:
            return 0.0
        return (bar.close - before) / before * bar.volume
