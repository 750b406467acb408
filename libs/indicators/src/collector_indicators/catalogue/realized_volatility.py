"""Realized volatility.

Source: T. Andersen, T. Bollerslev, F. Diebold, P. Labys, Modeling and Forecasting Realized
Volatility, Econometrica 71 (2003), section 2: the square root of the sum of the squared
logarithmic returns of the window. No mean is taken off and nothing is annualized: it is the
volatility of n bars together. For a year's, multiply by the square root of (bars of a year / n).
"""

from __future__ import annotations

from math import floor, log, log1p, sqrt
from typing import Annotated

import msgspec

from collector_indicators.indicator import Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.window import Window, WindowState

__all__ = ["RealizedVolatility"]


class RealizedVolatilityParameters(Parameters, frozen=True):
    """Returns of the window."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 20


class _State(WindowState):
    """The window holds squared returns; zero for a return that is not defined."""

    close: float = 0.0
    """The last close; zero before there is one."""
    defined: int = 0
    """Returns since the last one that is not defined, counted up to the period."""


class RealizedVolatility(Window[RealizedVolatilityParameters, _State]):
    """Root of the sum of squared returns; None while one of them meets a close of zero or less."""

    name = "realized_volatility"
    outputs = ("realized_volatility",)
    parameters_type = RealizedVolatilityParameters
    state_type = _State

    def _rebuild(self) -> None:
        self._length = self.parameters.period
        super()._rebuild()

    def _gather(self, units: list[int]) -> None:
        self._total = sum(units)
        self._divisor = 1 << self._shift

    @property
    def bars_needed(self) -> int:
        """One bar more than there are returns."""
        return self._length + 1

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the volatility over it."""
        state, close = self._state, bar.close
        before, state.close = state.close, close
        if before > 0.0 and close > 0.0:
            # near each other, their difference is exact, and so all digits of the return are right
            if close < 2.0 * before < 4.0 * close:
                move = log1p((close - before) / before)
            else:
                move = log(close) - log(before)
            square = move * move
            defined = state.defined + 1
        else:
            square, defined = 0.0, 0
        scaled = square * self._scale
        # first the units, for they may change those of the sum
        units = floor(scaled) if scaled.is_integer() else self._units(square)
        ring, position = self._ring, state.position
        self._total = total = self._total + units - ring[position]
        ring[position] = units
        state.position = position + 1 if position != self._last else 0
        if self._full:
            state.values[position] = square
        else:
            self._fill(square)
        if defined < self._length:
            state.defined = defined
            return {"realized_volatility": None}
        state.defined = self._length
        return {"realized_volatility": sqrt(total / self._divisor)}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the volatility if ``bar`` closed now."""
        state, close = self._state, bar.close
        before = state.close
        if not (before > 0.0 and close > 0.0) or state.defined + 1 < self._length:
            return {"realized_volatility": None}
        if close < 2.0 * before < 4.0 * close:
            move = log1p((close - before) / before)
        else:
            move = log(close) - log(before)
        units = self._units(move * move)
        total = self._total + units - self._ring[state.position]
        return {"realized_volatility": sqrt(total / self._divisor)}
