"""Bollinger Bands.

Source: John Bollinger, Bollinger on Bollinger Bands (2001), chapter 8: a simple moving average of
the close, and bands at a number of population standard deviations of the same window.
"""

from __future__ import annotations

from math import floor, sqrt
from typing import Annotated

import msgspec

from collector_indicators.indicator import Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.window import Window, WindowState

__all__ = ["Bollinger"]


class BollingerParameters(Parameters, frozen=True):
    """Bars of the window, and how many standard deviations away the bands are."""

    period: Annotated[int, msgspec.Meta(ge=2, le=100_000)] = 20
    deviations: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 2.0


class Bollinger(Window[BollingerParameters, WindowState]):
    """Moving average and bands; mean and variance are exact before their one rounding.

    The spread n * sum(x**2) - sum(x)**2 is n**2 times the variance. When x takes the place of y
    it grows by (x - y) * (n * (x + y) - sum before - sum after).
    """

    name = "bollinger"
    outputs = ("upper", "middle", "lower")
    version = 2
    parameters_type = BollingerParameters
    state_type = WindowState

    def _rebuild(self) -> None:
        self._length = self.parameters.period
        self._deviations = self.parameters.deviations
        super()._rebuild()

    def _gather(self, units: list[int]) -> None:
        self._total = total = sum(units)
        self._spread = self._length * sum(one * one for one in units) - total * total
        self._divisor = self._length << self._shift
        self._variance_divisor = self._divisor**2

    @property
    def bars_needed(self) -> int:
        """A full window."""
        return self._length

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the values over it."""
        close = bar.close
        scaled = close * self._scale
        # first the units, for they may change those of the sums
        units = floor(scaled) if scaled.is_integer() else self._units(close)
        state, ring, before = self._state, self._ring, self._total
        position = state.position
        leaving = ring[position]
        change = units - leaving
        self._total = total = before + change
        self._spread = spread = self._spread + change * (
            self._length * (units + leaving) - before - total
        )
        ring[position] = units
        state.position = position + 1 if position != self._last else 0
        if self._full:
            state.values[position] = close
        else:
            self._fill(close)
            if not self._full:
                return {"upper": None, "middle": None, "lower": None}
        mean = total / self._divisor
        width = self._deviations * sqrt(spread / self._variance_divisor)
        return {"upper": mean + width, "middle": mean, "lower": mean - width}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the values if ``bar`` closed now."""
        state, units = self._state, self._units(bar.close)
        if len(state.values) + 1 < self._length:
            return {"upper": None, "middle": None, "lower": None}
        leaving = self._ring[state.position]
        total = self._total + units - leaving
        spread = self._spread + (units - leaving) * (
            self._length * (units + leaving) - self._total - total
        )
        mean = total / self._divisor
        width = self._deviations * sqrt(spread / self._variance_divisor)
        return {"upper": mean + width, "middle": mean, "lower": mean - width}
