"""Standard deviation.

Source: Karl Pearson, Contributions to the Mathematical Theory of Evolution (1894), as TA-Lib
(TA_STDDEV, one deviation): of the population, so the squares are divided by n, not by n - 1.
"""

from __future__ import annotations

from math import floor, sqrt
from typing import Annotated

import msgspec

from collector_indicators.indicator import Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.window import Window, WindowState

__all__ = ["Stddev"]


class StddevParameters(Parameters, frozen=True):
    """Bars of the window."""

    period: Annotated[int, msgspec.Meta(ge=2, le=100_000)] = 20


class Stddev(Window[StddevParameters, WindowState]):
    """Population standard deviation of the last closes; the variance is exact and rounded once.

    The spread n * sum(x**2) - sum(x)**2 is n**2 times the variance. When x takes the place of y
    it grows by (x - y) * (n * (x + y) - sum before - sum after).
    """

    name = "stddev"
    outputs = ("stddev",)
    parameters_type = StddevParameters
    state_type = WindowState

    def _rebuild(self) -> None:
        self._length = self.parameters.period
        super()._rebuild()

    def _gather(self, units: list[int]) -> None:
        self._total = total = sum(units)
        self._spread = self._length * sum(one * one for one in units) - total * total
        self._divisor = (self._length << self._shift) ** 2

    @property
    def bars_needed(self) -> int:
        """A full window."""
        return self._length

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the deviation over it."""
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
            return {"stddev": sqrt(spread / self._divisor)}
        self._fill(close)
        return {"stddev": sqrt(spread / self._divisor) if self._full else None}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the deviation if ``bar`` closed now."""
        state, units = self._state, self._units(bar.close)
        if len(state.values) + 1 < self._length:
            return {"stddev": None}
        leaving = self._ring[state.position]
        total = self._total + units - leaving
        spread = self._spread + (units - leaving) * (
            self._length * (units + leaving) - self._total - total
        )
        return {"stddev": sqrt(spread / self._divisor)}
