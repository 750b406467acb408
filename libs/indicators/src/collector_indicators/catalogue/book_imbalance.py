"""Book imbalance: how much more is bid than offered near the touch.

Sources: Martin Gould and Julius Bonart, Queue imbalance as a one-tick-ahead price predictor in a
limit order book, Market Microstructure and Liquidity 2:2 (2016), which is that of one level; Rama
Cont, Arseniy Kukanov, Sasha Stoikov, The Price Impact of Order Book Events, Journal of Financial
Econometrics 12:1 (2014), for why the sizes at the best levels drive the price.
"""

from __future__ import annotations

from math import fsum
from types import MappingProxyType
from typing import Annotated

import msgspec

from collector_indicators.book_indicator import MOST_LEVELS, BookIndicator, TopOfBook
from collector_indicators.named import Values
from collector_indicators.parameters import Parameters

__all__ = ["BookImbalance"]


class BookImbalanceParameters(Parameters, frozen=True):
    """Levels of a side that count."""

    levels: Annotated[int, msgspec.Meta(ge=1, le=MOST_LEVELS)] = 5


class BookImbalance(BookIndicator[BookImbalanceParameters]):
    """Bid less offered amounts of the best levels in relation to both, -1 to 1.

    A side with fewer levels counts with those that it has. `mean` is the mean over the time of the
    interval in which both sides had a level. None where a side is empty.
    """

    name = "book_imbalance"
    outputs = ("book_imbalance", "mean")
    means = MappingProxyType({"mean": "book_imbalance"})
    parameters_type = BookImbalanceParameters

    @property
    def levels(self) -> int:
        """As chosen."""
        return self.parameters.levels

    def read(self, top: TopOfBook) -> Values:
        """Return the imbalance of a book."""
        levels = self.parameters.levels
        bid, ask = fsum(top.bid_amounts[:levels]), fsum(top.ask_amounts[:levels])
        both = bid + ask
        known = top.bids and top.asks and both > 0
        return {"book_imbalance": (bid - ask) / both if known else None}
