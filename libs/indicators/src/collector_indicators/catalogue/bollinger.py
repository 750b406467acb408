"""Bollinger Bands.

Source: John Bollinger, Bollinger on Bollinger Bands (2001), chapter 8: a simple moving average of
the close, and bands at a number of population standard deviations of the same window.
"""

from __future__ import annotations

from math import sqrt
from typing import Annotated

import msgspec

from collector_indicators.exact_sum import ExactMoments
from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["Bollinger"]


class BollingerParameters(Parameters, frozen=True):
    """Bars of the window, and how many standard deviations away the bands are."""

    period: Annotated[int, msgspec.Meta(ge=2, le=100_000)] = 20
    deviations: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 2.0


class _State(msgspec.Struct):
    closes: list[float] = []
    """The window; a ring once it is full."""
    oldest: int = 0
    """Where the ring's oldest close stands."""


class Bollinger(Indicator[BollingerParameters, _State]):
    """Moving average and bands; mean and variance are exact before their one rounding."""

    name = "bollinger"
    outputs = ("upper", "middle", "lower")
    parameters_type = BollingerParameters
    state_type = _State

    @property
    def bars_needed(self) -> int:
        """A full window."""
        return self.parameters.period

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the values over it."""
        state, sums, close = self._state, self._sums, bar.close
        sums.total, sums.squares = total, squares = self._shifted(close)
        closes = state.closes
        if len(closes) == self._period:
            oldest = state.oldest
            closes[oldest] = close
            state.oldest = oldest + 1 if oldest + 1 < self._period else 0
        else:
            closes.append(close)
            if len(closes) < self._period:
                return {"upper": None, "middle": None, "lower": None}
        return self._bands(total, squares)

    def peek(self, bar: Ohlcv) -> Values:
        """Return the values if ``bar`` closed now."""
        if len(self._state.closes) + 1 < self._period:
            return {"upper": None, "middle": None, "lower": None}
        return self._bands(*self._shifted(bar.close))

    def _rebuild(self) -> None:
        self._period = self.parameters.period
        self._deviations = self.parameters.deviations
        self._sums = sums = ExactMoments(self._period)
        for close in self._state.closes:
            # first the units, for they may change those of the sums
            units = sums.units(close)
            sums.total += units
            sums.squares += units * units

    def _shifted(self, close: float) -> tuple[int, int]:
        state, sums = self._state, self._sums
        # first the units, for they may change those of the sums
        units = sums.units(close)
        if len(state.closes) < self._period:
            return sums.total + units, sums.squares + units * units
        leaving = sums.units(state.closes[state.oldest])
        return (
            sums.total + units - leaving,
            sums.squares + (units - leaving) * (units + leaving),
        )

    def _bands(self, total: int, squares: int) -> Values:
        mean, variance = self._sums.mean_and_variance(total, squares)
        width = self._deviations * sqrt(variance)
        return {"upper": mean + width, "middle": mean, "lower": mean - width}
