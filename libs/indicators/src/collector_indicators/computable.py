"""Which input rows can be computed with: those whose numbers are numbers, and none too large."""

from __future__ import annotations

from collector_core.errors import NumberError
from collector_core.events import Candle, Event, Trade
from collector_indicators.ohlcv import LIMIT, of_candle

__all__ = ["computable"]


def computable(row: Event) -> bool:
    """Tell whether the numbers of an input row are ones that calculations take.

    Those of a book row always are: a calculation doubts the book itself where they are none.
    """
    try:
        if isinstance(row, Trade):
            price, amount = float(row.price), float(row.amount)
            return (
                -LIMIT < price < LIMIT
                and -LIMIT < amount < LIMIT
                and -LIMIT < price * amount < LIMIT
            )
        if isinstance(row, Candle):
            of_candle(row)
    except (NumberError, ValueError):
        return False
    return True
