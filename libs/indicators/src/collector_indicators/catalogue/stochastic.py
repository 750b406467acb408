"""Slow stochastic.

Source: George C. Lane, Lane's Stochastics, Technical Analysis of Stocks & Commodities 2:3 (1984);
smoothing as TA-Lib (TA_STOCH with simple averages): %K is the plain mean of the last positions
100 * (close - lowest low) / (highest high - lowest low), %D that of the last %K; a position is 0
where highest and lowest are equal.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.rolling_range import RollingRange

__all__ = ["Stochastic", "StochasticParameters", "StochasticState"]

_WHOLE = 100 << 40
"""A position of 100 in the units in which positions are summed: 2**-40 of a percent."""


class StochasticParameters(Parameters, frozen=True):
    """Bars of the window, positions that %K averages, and values of %K that %D averages."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 14
    smoothing: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 3
    signal: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 3


class StochasticState(msgspec.Struct):
    """The range, and the last positions."""

    window: RollingRange = msgspec.field(default_factory=RollingRange)
    positions: list[int] = []
    """The last positions in units; a ring once it is full."""
    oldest_position: int = 0
    sums: list[int] = []
    """The last sums of positions, each a %K; a ring once it is full."""
    oldest_sum: int = 0


class Stochastic(Indicator[StochasticParameters, StochasticState]):
    """Where the close stands in the range of the window, smoothed: 0 at its bottom, 100 at its top.

    Positions are rounded to 2**-40 (1e-12) and summed as integers, so that sums never drift. A
    close outside of its own bar counts as the end of the range that it lies beyond.
    """

    name = "stochastic"
    outputs = ("k", "d")
    parameters_type = StochasticParameters
    state_type = StochasticState

    _sum: int
    """Of the positions kept."""
    _sum_of_sums: int

    @property
    def bars_needed(self) -> int:
        """A full window for each of the positions of each of the averaged values."""
        return self._period + self._smoothing + self._signal - 2

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the values over it."""
        state, close = self._state, bar.close
        highest, lowest = state.window.update(bar.high, bar.low, self._period)
        if close <= lowest:
            position = 0
        elif close >= highest:
            position = _WHOLE
        else:
            position = int((close - lowest) / (highest - lowest) * _WHOLE)
        positions = state.positions
        if len(positions) == self._smoothing:
            oldest = state.oldest_position
            self._sum = total = self._sum + position - positions[oldest]
            positions[oldest] = position
            state.oldest_position = oldest + 1 if oldest + 1 < self._smoothing else 0
        else:
            if state.window.bar < self._period:
                return {"k": None, "d": None}
            positions.append(position)
            self._sum = total = self._sum + position
            if len(positions) < self._smoothing:
                return {"k": None, "d": None}
        sums = state.sums
        if len(sums) == self._signal:
            oldest = state.oldest_sum
            self._sum_of_sums += total - sums[oldest]
            sums[oldest] = total
            state.oldest_sum = oldest + 1 if oldest + 1 < self._signal else 0
        else:
            sums.append(total)
            self._sum_of_sums += total
            if len(sums) < self._signal:
                return {"k": total / self._k_unit, "d": None}
        return {"k": total / self._k_unit, "d": self._sum_of_sums / self._d_unit}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the values if ``bar`` closed now."""
        state, close = self._state, bar.close
        if state.window.bar + 1 < self._period + self._smoothing - 1:
            return {"k": None, "d": None}
        highest, _, lowest, _ = state.window.peek(bar.high, bar.low, self._period)
        if close <= lowest:
            total = 0
        elif close >= highest:
            total = _WHOLE
        else:
            total = int((close - lowest) / (highest - lowest) * _WHOLE)
        total += self._sum
        if len(state.positions) == self._smoothing:
            total -= state.positions[state.oldest_position]
        k = total / self._k_unit
        if len(state.sums) + 1 < self._signal:
            return {"k": k, "d": None}
        total += self._sum_of_sums
        if len(state.sums) == self._signal:
            total -= state.sums[state.oldest_sum]
        return {"k": k, "d": total / self._d_unit}

    def _rebuild(self) -> None:
        parameters, state = self.parameters, self._state
        self._period = parameters.period
        self._smoothing = parameters.smoothing
        self._signal = parameters.signal
        self._k_unit = self._smoothing << 40
        self._d_unit = self._k_unit * self._signal
        self._sum = sum(state.positions)
        self._sum_of_sums = sum(state.sums)
