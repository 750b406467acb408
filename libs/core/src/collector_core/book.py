"""The maintained order book: apply, best, depth and the crossed check.

Each side is a dict from the price in exact integer units to its level, beside a heap that finds
the best price. A price enters the heap when its level is made and is thrown out lazily when it
surfaces after its level is gone, so a delta costs O(log n) at the very most and in practice the
same at every depth.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heappush, nsmallest
from typing import Final

from collector_core.errors import BookError
from collector_core.events import Level
from collector_core.numbers import Scale, is_zero

__all__ = ["OrderBook"]

_SPARE: Final = 64
"""Dead prices that a heap may hold beside twice its live ones before it is rebuilt."""


class _BookSide:
    __slots__ = ("heap", "levels", "sign")

    def __init__(self, sign: int) -> None:
        # -1 for bids, whose best price is the highest; 1 for asks
        self.sign = sign
        # signed price in units -> (price, amount) as texts
        self.levels: dict[int, Level] = {}
        # signed prices, with dead ones among them
        self.heap: list[int] = []

    def apply(self, units: int, level: Level) -> None:
        key = self.sign * units
        if is_zero(level[1]):
            self.levels.pop(key, None)
            return
        if key not in self.levels:
            heappush(self.heap, key)
            if len(self.heap) > 2 * len(self.levels) + _SPARE:
                self.heap = [*self.levels, key]
                heapify(self.heap)
        self.levels[key] = level

    def best(self) -> int | None:
        heap, levels = self.heap, self.levels
        while heap:
            if heap[0] in levels:
                return heap[0]
            heappop(heap)
        return None

    def depth(self, count: int) -> list[Level]:
        if count >= len(self.levels):
            return [level for _, level in sorted(self.levels.items())]
        return [self.levels[key] for key in nsmallest(count, self.levels)]

    def keep(self, count: int) -> None:
        if len(self.levels) > count:
            self.levels = {key: self.levels[key] for key in nsmallest(count, self.levels)}

    def rescale(self, factor: int) -> None:
        self.levels = {key * factor: level for key, level in self.levels.items()}
        self.heap = [key * factor for key in self.heap]


class OrderBook:
    """One symbol's price levels, best first on request; amounts are totals at a price.

    Args:
        decimals: decimals of a price to start with; more are taken in when they come.
    """

    __slots__ = ("_asks", "_bids", "_scale", "sequence")

    def __init__(self, decimals: int = 8) -> None:
        self._scale = Scale(decimals)
        self._bids = _BookSide(-1)
        self._asks = _BookSide(1)
        # sequence number of the last update applied, as the exchange counts
        self.sequence: int | None = None

    def replace(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Take a whole book; levels with amount zero are left out.

        Raises:
            NumberError: a price is not a decimal text.
        """
        self._bids = _BookSide(-1)
        self._asks = _BookSide(1)
        self.apply(bids, asks)

    def apply(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Take changes: each level is the new total at its price, and zero removes it.

        Removing a price that is not held is no error; exchanges send it.

        Raises:
            NumberError: a price is not a decimal text.
        """
        for side, levels in ((self._bids, bids), (self._asks, asks)):
            for level in levels:
                scale = self._scale
                if not scale.fits(level[0]):
                    factor = scale.grow(level[0])
                    self._bids.rescale(factor)
                    self._asks.rescale(factor)
                side.apply(scale.units(level[0]), level)

    def best_bid(self) -> Level | None:
        """Return the highest bid, or None on an empty side."""
        key = self._bids.best()
        return None if key is None else self._bids.levels[key]

    def best_ask(self) -> Level | None:
        """Return the lowest ask, or None on an empty side."""
        key = self._asks.best()
        return None if key is None else self._asks.levels[key]

    def crossed(self) -> bool:
        """Tell whether the best bid is at or above the best ask."""
        bid, ask = self._bids.best(), self._asks.best()
        return bid is not None and ask is not None and -bid >= ask

    def check(self) -> None:
        """Raise ``BookError`` if the book is crossed."""
        bid, ask = self.best_bid(), self.best_ask()
        if bid is not None and ask is not None and self.crossed():
            raise BookError(f"expected bid below ask, was bid {bid[0]} and ask {ask[0]}")

    def depth(self, count: int) -> tuple[list[Level], list[Level]]:
        """Return at most ``count`` bids and asks, best first."""
        return self._bids.depth(count), self._asks.depth(count)

    def keep(self, count: int) -> None:
        """Drop the levels beyond the best ``count`` of each side, as a depth-limited feed asks."""
        self._bids.keep(count)
        self._asks.keep(count)

    def __len__(self) -> int:
        return len(self._bids.levels) + len(self._asks.levels)
