"""What the rows of a book topic must be: a book that any consumer can build and trust."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from collector_core.events import Book, Event, Level, Status
from collector_core.numbers import exact
from collector_testkit.market.listing import SCALE

from .shown import Levels, Shown

__all__ = ["BookJudge", "judge_books"]

_BROKEN: Final = frozenset(
    {"gap", "resyncing", "book_invalid", "disconnected", "rejected", "stopped"}
)
_PROVEN: Final = {"kraken": 10}
"""Best levels that each update proves; an exchange that is not named proves all that it shows."""


@lru_cache(maxsize=1 << 16)
def _units(text: str) -> int:
    return SCALE.units(exact(text))


class BookJudge:
    """Reads a book topic from its first row and compares what it holds with the exchange.

    Args:
        exchange: whose topic it is.
        shown: what the exchange showed.
    """

    def __init__(self, exchange: str, shown: Shown) -> None:
        self._exchange = exchange
        self._shown = shown
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}
        # the topic says that the book is right, and has shown it since
        self.good = False
        self._synced = False
        # rows since the last snapshot of the exchange's
        self._deltas = 0
        self.rejected = False
        self.synced = 0
        self.wrong: list[str] = []

    def take(self, row: Event) -> None:
        """Take the next row."""
        if isinstance(row, Status):
            if row.state == "synced":
                self.good = self._synced = True
                self.synced += 1
            elif row.state in _BROKEN:
                self.good = False
            self.rejected = row.state == "rejected" or (self.rejected and row.state != "subscribed")
        elif isinstance(row, Book):
            self._take_book(row)

    def _take_book(self, row: Book) -> None:
        where = f"{row.kind} {row.venue_sequence} of {row.exchange_time}"
        if not self.good:
            self.wrong.append(f"expected no row of a broken book, was {where}")
            return
        if self._synced and row.kind != "snapshot":
            self.wrong.append(f"expected a snapshot behind synced, was {where}")
        before = self.held()
        if row.kind == "snapshot":
            self._bids, self._asks = {}, {}
        _apply(self._bids, row.bids)
        _apply(self._asks, row.asks)
        now = self.held()
        if now[0] and now[1] and now[0][0][0] >= now[1][0][0]:
            self.wrong.append(f"expected no crossed book, was {now[0][0]} {now[1][0]} by {where}")
        states = self._shown.states(row)
        if states:
            whole = row.kind == "snapshot" and (self._synced or row.exchange_time is not None)
            proven = None if whole else _PROVEN.get(self._exchange)
            if not any(_same(now, state, proven) for state in states):
                self.wrong.append(f"expected the exchange's book, was another by {where}")
        elif row.kind == "snapshot" and not self._synced and not row.truncated:
            if now != before:
                self.wrong.append(f"expected a snapshot that changes nothing, was {where}")
        else:
            self.wrong.append(f"expected a book that the exchange has shown, was {where}")
        self._synced = False

    def held(self) -> tuple[Levels, Levels]:
        """Return the book as the rows make it, best first."""
        return sorted(self._bids.items(), reverse=True), sorted(self._asks.items())

    def agrees(self, state: tuple[Levels, Levels]) -> bool:
        """Tell whether the book is as the exchange has it, as far as its updates prove it."""
        return _same(self.held(), state, _PROVEN.get(self._exchange))


def _apply(side: dict[int, int], levels: Sequence[Level]) -> None:
    for price, amount in levels:
        units = _units(amount)
        if units:
            side[_units(price)] = units
        else:
            side.pop(_units(price), None)


def _same(held: tuple[Levels, Levels], state: tuple[Levels, Levels], proven: int | None) -> bool:
    return all(mine[:proven] == theirs[:proven] for mine, theirs in zip(held, state, strict=True))


def judge_books(exchange: str, rows: Sequence[Event], shown: Shown) -> BookJudge:
    """Return the judge of one book topic after its last row."""
    judge = BookJudge(exchange, shown)
    for row in rows:
        judge.take(row)
    return judge
