"""Detrended Price Oscillator.

Source: StockCharts' ChartSchool, Detrended Price Oscillator (DPO): the close n / 2 + 1 bars ago
(n / 2 rounded down) less the simple moving average of the last n closes. A value belongs to the
bar that completes it, not to the bar n / 2 + 1 earlier at which charts draw it, so it never
changes afterwards.
"""

from __future__ import annotations

from math import floor
from typing import Annotated

import msgspec

from collector_indicators.indicator import Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.window import Window, WindowState

__all__ = ["Dpo"]


class DpoParameters(Parameters, frozen=True):
    """Bars of the average."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 20


class Dpo(Window[DpoParameters, WindowState]):
    """How far an earlier close was from the mean around it, exact before its one rounding."""

    name = "dpo"
    outputs = ("dpo",)
    parameters_type = DpoParameters
    state_type = WindowState

    def _rebuild(self) -> None:
        self._period = self.parameters.period
        self._back = self._period // 2 + 1
        # longer than the average where that has less than three bars
        self._length = max(self._period, self._back + 1)
        super()._rebuild()

    def _gather(self, units: list[int]) -> None:
        self._total = sum(units[-self._period :])
        self._divisor = self._period << self._shift

    @property
    def bars_needed(self) -> int:
        """A full window, and the earlier close."""
        return self._length

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the value over it."""
        close = bar.close
        scaled = close * self._scale
        # first the units, for they may change those of the sums
        units = floor(scaled) if scaled.is_integer() else self._units(close)
        state, ring, period = self._state, self._ring, self._period
        position = state.position
        self._total = total = self._total + units - ring[position - period]
        distance = period * ring[position - self._back] - total
        ring[position] = units
        state.position = position + 1 if position != self._last else 0
        if self._full:
            state.values[position] = close
            return {"dpo": distance / self._divisor}
        self._fill(close)
        return {"dpo": distance / self._divisor if self._full else None}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the value if ``bar`` closed now."""
        state, units = self._state, self._units(bar.close)
        if len(state.values) + 1 < self._length:
            return {"dpo": None}
        ring, position = self._ring, state.position
        total = self._total + units - ring[position - self._period]
        return {"dpo": (self._period * ring[position - self._back] - total) / self._divisor}
