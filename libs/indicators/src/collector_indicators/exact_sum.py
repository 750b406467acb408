"""Sums of doubles without any error, from which terms can be taken away again.

A double is an integer times a power of two. Kept as integers over one common power of two, sums
of doubles are exact, so a term that leaves a window takes away just what it brought: nothing
drifts, however many rows pass and however large a term was. The common power only grows when a
finer term comes, which costs one shift.
"""

from __future__ import annotations

from math import floor, inf, ldexp

__all__ = ["ExactSum"]

_MAX_EXPONENT = 1023


class ExactSum:
    """An exact sum of doubles: ``total`` / ``unit``, which is 2**``shift``."""

    __slots__ = ("scale", "shift", "total", "unit")

    def __init__(self, total: int = 0, shift: int = 0) -> None:
        self.total = total
        self.shift = shift
        self.unit = 1 << shift
        # what turns a double into units, where that is a double too; else infinite
        self.scale = _power(shift)

    def units(self, term: float) -> int:
        """Return a finite double as a count of 2**-shift, making the unit finer if need be."""
        # exact: a multiplication by a power of two; it overflows to inf, which is no integer
        scaled = term * self.scale
        return floor(scaled) if scaled.is_integer() else self._finer(term)

    def _finer(self, term: float) -> int:
        numerator, denominator = term.as_integer_ratio()
        needed = denominator.bit_length() - 1
        if needed > self.shift:
            self._grow(needed - self.shift)
        return numerator << (self.shift - needed)

    def _grow(self, bits: int) -> None:
        self.total <<= bits
        self.shift += bits
        self.unit <<= bits
        self.scale = _power(self.shift)

    def lowest_terms(self) -> tuple[int, int]:
        """Return total and shift without common factors of two: the same for equal sums."""
        if not self.total:
            return 0, 0
        bits = min(self.shift, (self.total & -self.total).bit_length() - 1)
        return self.total >> bits, self.shift - bits

    def add(self, term: float) -> None:
        """Add a finite double."""
        units = self.units(term)
        self.total += units

    def subtract(self, term: float) -> None:
        """Take a finite double away."""
        units = self.units(term)
        self.total -= units


def _power(shift: int) -> float:
    return ldexp(1.0, shift) if shift <= _MAX_EXPONENT else inf
