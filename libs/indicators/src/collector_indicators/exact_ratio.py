"""A quotient of two exact sums of doubles, rounded once.

Both sums count the same unit, so their quotient is that of two integers: no step between the
terms and the value errs, and a term that leaves a window takes away just what it brought.
"""

from __future__ import annotations

from typing import Self

from collector_indicators.exact_sum import ExactSum

__all__ = ["ExactRatio"]


class ExactRatio(ExactSum):
    """The sums ``total`` / 2**``shift`` above and ``below`` / 2**``shift``."""

    __slots__ = ("below",)

    def __init__(self, total: int = 0, below: int = 0, shift: int = 0) -> None:
        super().__init__(total, shift)
        self.below = below

    @classmethod
    def of(cls, above: tuple[int, int], below: tuple[int, int]) -> Self:
        """Return the quotient of two sums, each a numerator and the power of two under it."""
        shift = max(above[1], below[1])
        return cls(above[0] << (shift - above[1]), below[0] << (shift - below[1]), shift)

    def _grow(self, bits: int) -> None:
        super()._grow(bits)
        self.below <<= bits

    def pair(self, above: float, below: float) -> tuple[int, int]:
        """Return two finite doubles in units, making the unit finer if need be."""
        self.units(above)
        units = self.units(below)
        # only now, for the other one may have made the unit finer
        return self.units(above), units

    def add_pair(self, above: float, below: float) -> None:
        """Add a finite double to each sum."""
        above_units, below_units = self.pair(above, below)
        self.total += above_units
        self.below += below_units

    def value(self, above: int = 0, below: int = 0) -> float | None:
        """Return the quotient with so many units more in each sum.

        None where the sum below is not positive, and where no double is as large.
        """
        below += self.below
        if below <= 0:
            return None
        try:
            return (self.total + above) / below
        except OverflowError:
            return None
