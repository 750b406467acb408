"""A book topic as ingestors write it: snapshots, deltas, doubts, and a restart of the book."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from collector_core.events import Book, Event, Level, State, Status

START = 1_760_000_000_000_000
_SECOND = 1_000_000


class BookMarket:
    """One symbol's book rows, from a seed; time is the market's.

    Args:
        exchange: as in the rows.
        symbol: as in the rows.
        seed: the same gives the same rows.
    """

    def __init__(self, exchange: str, symbol: str, seed: int) -> None:
        self.exchange = exchange
        self.symbol = symbol
        self._random = Random(seed)
        self._now = START + self._random.randrange(_SECOND)
        self._middle = 10_000 + 1_000 * seed
        self._seq = 0
        self._sides: tuple[dict[int, str], dict[int, str]] = {}, {}
        self._resync()

    def rows(self, count: int) -> Iterator[tuple[str, Event]]:
        """Yield about ``count`` rows with their channel."""
        given = 0
        if not self._seq:
            yield "book", self._status("started")
            yield "book", self._status("synced")
            yield "book", self._snapshot(None)
        while given < count:
            for row in self._step():
                given += 1
                yield "book", row

    def _step(self) -> Iterator[Event]:
        self._now += self._random.randrange(100_000)
        dice = self._random.random()
        if dice < 0.005:
            yield self._status("gap")
            yield self._status("resyncing")
            self._now += 2 * _SECOND
            self._resync()
            yield self._status("synced")
            yield self._snapshot(None)
        elif dice < 0.02:
            yield self._snapshot(None)
        elif dice < 0.03:
            yield self._status("rotated")
        else:
            yield self._delta()

    def _resync(self) -> None:
        for sign, side in zip((-1, 1), self._sides, strict=True):
            side.clear()
            side.update({self._middle + sign * (i + 1): self._amount() for i in range(30)})

    def _amount(self) -> str:
        return f"{self._random.randrange(1, 10**6) / 10**5:.5f}"

    def _delta(self) -> Book:
        changed: tuple[list[Level], list[Level]] = [], []
        for sign, side, levels in zip((-1, 1), self._sides, changed, strict=True):
            for _ in range(self._random.randrange(4)):
                price = self._middle + sign * self._random.randrange(1, 40)
                amount = "0" if self._random.random() < 0.3 else self._amount()
                if amount == "0":
                    side.pop(price, None)
                else:
                    side[price] = amount
                levels.append((_text(price), amount))
        return self._book("delta", self._now, *changed)

    def _snapshot(self, time: int | None) -> Book:
        bids, asks = self._sides
        return self._book(
            "snapshot",
            time,
            [(_text(price), bids[price]) for price in sorted(bids, reverse=True)],
            [(_text(price), asks[price]) for price in sorted(asks)],
        )

    def _book(self, kind: str, time: int | None, bids: list[Level], asks: list[Level]) -> Book:
        return Book(*self._head(time), kind, bids, asks)  # type: ignore[arg-type]  # one of two

    def _status(self, state: State) -> Status:
        return Status(*self._head(None), state, "book")

    def _head(self, time: int | None) -> tuple[str, str, int | None, int, int, int]:
        self._seq += 1
        return self.exchange, self.symbol, time, self._now + 2_000, START, self._seq


def _text(price: int) -> str:
    return f"{price / 100:.2f}"
