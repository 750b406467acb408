"""The last n numbers as integers over one power of two, so that sums over them are exact.

A double is an integer times a power of two (``exact_sum``). A ring of such integers makes sums,
weighted sums and sums of squares exact: a number that leaves takes away just what it brought,
nothing drifts, and a value is rounded once, when its sums are divided. Which power of two the unit
is never shows in a value. It becomes finer when a finer number comes; then everything is counted
anew, at most once for each of the 1,100 bits that doubles below ``ohlcv.LIMIT`` can need.
"""

from __future__ import annotations

from abc import abstractmethod
from math import floor, inf, ldexp
from typing import TypeVar

import msgspec

from collector_indicators.indicator import Indicator
from collector_indicators.parameters import Parameters

__all__ = ["Window", "WindowState"]

_MAX_EXPONENT = 1023


class WindowState(msgspec.Struct):
    """The numbers of a window."""

    values: list[float] = []
    """In the order of their bars; a ring once the window is full."""
    position: int = 0
    """Where the next one goes; in a full ring the oldest stands there."""


P = TypeVar("P", bound=Parameters)
W = TypeVar("W", bound=WindowState)


class Window(Indicator[P, W]):
    """Base of indicators made of sums over a window.

    The ring of units is full of zeros at first, so sums need no case for windows that fill. A
    subclass sets ``_length`` in ``_rebuild`` before it calls this one, makes its sums in
    ``_gather``, and writes out in ``update``, which is the speed of the service, what ``_units``
    does for a number that fits the present unit.
    """

    _length: int
    """Numbers of the window."""

    def _rebuild(self) -> None:
        values = self._state.values
        self._last = self._length - 1
        self._full = len(values) == self._length
        self._rescale(max(map(_fraction_bits, values), default=0))

    @abstractmethod
    def _gather(self, units: list[int]) -> None:
        """Make sums, and what they are divided by, of the window's units, the oldest first."""

    def _units(self, value: float) -> int:
        """Return a finite double in units; where that makes them finer, all sums change."""
        # exact: a product with a power of two; where it overflows, it is no integer
        scaled = value * self._scale
        if scaled.is_integer():
            return floor(scaled)
        bits = _fraction_bits(value)
        if bits > self._shift:
            self._rescale(bits)
        return _whole(value, self._shift)

    def _rescale(self, shift: int) -> None:
        """Count everything in units of 2**-shift."""
        values, position = self._state.values, self._state.position
        self._shift = shift
        self._scale = ldexp(1.0, shift) if shift <= _MAX_EXPONENT else inf
        self._ring = [_whole(value, shift) for value in values]
        self._ring += [0] * (self._length - len(values))
        self._gather(self._ring[position:] + self._ring[:position])

    def _fill(self, value: float) -> None:
        """Append a value to a window that is not full."""
        values = self._state.values
        values.append(value)
        self._full = len(values) == self._length


def _fraction_bits(value: float) -> int:
    return value.as_integer_ratio()[1].bit_length() - 1


def _whole(value: float, shift: int) -> int:
    numerator, denominator = value.as_integer_ratio()
    return (numerator << shift) // denominator
