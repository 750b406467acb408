"""Commodity Channel Index.

Source: Donald R. Lambert, Commodity Channel Index: Tool for Trading Cyclic Trends, Commodities 9
(1980): the typical price (high + low + close) / 3 less its mean over n bars, divided by 0.015
times the mean absolute deviation of the window from that mean. Where no price of the window
deviates, 0 as TA-Lib (TA_CCI), for then the price is its mean.

Cost of a row: the mean deviation needs every price of the window above its mean. A sorted window
finds them by bisection; moving and adding them is linear in n, at about 10 ns each.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from math import floor
from typing import Annotated

import msgspec

from collector_indicators.indicator import Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.window import Window, WindowState

__all__ = ["Cci"]


class CciParameters(Parameters, frozen=True):
    """Bars of the window."""

    period: Annotated[int, msgspec.Meta(ge=2, le=10_000)] = 20


class Cci(Window[CciParameters, WindowState]):
    """Distance of the typical price from its mean, in its usual distances; 0 where all are equal.

    The scale does not show in it, so it is taken over high + low + close, exactly. Distances from
    a mean add up to the same above and below it: n**2 times the mean deviation is twice n times
    the sum of what is above the mean, less as many times the sum of all.
    """

    name = "cci"
    outputs = ("cci",)
    parameters_type = CciParameters
    state_type = WindowState

    def _rebuild(self) -> None:
        self._length = self.parameters.period
        super()._rebuild()

    def _gather(self, units: list[int]) -> None:
        self._total = sum(units)
        self._ordered = sorted(units)

    @property
    def bars_needed(self) -> int:
        """A full window."""
        return self._length

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the index over it."""
        price = bar.high + bar.low + bar.close
        scaled = price * self._scale
        # first the units, for they may change those of the sums
        units = floor(scaled) if scaled.is_integer() else self._units(price)
        state, ring, ordered, length = self._state, self._ring, self._ordered, self._length
        position = state.position
        leaving = ring[position]
        self._total = total = self._total + units - leaving
        ring[position] = units
        del ordered[bisect_left(ordered, leaving)]
        insort(ordered, units)
        state.position = position + 1 if position != self._last else 0
        if self._full:
            state.values[position] = price
        else:
            self._fill(price)
            if not self._full:
                return {"cci": None}
        first = bisect_right(ordered, total // length)
        if first == length:
            return {"cci": 0.0}
        above = length * sum(ordered[first:]) - (length - first) * total
        # 100 / 3 for 1 / (2 * 0.015)
        return {"cci": 100 * length * (length * units - total) / (3 * above)}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the index if ``bar`` closed now."""
        units = self._units(bar.high + bar.low + bar.close)
        state, length = self._state, self._length
        if len(state.values) + 1 < length:
            return {"cci": None}
        leaving = self._ring[state.position]
        total = self._total + units - leaving
        ordered = self._ordered.copy()
        del ordered[bisect_left(ordered, leaving)]
        insort(ordered, units)
        first = bisect_right(ordered, total // length)
        if first == length:
            return {"cci": 0.0}
        above = length * sum(ordered[first:]) - (length - first) * total
        return {"cci": 100 * length * (length * units - total) / (3 * above)}
