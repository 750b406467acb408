"""Weighted Moving Average.

Source: John J. Murphy, Technical Analysis of the Financial Markets (1999), chapter 9, The Linearly
Weighted Moving Average: weights n for the last close down to 1 for the n-th, divided by their sum
n (n + 1) / 2; no value before there are n closes, as TA-Lib (TA_WMA).
"""

from __future__ import annotations

from math import floor
from typing import Annotated

import msgspec

from collector_indicators.indicator import Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.window import Window, WindowState

__all__ = ["Wma"]


class WmaParameters(Parameters, frozen=True):
    """Bars of the window."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 20


class Wma(Window[WmaParameters, WindowState]):
    """Mean of the last closes with weights that fall by one a bar, exact before its rounding.

    With each bar every weight falls by one, so the weighted sum loses the plain sum of before.
    """

    name = "wma"
    outputs = ("wma",)
    parameters_type = WmaParameters
    state_type = WindowState

    def _rebuild(self) -> None:
        self._length = self.parameters.period
        super()._rebuild()

    def _gather(self, units: list[int]) -> None:
        self._total = sum(units)
        self._weighted = sum(weight * one for weight, one in enumerate(units, 1))
        self._divisor = self._length * (self._length + 1) // 2 << self._shift

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
        state, ring, total = self._state, self._ring, self._total
        position = state.position
        self._weighted = weighted = self._weighted + self._length * units - total
        self._total = total + units - ring[position]
        ring[position] = units
        state.position = position + 1 if position != self._last else 0
        if self._full:
            state.values[position] = close
            return {"wma": weighted / self._divisor}
        self._fill(close)
        return {"wma": weighted / self._divisor if self._full else None}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the average if ``bar`` closed now."""
        units = self._units(bar.close)
        if len(self._state.values) + 1 < self._length:
            return {"wma": None}
        return {"wma": (self._weighted + self._length * units - self._total) / self._divisor}
