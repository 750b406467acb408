"""The contract of one indicator over order books: what a module of the catalogue has to bring."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final, NamedTuple, Self, TypeVar

from collector_core.events import Level
from collector_core.numbers import Scale
from collector_indicators.named import Named, Values
from collector_indicators.parameters import Parameters

__all__ = ["MOST_LEVELS", "BookIndicator", "TopOfBook", "Touch"]

MOST_LEVELS: Final = 50
"""Levels a side that an indicator may look at."""

P = TypeVar("P", bound=Parameters)


class Touch(NamedTuple):
    """Best prices as exact integers: counts of 1 / ``unit``."""

    bid: int
    ask: int
    unit: int


class TopOfBook(NamedTuple):
    """The best levels of a sound book, best first, each side with its amounts as doubles."""

    bids: list[Level]
    asks: list[Level]
    bid_amounts: list[float]
    ask_amounts: list[float]

    @classmethod
    def of(cls, bids: list[Level], asks: list[Level]) -> Self:
        """Return the top of a book whose best levels these are."""
        return cls(
            bids,
            asks,
            [float(amount) for _, amount in bids],
            [float(amount) for _, amount in asks],
        )

    def touch(self) -> Touch | None:
        """Return the best prices, None where a side is empty."""
        if not (self.bids and self.asks):
            return None
        bid, ask = self.bids[0][0], self.asks[0][0]
        scale = Scale(max(len(price.partition(".")[2]) for price in (bid, ask)))
        return Touch(scale.units(bid), scale.units(ask), 10**scale.decimals)


class BookIndicator(Named[P]):
    """One indicator over one order book.

    It says what the best levels of a book come to at a moment, and nothing else: it keeps no
    state. When the book changed, for how long it stood and what that means for an interval, whoever
    holds it knows (``BookSeries``); so values are exact over any restart.

    Cost: ``read`` may take time in proportion to ``levels``. Totality: no book makes it raise, or
    return NaN or an infinity; what is not defined is None.

    A subclass sets the class variables and writes ``levels`` and ``read``.
    """

    inputs = ("book",)
    means: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Outputs that are the mean over time of what ``read`` gives, by the name of that."""

    @property
    @abstractmethod
    def levels(self) -> int:
        """Levels a side that ``read`` looks at, 1 to ``MOST_LEVELS``."""

    @abstractmethod
    def read(self, top: TopOfBook) -> Values:
        """Return the values of a book, all outputs but the means.

        Args:
            top: at least the best ``levels`` of a sound book, as far as it has them; a side may
                be empty. It is not to be changed.
        """
