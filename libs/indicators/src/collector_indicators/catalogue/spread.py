"""Spread: what a buyer pays more than a seller gets, at the touch of the order book.

Source: Larry Harris, Trading and Exchanges (2003), ch. 14, quoted spread; weighted by time as in
Roger Huang and Hans Stoll, Dealer versus auction markets, Journal of Financial Economics 41 (1996).
"""

from __future__ import annotations

from types import MappingProxyType

from collector_indicators.book_indicator import BookIndicator, TopOfBook
from collector_indicators.named import Values
from collector_indicators.parameters import Parameters

__all__ = ["Spread"]


class SpreadParameters(Parameters, frozen=True):
    """None."""


class Spread(BookIndicator[SpreadParameters]):
    """Best ask less best bid, in the quote currency and in basis points of the middle.

    The difference of the exact prices is rounded once. `mean_bps` is the mean over the time of the
    interval in which both sides had a level. None where a side is empty, and basis points also
    where the middle is not above zero.
    """

    name = "spread"
    outputs = ("spread", "bps", "mean_bps")
    means = MappingProxyType({"mean_bps": "bps"})
    parameters_type = SpreadParameters

    @property
    def levels(self) -> int:
        """The touch."""
        return 1

    def read(self, top: TopOfBook) -> Values:
        """Return the spread of a book."""
        touch = top.touch()
        if touch is None:
            return {"spread": None, "bps": None}
        bid, ask, unit = touch
        twice = bid + ask
        return {
            "spread": (ask - bid) / unit,
            "bps": 20_000 * (ask - bid) / twice if twice > 0 else None,
        }
