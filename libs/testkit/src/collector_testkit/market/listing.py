"""What a market is told of a symbol: its grid of prices and amounts, and its usual sizes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from collector_core.numbers import Scale
from collector_core.symbols import split

__all__ = ["DECIMALS", "SCALE", "Listing"]

DECIMALS: Final = 8
SCALE: Final = Scale(DECIMALS)
"""Prices and amounts are counted in units of 10**-8, which the grids of all exchanges fit."""


@dataclass(frozen=True)
class Listing:
    """A symbol on one exchange. All numbers are decimal texts with at most eight decimals.

    Args:
        symbol: in our spelling, ``BASE/QUOTE``.
        price: where its market starts and what it returns to.
        tick: grid of prices; a price in the market is a whole number of ticks.
        step: grid of amounts; an amount in the market is a whole number of lots of this size.
        amount: usual amount of an order.
        min_notional: least value of an order, as the exchange states it.
        orders: resting orders that each side has room for; a few make a thin book.
    """

    symbol: str
    price: str
    tick: str
    step: str
    amount: str
    min_notional: str
    orders: int = 400

    @property
    def base(self) -> str:
        """Currency that is bought and sold."""
        return split(self.symbol)[0]

    @property
    def quote(self) -> str:
        """Currency that prices are in."""
        return split(self.symbol)[1]

    @cached_property
    def tick_units(self) -> int:
        """A tick in units of 10**-8."""
        return SCALE.units(self.tick)

    @cached_property
    def step_units(self) -> int:
        """A lot in units of 10**-8."""
        return SCALE.units(self.step)

    @property
    def price_ticks(self) -> int:
        """The starting price in ticks."""
        return max(1, SCALE.units(self.price) // self.tick_units)

    @property
    def amount_lots(self) -> int:
        """The usual amount in lots."""
        return max(1, SCALE.units(self.amount) // self.step_units)
