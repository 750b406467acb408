"""The book of one symbol as one depth of Bybit's stream tells it: what was sent last, and changes.

Numbers are of the depth: each change that is sent counts one, and the levels that leave the depth
are removed by it, so that a client who applies all of them holds just so many.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from collector_core.events import Side
from collector_testkit.market import SymbolMarket

__all__ = ["DEPTHS", "BookFeed", "BookState"]

DEPTHS: Final = {1: 10_000, 50: 20_000, 200: 100_000, 1000: 200_000}
"""Levels a side -> microseconds between two frames."""

Levels: TypeAlias = list[tuple[int, int]]


class BookState(NamedTuple):
    """Levels in ticks and lots, best first; a total of zero is a level that is gone."""

    update: int
    time: int
    """When the book last changed, in microseconds."""
    bids: Levels
    asks: Levels


class BookFeed:
    """What the clients of one depth hold.

    Args:
        market: the symbol's market.
        depth: levels a side.
    """

    def __init__(self, market: SymbolMarket, depth: int) -> None:
        self._market = market
        self._depth = depth
        # number of the market's changes that the state below has
        self._seen = market.update
        # another for each depth, as the exchange's are, and never 1 unless it is started anew
        self._update = 1_000 * depth
        self._time = market.changed
        self._bids = self._top("buy")
        self._asks = self._top("sell")

    def whole(self) -> BookState:
        """Return the state that was sent last."""
        bids = sorted(self._bids.items(), reverse=True)
        return BookState(self._update, self._time, bids, sorted(self._asks.items()))

    def change(self) -> BookState | None:
        """Return what changed since the last frame, and hold it as sent; None if nothing did."""
        if self._seen == self._market.update:
            return None
        self._seen = self._market.update
        bids, asks = self._top("buy"), self._top("sell")
        gone = _changes(self._bids, bids), _changes(self._asks, asks)
        if not any(gone):
            return None
        self._bids, self._asks = bids, asks
        self._update += 1
        self._time = self._market.changed
        return BookState(self._update, self._time, sorted(gone[0], reverse=True), sorted(gone[1]))

    def restart(self) -> BookState:
        """Begin the numbers anew; return the whole book with the number 1."""
        self.change()
        self._update = 1
        return self.whole()

    def _top(self, side: Side) -> dict[int, int]:
        return dict(self._market.engine.levels(side, self._depth))


def _changes(before: dict[int, int], now: dict[int, int]) -> Levels:
    changed = [(price, total) for price, total in now.items() if before.get(price) != total]
    return [*changed, *((price, 0) for price in before if price not in now)]
