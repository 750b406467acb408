"""Simple Moving Average.

Source: John J. Murphy, Technical Analysis of the Financial Markets (1999), chapter 9: the plain
mean of the last n closes; no value before there are n, as TA-Lib (TA_SMA).
"""

from __future__ import annotations

from math import floor
from typing import Annotated

import msgspec

from collector_indicators.indicator import Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.window import Window, WindowState

__all__ = ["Sma"]


class SmaParameters(Parameters, frozen=True):
    """Bars of the window."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 20


class Sma(Window[SmaParameters, WindowState]):
    """Mean of the last closes, exact before its one rounding."""

    name = "sma"
    outputs = ("sma",)
    parameters_type = SmaParameters
    state_type = WindowState

    def _rebuild(self) -> None:
        self._length = self.parameters.period
        super()._rebuild()

    def _gather(self, units: list[int]) -> None:
        self._total = sum(units)
        self._divisor = self._length << self._shift

    @property
    def bars_needed(self) -> int:
        """A full window."""
        return self._length

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the average over it."""
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
            return {"sma": total / self._divisor}
        self._fill(close)
        return {"sma": total / self._divisor if self._full else None}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the average if ``bar`` closed now."""
        state, units = self._state, self._units(bar.close)
        if len(state.values) + 1 < self._length:
            return {"sma": None}
        return {"sma": (self._total + units - self._ring[state.position]) / self._divisor}
