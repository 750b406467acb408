"""Exponential Moving Average.

Source: Robert G. Brown, Smoothing, Forecasting and Prediction of Discrete Time Series (1963), with
the weight 2 / (n + 1) of technical analysis; seed as TA-Lib (TA_EMA, default compatibility): the
plain mean of the first n closes.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["Ema"]


class EmaParameters(Parameters, frozen=True):
    """Bars that the weight is made for, and of the seed."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 20


class _State(msgspec.Struct):
    seen: int = 0
    """Bars seen, counted up to the period."""
    average: float = 0.0
    """Sum while seeding, then the average."""


class Ema(Indicator[EmaParameters, _State]):
    """Average of the close that forgets with the factor 1 - 2 / (n + 1) a bar."""

    name = "ema"
    outputs = ("ema",)
    parameters_type = EmaParameters
    state_type = _State

    @property
    def bars_needed(self) -> int:
        """Bars of the seed."""
        return self._period

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the average over it."""
        state = self._state
        if state.seen == self._period:
            state.average = average = state.average + self._weight * (bar.close - state.average)
            return {"ema": average}
        state.seen += 1
        state.average += bar.close
        if state.seen < self._period:
            return {"ema": None}
        state.average /= self._period
        return {"ema": state.average}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the average if ``bar`` closed now."""
        state = self._state
        if state.seen == self._period:
            return {"ema": state.average + self._weight * (bar.close - state.average)}
        if state.seen + 1 < self._period:
            return {"ema": None}
        return {"ema": (state.average + bar.close) / self._period}

    def _rebuild(self) -> None:
        self._period = self.parameters.period
        self._weight = 2 / (self._period + 1)
