"""On Balance Volume.

Source: Joseph E. Granville, New Key to Stock Market Profits (1963): the volume of each bar is added
when it closes higher than the one before and taken away when it closes lower; begins with the first
bar's volume, as TA-Lib (TA_OBV).
"""

from __future__ import annotations

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.running_total import RunningTotal

__all__ = ["Obv"]


class Obv(RunningTotal):
    """Volume of rising bars less that of falling ones, since the log began."""

    name = "obv"
    outputs = ("obv",)

    def _term(self, bar: Ohlcv, before: float | None) -> float:
        if before is None or bar.close > before:
            return bar.volume
        return -bar.volume if bar.close < before else 0.0
