"""Keltner Channels.

Source: Chester W. Keltner, How to Make Money in Commodities (1960), in the form that Linda Bradford
Raschke gave them: an exponential average of the close, and bands at a number of average true
ranges. Seeds as TA-Lib (TA_EMA, TA_ATR): plain means; Wilder's smoothing for the true range.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.average_true_range import AverageTrueRange
from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["Keltner"]


class KeltnerParameters(Parameters, frozen=True):
    """Bars of the average, of the true range, and how many true ranges away the bands are."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 20
    range_period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 10
    multiplier: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 2.0


class _State(msgspec.Struct):
    bars: int = 0
    """Bars seen, counted up to the period."""
    middle: float = 0.0
    """Sum of closes while seeding, then their exponential average."""
    range: AverageTrueRange = msgspec.field(default_factory=AverageTrueRange)


class Keltner(Indicator[KeltnerParameters, _State]):
    """Exponential average of the close, and bands in average true ranges around it."""

    name = "keltner"
    outputs = ("upper", "middle", "lower")
    parameters_type = KeltnerParameters
    state_type = _State

    @property
    def bars_needed(self) -> int:
        """Those of the later of the two averages."""
        return max(self._period, self._range_period + 1)

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the values over it."""
        state = self._state
        average = state.range.update(bar, self._range_period)
        if state.bars == self._period:
            middle = state.middle
            state.middle = middle = middle + self._weight * (bar.close - middle)
        else:
            state.bars += 1
            state.middle += bar.close
            if state.bars < self._period:
                return {"upper": None, "middle": None, "lower": None}
            state.middle /= self._period
            middle = state.middle
        if average is None:
            return {"upper": None, "middle": middle, "lower": None}
        distance = self._multiplier * average
        return {"upper": middle + distance, "middle": middle, "lower": middle - distance}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the values if ``bar`` closed now."""
        state = self._state
        average = state.range.peek(bar, self._range_period)
        if state.bars + 1 < self._period:
            return {"upper": None, "middle": None, "lower": None}
        if state.bars == self._period:
            middle = state.middle + self._weight * (bar.close - state.middle)
        else:
            middle = (state.middle + bar.close) / self._period
        if average is None:
            return {"upper": None, "middle": middle, "lower": None}
        distance = self._multiplier * average
        return {"upper": middle + distance, "middle": middle, "lower": middle - distance}

    def _rebuild(self) -> None:
        self._period = self.parameters.period
        self._range_period = self.parameters.range_period
        self._multiplier = self.parameters.multiplier
        self._weight = 2 / (self._period + 1)
