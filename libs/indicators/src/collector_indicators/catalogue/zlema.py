"""Zero Lag Exponential Moving Average.

Source: John F. Ehlers, Ric Way, Zero Lag (Well, Almost), Technical Analysis of Stocks & Commodities
28:12 (2010): the exponential average of twice the close less the close (n - 1) / 2 bars ago,
rounded down; it starts with the plain mean of the first n such differences.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["Zlema"]


class ZlemaParameters(Parameters, frozen=True):
    """Bars that the weight is made for, and of the seed."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 20


class _State(msgspec.Struct):
    seen: int = 0
    """Differences seen, counted up to the period."""
    average: float = 0.0
    """Sum while seeding, then the average."""
    closes: list[float] = []
    """The last (n - 1) / 2; a ring once there are so many."""
    oldest: int = 0


class Zlema(Indicator[ZlemaParameters, _State]):
    """Exponential average of closes from which half of a period's lag is taken out first."""

    name = "zlema"
    outputs = ("zlema",)
    parameters_type = ZlemaParameters
    state_type = _State

    def _rebuild(self) -> None:
        self._period = self.parameters.period
        self._weight = 2 / (self._period + 1)
        self._lag = (self._period - 1) // 2
        self._full = len(self._state.closes) == self._lag

    @property
    def bars_needed(self) -> int:
        """The lag and the bars of the seed."""
        return self._lag + self._period

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the average over it."""
        state = self._state
        value = close = bar.close
        if not self._full:
            state.closes.append(close)
            self._full = len(state.closes) == self._lag
            return {"zlema": None}
        if self._lag:
            closes, oldest = state.closes, state.oldest
            value += close - closes[oldest]
            closes[oldest] = close
            state.oldest = oldest + 1 if oldest + 1 != self._lag else 0
        if state.seen == self._period:
            state.average = average = state.average + self._weight * (value - state.average)
            return {"zlema": average}
        state.seen += 1
        state.average += value
        if state.seen < self._period:
            return {"zlema": None}
        state.average /= self._period
        return {"zlema": state.average}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the average if ``bar`` closed now."""
        state = self._state
        if not self._full or state.seen + 1 < self._period:
            return {"zlema": None}
        value = bar.close
        if self._lag:
            value += bar.close - state.closes[state.oldest]
        if state.seen == self._period:
            return {"zlema": state.average + self._weight * (value - state.average)}
        return {"zlema": (state.average + value) / self._period}
