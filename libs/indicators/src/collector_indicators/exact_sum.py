"""Sums of doubles without any error, from which terms can be taken away again.

A double is an integer times a power of two. Kept as integers over one common power of two, sums
of doubles are exact, so a term that leaves a window takes away just what it brought: nothing
drifts, however many rows pass and however large a term was. The common power only grows when a
finer term comes, which costs one shift.
"""

from __future__ import annotations

from math import inf, ldexp

__all__ = ["ExactMoments", "ExactSum"]

_MAX_EXPONENT = 1023


class ExactSum:
    """An exact sum of doubles: ``total`` / 2**``shift``."""

    __slots__ = ("_scale", "shift", "total")

    def __init__(self, total: int = 0, shift: int = 0) -> None:
        self.total = total
        self.shift = shift
        self._scale = _power(shift)

    def units(self, term: float) -> int:
        """Return a finite double as a count of 2**-shift, making the unit finer if need be."""
        # exact: a multiplication by a power of two; it overflows to inf, which is no integer
        scaled = term * self._scale
        return int(scaled) if scaled.is_integer() else self._finer(term)

    def _finer(self, term: float) -> int:
        numerator, denominator = term.as_integer_ratio()
        needed = denominator.bit_length() - 1
        if needed > self.shift:
            self._grow(needed - self.shift)
        return numerator << (self.shift - needed)

    def _grow(self, bits: int) -> None:
        self.total <<= bits
        self.shift += bits
        self._scale = _power(self.shift)

    def add(self, term: float) -> None:
        """Add a finite double."""
        units = self.units(term)
        self.total += units

    def subtract(self, term: float) -> None:
        """Take a finite double away."""
        units = self.units(term)
        self.total -= units

    def ratio(self, other: ExactSum) -> float:
        """Return this sum divided by another that is not zero, rounded once."""
        return (self.total << other.shift) / (other.total << self.shift)


class ExactMoments(ExactSum):
    """Exact sums of doubles and of their squares (``squares`` / 4**``shift``)."""

    __slots__ = ("squares",)

    def __init__(self) -> None:
        super().__init__()
        self.squares = 0

    def _grow(self, bits: int) -> None:
        super()._grow(bits)
        self.squares <<= 2 * bits

    def mean_and_variance(self, total: int, squares: int, count: int) -> tuple[float, float]:
        """Return mean and population variance of ``count`` terms, each rounded once.

        ``total`` and ``squares`` are the sums to take, in the present units.
        """
        mean = total / (count << self.shift)
        spread = count * squares - total * total
        return mean, spread / ((count * count) << (2 * self.shift))


def _power(shift: int) -> float:
    return ldexp(1.0, shift) if shift <= _MAX_EXPONENT else inf
