"""Hull Moving Average.

Source: Alan Hull, How to reduce lag in a moving average (2005): WMA(2 WMA(n / 2) - WMA(n),
sqrt(n)), where WMA is the linearly weighted moving average of ``wma`` and both n / 2 and sqrt(n)
are rounded down, as Hull's formula (Integer) and TradingView's ``ta.hma``.
"""

from __future__ import annotations

from math import floor, gcd, isqrt
from typing import Annotated

import msgspec

from collector_indicators.indicator import Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.window import Window, WindowState

__all__ = ["Hma"]


class HmaParameters(Parameters, frozen=True):
    """Bars of the longest of the three averages."""

    period: Annotated[int, msgspec.Meta(ge=2, le=100_000)] = 20


class Hma(Window[HmaParameters, WindowState]):
    """Weighted average without most of its lag, exact before its one rounding.

    The three averages share their denominator, so each is a sum of integers that goes on as in
    ``wma``: a weighted sum gains the new term times its bars and loses the plain sum of before.
    """

    name = "hma"
    outputs = ("hma",)
    parameters_type = HmaParameters
    state_type = WindowState

    def _rebuild(self) -> None:
        self._period = period = self.parameters.period
        self._half = half = period // 2
        self._root = root = isqrt(period)
        # as many closes as the last average looks back on, so that they are all of the state
        self._length = period + root - 1
        weights, half_weights = period * (period + 1) // 2, half * (half + 1) // 2
        shared = gcd(2 * weights, half_weights)
        self._half_factor, self._factor = 2 * weights // shared, half_weights // shared
        self._denominator = weights * half_weights // shared * (root * (root + 1) // 2)
        super()._rebuild()

    def _gather(self, units: list[int]) -> None:
        period, half, root = self._period, self._half, self._root
        self._divisor = self._denominator << self._shift
        total = weighted = half_total = half_weighted = 0
        terms = []
        for i, one in enumerate(units):
            weighted += period * one - total
            total += one - (units[i - period] if i >= period else 0)
            half_weighted += half * one - half_total
            half_total += one - (units[i - half] if i >= half else 0)
            terms.append(self._half_factor * half_weighted - self._factor * weighted)
        self._total = total
        self._weighted = weighted
        self._half_total = half_total
        self._half_weighted = half_weighted
        self._ahead_total = sum(terms[-root:])
        self._ahead_weighted = sum(weight * one for weight, one in enumerate(terms[-root:], 1))
        # beside the ring of the closes, in the same places
        start = self._length - self._state.position
        self._ahead = terms[start:] + terms[:start]

    @property
    def bars_needed(self) -> int:
        """A full window, and then the bars of the last average."""
        return self._length

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the average over it."""
        close = bar.close
        scaled = close * self._scale
        # first the units, for they may change those of the sums
        units = floor(scaled) if scaled.is_integer() else self._units(close)
        state, ring, ahead = self._state, self._ring, self._ahead
        period, half, root = self._period, self._half, self._root
        position = state.position
        total = self._total
        self._weighted = weighted = self._weighted + period * units - total
        self._total = total + units - ring[position - period]
        total = self._half_total
        self._half_weighted = half_weighted = self._half_weighted + half * units - total
        self._half_total = total + units - ring[position - half]
        ring[position] = units
        # the middle term 2 WMA(n / 2) - WMA(n), and its own weighted average
        term = self._half_factor * half_weighted - self._factor * weighted
        total = self._ahead_total
        self._ahead_weighted = weighted = self._ahead_weighted + root * term - total
        self._ahead_total = total + term - ahead[position - root]
        ahead[position] = term
        state.position = position + 1 if position != self._last else 0
        if self._full:
            state.values[position] = close
            return {"hma": weighted / self._divisor}
        self._fill(close)
        return {"hma": weighted / self._divisor if self._full else None}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the average if ``bar`` closed now."""
        units = self._units(bar.close)
        if len(self._state.values) + 1 < self._length:
            return {"hma": None}
        half_weighted = self._half_weighted + self._half * units - self._half_total
        weighted = self._weighted + self._period * units - self._total
        term = self._half_factor * half_weighted - self._factor * weighted
        return {
            "hma": (self._ahead_weighted + self._root * term - self._ahead_total) / self._divisor
        }
