"""How far the close went in n bars, and how long its way was; both exact.

Base of what compares the two: Kaufman's efficiency ratio and Chande's momentum oscillator.
"""

from __future__ import annotations

from itertools import pairwise
from math import floor
from typing import TypeVar

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.window import Window, WindowState

__all__ = ["Path"]

P = TypeVar("P", bound=Parameters)
W = TypeVar("W", bound=WindowState)


class Path(Window[P, W]):
    """Base of indicators over the changes of the last n closes, kept as n + 1 closes in units.

    A subclass sets ``_length`` to n + 1 in ``_rebuild`` before it calls this one.
    """

    def _gather(self, units: list[int]) -> None:
        # while the window fills, its first places are zeros that are no closes
        closes = units[self._length - len(self._state.values) :] if not self._full else units
        self._way = sum(abs(b - a) for a, b in pairwise(closes))

    def _take(self, close: float) -> tuple[int, int] | None:
        """Take a close; return the change over n bars and the way's length, in units."""
        scaled = close * self._scale
        # first the units, for they may change those of the sums
        units = floor(scaled) if scaled.is_integer() else self._units(close)
        state, ring = self._state, self._ring
        position = state.position
        if self._full:
            following = position + 1 if position != self._last else 0
            leaving = ring[position]
            start = ring[following]
            self._way = way = self._way + abs(units - ring[position - 1]) - abs(start - leaving)
            ring[position] = units
            state.values[position] = close
            state.position = following
            return units - start, way
        if state.values:
            self._way += abs(units - ring[position - 1])
        ring[position] = units
        state.position = position + 1 if position != self._last else 0
        self._fill(close)
        if len(state.values) < self._length:
            return None
        return units - ring[state.position], self._way

    def _look(self, bar: Ohlcv) -> tuple[int, int] | None:
        """Return what ``_take`` would, and change nothing that shows."""
        state, units, ring = self._state, self._units(bar.close), self._ring
        position = state.position
        if len(state.values) + 1 < self._length:
            return None
        if not state.values:
            return 0, 0
        way = self._way + abs(units - ring[position - 1])
        if not self._full:
            return units - ring[0], way
        start = ring[position + 1 if position != self._last else 0]
        return units - start, way - abs(start - ring[position])
