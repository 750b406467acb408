"""One symbol's order book from the rows of its topic, as a reader keeps it (docs/semantics.md).

Its state comes in two parts, for a book is large and most of it does not change between two
transactions: the base, which is the last snapshot, and what changed since.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from collector_core.book import OrderBook
from collector_core.errors import NumberError
from collector_core.events import Book, Level
from collector_core.numbers import are_exact, exact

__all__ = ["DOUBTS", "BookBase", "BookChanges", "KeptBook"]

DOUBTS: Final = frozenset(
    {"started", "gap", "resyncing", "book_invalid", "disconnected", "stale", "stopped"}
)
"""States after which a book is not to be trusted until its next snapshot."""
_MOST_CHANGES: Final = 4_096
"""Changed prices of a side at which the book becomes the base anew."""


class BookBase(msgspec.Struct):
    """A whole book, best levels first."""

    bids: Sequence[Level] = ()
    asks: Sequence[Level] = ()


class BookChanges(msgspec.Struct):
    """New totals at prices, in the order in which they came last."""

    sound: bool
    bids: list[Level]
    asks: list[Level]


class KeptBook:
    """Takes snapshots whole and applies deltas; knows whether the book can be trusted."""

    __slots__ = ("_asks", "_base", "_bids", "book", "rebased", "sound")

    def __init__(self) -> None:
        self.book = OrderBook()
        # a snapshot was taken, and nothing has cast doubt on the book since
        self.sound = False
        # how often the base changed
        self.rebased = 0
        self._base = BookBase()
        # totals that changed since the base, by price
        self._bids: dict[str, str] = {}
        self._asks: dict[str, str] = {}

    def take(self, row: Book) -> None:
        """Take the next row; one with numbers that are none, or that crosses, casts doubt."""
        try:
            _check(row)
            if row.kind == "snapshot":
                self.book.replace(row.bids, row.asks)
                self._rebase(row.bids, row.asks)
                self.sound = True
            elif self.sound:
                for known, changes in zip(
                    (self._bids, self._asks),
                    self.book.apply(row.bids, row.asks),
                    strict=True,
                ):
                    for price, amount in changes:
                        # to the end: one price may be written in two ways
                        known.pop(price, None)
                        known[price] = amount
                if len(self._bids) > _MOST_CHANGES or len(self._asks) > _MOST_CHANGES:
                    self._rebase(*self.book.depth(len(self.book)))
        except NumberError:
            self.sound = False
        if self.book.crossed():
            self.sound = False

    def _rebase(self, bids: Sequence[Level], asks: Sequence[Level]) -> None:
        self._base = BookBase(bids, asks)
        self._bids, self._asks = {}, {}
        self.rebased += 1

    def base(self) -> BookBase:
        """Return the part of the state that changes when ``rebased`` does."""
        return self._base

    def changes(self) -> BookChanges:
        """Return the other part."""
        if not self.sound:
            return BookChanges(False, [], [])  # noqa: FBT003  # the field's value
        return BookChanges(self.sound, list(self._bids.items()), list(self._asks.items()))

    def restore(self, base: BookBase, changes: BookChanges) -> None:
        """Go on from the two parts of a state.

        Raises:
            NumberError: a price in them is none.
        """
        self._base = base
        self.sound = changes.sound
        if self.sound:
            self.book.replace(base.bids, base.asks)
            self.book.apply(changes.bids, changes.asks)
            self._bids, self._asks = dict(changes.bids), dict(changes.asks)


def _check(row: Book) -> None:
    """Raise ``NumberError`` if a number of a row is none, or an amount is below zero."""
    texts = [text for side in (row.bids, row.asks) for level in side for text in level]
    if not texts or are_exact(texts):
        # which is true of nearly every row, and quickly seen
        return
    for side in (row.bids, row.asks):
        for price, amount in side:
            exact(price)
            if exact(amount).startswith("-"):
                raise NumberError(f"expected an amount of at least 0, was {amount[:64]!r}")
