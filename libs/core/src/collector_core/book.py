"""The maintained order book: apply, best, depth and the crossed check.

Each side is a dict from the price in exact integer units to its level, beside a sorted list of the
prices whose best one stands last, where most changes happen. Inserting and removing are a binary
search and a short move of memory, so best and depth are there for the taking after every change.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from functools import cache
from typing import Final

from collector_core.errors import BookError
from collector_core.events import Level
from collector_core.numbers import Scale, is_zero

__all__ = ["OrderBook"]

_KEPT: Final = 1 << 16


class _Units(dict[str, int | None]):
    # the prices of books come again and again, and reading one is dear
    __slots__ = ("_scale",)

    def __init__(self, decimals: int) -> None:
        super().__init__()
        self._scale = Scale(decimals)

    def __missing__(self, price: str) -> int | None:
        # None asks for a finer scale
        if not self._scale.fits(price):
            return None
        units = self._scale.units(price)
        if len(self) >= _KEPT:
            self.clear()
        self[price] = units
        return units


@cache
def _units(decimals: int) -> _Units:
    # all books of a scale share what is known
    return _Units(decimals)


class _BookSide:
    __slots__ = ("keys", "levels", "sign")

    def __init__(self, sign: int) -> None:
        # 1 for bids, whose best price is the highest; -1 for asks
        self.sign = sign
        # signed price in units -> (price, amount) as texts
        self.levels: dict[int, Level] = {}
        # signed prices, the best one last
        self.keys: list[int] = []

    def depth(self, count: int) -> list[Level]:
        levels = self.levels
        best_first = self.keys[: -count - 1 : -1] if count else []
        return [levels[key] for key in best_first]

    def keep(self, count: int) -> list[Level]:
        keys = self.keys
        excess = len(keys) - count
        if excess <= 0:
            return []
        beyond = [self.levels.pop(key) for key in keys[:excess]]
        del keys[:excess]
        return beyond

    def rescale(self, factor: int) -> None:
        self.levels = {key * factor: level for key, level in self.levels.items()}
        self.keys = [key * factor for key in self.keys]


class OrderBook:
    """One symbol's price levels, best first on request; amounts are totals at a price.

    Args:
        decimals: decimals of a price to start with; more are taken in when they come.
    """

    __slots__ = ("_asks", "_bids", "_scale", "_units", "sequence")

    def __init__(self, decimals: int = 8) -> None:
        self._scale = Scale(decimals)
        # what is known of prices at this scale
        self._units = _units(decimals)
        self._bids = _BookSide(1)
        self._asks = _BookSide(-1)
        # sequence number of the last update applied, as the exchange counts
        self.sequence: int | None = None

    def replace(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Take a whole book; levels with amount zero are left out.

        Raises:
            NumberError: a price is not a decimal text.
        """
        self._bids = _BookSide(1)
        self._asks = _BookSide(-1)
        for side, levels in ((self._bids, bids), (self._asks, asks)):
            for level in levels:
                key = side.sign * self._in_units(level[0])
                if is_zero(level[1]):
                    side.levels.pop(key, None)
                else:
                    side.levels[key] = level
        # one sort for all; the sides know no keys before, so a finer scale costs nothing either
        self._bids.keys = sorted(self._bids.levels)
        self._asks.keys = sorted(self._asks.levels)

    def apply(
        self, bids: Iterable[Level], asks: Iterable[Level]
    ) -> tuple[list[Level], list[Level]]:
        """Take changes: each level is the new total at its price, and zero removes it.

        Removing a price that is not held is no error; exchanges send it. Return the changes, with
        each amount that is zero, however many digits it has, as ``"0"``.

        Raises:
            NumberError: a price is not a decimal text.
        """
        return self._apply(self._bids, bids), self._apply(self._asks, asks)

    def _apply(self, side: _BookSide, changes: Iterable[Level]) -> list[Level]:
        sign, levels, keys, known = side.sign, side.levels, side.keys, self._units
        taken: list[Level] = []
        for level in changes:
            price, amount = level
            units = known[price]
            if units is None:
                units = self._in_units(price)
                levels, keys, known = side.levels, side.keys, self._units
            key = sign * units
            # what begins with another digit than 0 is not zero; the second half is ``is_zero``
            if amount < "1" and not amount.strip("0.-"):
                taken.append((price, "0"))
                if key in levels:
                    del levels[key]
                    del keys[bisect_left(keys, key)]
            else:
                taken.append(level)
                if key not in levels:
                    insort(keys, key)
                levels[key] = level
        return taken

    def _in_units(self, price: str) -> int:
        units = self._units[price]
        if units is not None:
            return units
        factor = self._scale.grow(price)
        self._units = _units(self._scale.decimals)
        self._bids.rescale(factor)
        self._asks.rescale(factor)
        return self._scale.units(price)

    def copy(self) -> OrderBook:
        """Return a book with the same levels and number that changes by itself."""
        same = OrderBook(self._scale.decimals)
        for mine, other in ((same._bids, self._bids), (same._asks, self._asks)):
            mine.levels = dict(other.levels)
            mine.keys = list(other.keys)
        same.sequence = self.sequence
        return same

    def best_bid(self) -> Level | None:
        """Return the highest bid, or None on an empty side."""
        side = self._bids
        return side.levels[side.keys[-1]] if side.keys else None

    def best_ask(self) -> Level | None:
        """Return the lowest ask, or None on an empty side."""
        side = self._asks
        return side.levels[side.keys[-1]] if side.keys else None

    def crossed(self) -> bool:
        """Tell whether the best bid is at or above the best ask."""
        bids, asks = self._bids.keys, self._asks.keys
        return bool(bids and asks) and bids[-1] >= -asks[-1]

    def check(self) -> None:
        """Raise ``BookError`` if the book is crossed."""
        if self.crossed():
            bid, ask = self.depth(1)
            raise BookError(f"expected bid below ask, was bid {bid[0][0]} and ask {ask[0][0]}")

    def depth(self, count: int) -> tuple[list[Level], list[Level]]:
        """Return at most ``count`` bids and asks, best first."""
        return self._bids.depth(count), self._asks.depth(count)

    def exceeds(self, count: int) -> bool:
        """Tell whether a side has more than ``count`` levels."""
        return len(self._bids.keys) > count or len(self._asks.keys) > count

    def keep(self, count: int) -> tuple[list[Level], list[Level]]:
        """Drop the levels beyond the best ``count`` of each side, as a depth-limited feed asks.

        Return what was dropped, bids and asks.
        """
        return self._bids.keep(count), self._asks.keep(count)

    def __len__(self) -> int:
        return len(self._bids.keys) + len(self._asks.keys)
