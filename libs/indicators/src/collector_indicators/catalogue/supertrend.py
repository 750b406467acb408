"""SuperTrend.

Source: Olivier Seban's SuperTrend (2008) as TradingView's Pine Script reference writes it
(ta.supertrend): bands at a number of average true ranges from the middle of the bar, each moved
against the trend only once the close before has passed it; the first bar is in a downtrend. Average
true range with Wilder's smoothing, seed as TA-Lib (TA_ATR).
"""

from __future__ import annotations

from copy import copy
from typing import Annotated

import msgspec

from collector_indicators.average_true_range import AverageTrueRange
from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["Supertrend"]


class SupertrendParameters(Parameters, frozen=True):
    """Bars of the average true range, and how many of it the bands are away."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 10
    multiplier: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 3.0


class _State(msgspec.Struct):
    range: AverageTrueRange = msgspec.field(default_factory=AverageTrueRange)
    rising: bool | None = None
    """None before the first bands."""
    upper: float = 0.0
    lower: float = 0.0


class Supertrend(Indicator[SupertrendParameters, _State]):
    """The band that the price has to close beyond to turn the trend; direction 1 up, -1 down."""

    name = "supertrend"
    outputs = ("supertrend", "direction")
    parameters_type = SupertrendParameters
    state_type = _State

    @property
    def bars_needed(self) -> int:
        """Those of the average true range."""
        return self._period + 1

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the values over it."""
        state = self._state
        before, close = state.range.close, bar.close
        average = state.range.update(bar, self._period)
        if average is None:
            return {"supertrend": None, "direction": None}
        middle = (bar.high + bar.low) / 2.0
        distance = self._multiplier * average
        upper, lower, rising = middle + distance, middle - distance, state.rising
        if rising is None:
            rising = False
        else:
            if upper >= state.upper and before <= state.upper:
                upper = state.upper
            if lower <= state.lower and before >= state.lower:
                lower = state.lower
            rising = close >= lower if rising else close > upper
        state.upper, state.lower, state.rising = upper, lower, rising
        if rising:
            return {"supertrend": lower, "direction": 1.0}
        return {"supertrend": upper, "direction": -1.0}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the values if ``bar`` closed now."""
        kept = self._state
        self._state = copy(kept)
        self._state.range = copy(kept.range)
        try:
            return self.update(bar)
        finally:
            self._state = kept

    def _rebuild(self) -> None:
        self._period = self.parameters.period
        self._multiplier = self.parameters.multiplier
