"""Parabolic Stop and Reverse.

Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978), section II; first
direction as TA-Lib (TA_SAR): down if the low of the second bar fell, by more than its high rose,
else up; the first stop is the opposite extreme of the first bar, the first extreme point that of
the second.
"""

from __future__ import annotations

from copy import copy
from typing import Annotated

import msgspec

from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["ParabolicSar"]


class ParabolicSarParameters(Parameters, frozen=True):
    """Acceleration factor at the start and per new extreme, and its bound."""

    acceleration: Annotated[float, msgspec.Meta(gt=0, le=10)] = 0.02
    maximum: Annotated[float, msgspec.Meta(gt=0, le=10)] = 0.2


class _State(msgspec.Struct):
    bars: int = 0
    """Bars seen, counted up to 2."""
    high: float = 0.0
    """Of the bar before."""
    low: float = 0.0
    rising: bool = True
    stop: float = 0.0
    """Of the next bar."""
    extreme: float = 0.0
    """Highest high or lowest low since the trend turned."""
    factor: float = 0.0


class ParabolicSar(Indicator[ParabolicSarParameters, _State]):
    """The price at which a trend follower stops and reverses.

    A touch of the stop reverses, also one by a bar without width, as in TA-Lib. An error of a stop
    shrinks with every step towards the extreme.
    """

    name = "parabolic_sar"
    outputs = ("parabolic_sar",)
    parameters_type = ParabolicSarParameters
    state_type = _State

    @property
    def bars_needed(self) -> int:
        """The first bar only begins the trend."""
        return 2

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the stop that held during it."""
        state, high, low = self._state, bar.high, bar.low
        if state.bars < 2:
            self._begin(high, low)
            if state.bars < 2:
                return {"parabolic_sar": None}
        previous_high, previous_low = state.high, state.low
        state.high, state.low = high, low
        stop, extreme = state.stop, state.extreme
        if state.rising:
            if low > stop:
                if high > extreme:
                    state.extreme = extreme = high
                    state.factor = min(state.factor + self._acceleration, self._maximum)
                state.stop = min(stop + state.factor * (extreme - stop), previous_low, low)
                return {"parabolic_sar": stop}
            # touched: the stop of a falling trend may not be within this bar or the one before
            value = max(extreme, previous_high, high)
            stop = value + self._acceleration * (low - value)
            state.stop = max(stop, previous_high, high)
            state.rising, state.extreme = False, low
        else:
            if high < stop:
                if low < extreme:
                    state.extreme = extreme = low
                    state.factor = min(state.factor + self._acceleration, self._maximum)
                state.stop = max(stop + state.factor * (extreme - stop), previous_high, high)
                return {"parabolic_sar": stop}
            value = min(extreme, previous_low, low)
            stop = value + self._acceleration * (high - value)
            state.stop = min(stop, previous_low, low)
            state.rising, state.extreme = True, high
        state.factor = self._acceleration
        return {"parabolic_sar": value}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the stop if ``bar`` closed now."""
        kept = self._state
        self._state = copy(kept)
        try:
            return self.update(bar)
        finally:
            self._state = kept

    def _rebuild(self) -> None:
        self._maximum = self.parameters.maximum
        self._acceleration = min(self.parameters.acceleration, self._maximum)

    def _begin(self, high: float, low: float) -> None:
        state = self._state
        state.bars += 1
        if state.bars == 2:
            fall, rise = state.low - low, high - state.high
            state.rising = not (fall > 0.0 and fall > rise)
            state.stop, state.extreme = (state.low, high) if state.rising else (state.high, low)
            state.factor = self._acceleration
        # the second bar also stands for the one before it, as in TA-Lib
        state.high, state.low = high, low
