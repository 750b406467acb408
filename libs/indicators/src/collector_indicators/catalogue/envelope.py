"""Moving Average Envelope.

Source: John J. Murphy, Technical Analysis of the Financial Markets (1999), chapter 9, Moving
Average Envelopes: a simple moving average of the close and lines a fixed percentage above and below
it; 20 bars and 2.5 percent as StockCharts' ChartSchool, Moving Average Envelopes.
"""

from __future__ import annotations

from math import floor
from typing import Annotated

import msgspec

from collector_indicators.indicator import Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.window import Window, WindowState

__all__ = ["Envelope"]


class EnvelopeParameters(Parameters, frozen=True):
    """Bars of the window, and how many percent away the lines are."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 20
    percent: Annotated[float, msgspec.Meta(gt=0, le=100)] = 2.5


class Envelope(Window[EnvelopeParameters, WindowState]):
    """Mean of the last closes, exact before its rounding, and lines at a percentage of it."""

    name = "envelope"
    outputs = ("upper", "middle", "lower")
    parameters_type = EnvelopeParameters
    state_type = WindowState

    def _rebuild(self) -> None:
        self._length = self.parameters.period
        self._part = self.parameters.percent / 100
        super()._rebuild()

    def _gather(self, units: list[int]) -> None:
        self._total = sum(units)
        self._divisor = self._length << self._shift

    @property
    def bars_needed(self) -> int:
        """A full window."""
        return self._length

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the lines over it."""
        close = bar.close
        scaled = close * self._scale
        # first the units, for they may change those of the sums
        units = floor(scaled) if scaled.is_integer() else self._units(close)
        state, ring = self._state, self._ring
        position = state.position
        self._total = total = self._total + units - ring[position]
        ring[position] = units
        state.position = position + 1 if position != self._last else 0
        if self._full:
            state.values[position] = close
        else:
            self._fill(close)
            if not self._full:
                return {"upper": None, "middle": None, "lower": None}
        mean = total / self._divisor
        width = mean * self._part
        return {"upper": mean + width, "middle": mean, "lower": mean - width}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the lines if ``bar`` closed now."""
        state, units = self._state, self._units(bar.close)
        if len(state.values) + 1 < self._length:
            return {"upper": None, "middle": None, "lower": None}
        mean = (self._total + units - self._ring[state.position]) / self._divisor
        width = mean * self._part
        return {"upper": mean + width, "middle": mean, "lower": mean - width}
