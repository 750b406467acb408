"""A hole in a symbol's trades, and what was fetched of it, in the order in which rows are written.

The live trades after a hole wait for what REST gives back, so that a topic reads: the gap, the
trades that filled it, ``backfilled``, what could not be filled as a gap of its own, then the live
trades. Nothing here fetches: ``TradeStream`` says what it wants, the session asks for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias, TypeVar

import msgspec
from msgspec.structs import replace

from collector_core.events import Trade
from collector_feed.outputs import Mark

__all__ = [
    "HELD",
    "Fill",
    "Key",
    "MissingIds",
    "Part",
    "absent",
    "between",
    "by_id",
    "content",
    "identity",
    "numbered",
]

HELD: Final = 10_000
"""Live trades that wait for a fill; past it they go first and the gap stays."""


_RANGES: Final = 64
"""Gaps remembered to take in trades that come late."""

Item = TypeVar("Item")

Key: TypeAlias = tuple[object, int]
"""What tells a trade from others, and the count of equal ones before it."""


class Fill(msgspec.Struct):
    """A hole that is being filled."""

    after: Mark
    """The last trade before it that is on the bus."""
    held: list[Trade] = []
    """Live trades that wait, in order of arrival."""
    doubted: bool = False
    """The stream is silent, and the history is asked whether the exchange has forgotten us."""

    def flows(self, found: int) -> bool:
        """Tell whether the stream is sound after a fill that found so many trades.

        Of a silent one whose history went on, only a live trade can prove it.
        """
        return not self.doubted or bool(self.held) or not found

    def before(self) -> Mark | None:
        """Return the first live trade after the hole, None while none came."""
        return _mark(self.held[0]) if self.held else None


class MissingIds:
    """Ranges of counting ids that gap rows named and whose trades may still come."""

    __slots__ = ("_ranges",)

    def __init__(self) -> None:
        # [first, last], the oldest forgotten
        self._ranges: deque[tuple[int, int]] = deque(maxlen=_RANGES)

    def add(self, first: int, last: int) -> None:
        """Note a gap, both ends inclusive."""
        self._ranges.append((first, last))

    def take(self, number: int) -> bool:
        """Tell whether an id is missing; it no longer is."""
        for index, (first, last) in enumerate(self._ranges):
            if first <= number <= last:
                del self._ranges[index]
                for part in ((first, number - 1), (number + 1, last)):
                    if part[0] <= part[1]:
                        self._ranges.append(part)
                return True
        return False

    def clear(self) -> None:
        """The exchange counts anew."""
        self._ranges.clear()


class Part(NamedTuple):
    """A part of a hole, both ends inclusive: filled if it has trades, else still missing."""

    first: int
    last: int
    trades: list[Trade]


def by_id(first: int, last: int, found: Iterable[Trade]) -> list[Part]:
    """Return a hole of counting ids [first, last] cut into parts, in order.

    Trades outside of it and ids that are no number are left out; of a double the first one stays.
    """
    known: dict[int, Trade] = {}
    for trade in found:
        if trade.id is not None and trade.id.isdecimal() and first <= int(trade.id) <= last:
            known.setdefault(int(trade.id), trade)
    parts: list[Part] = []
    expected = first
    for number in sorted(known):
        if number > expected:
            parts.append(Part(expected, number - 1, []))
        if not parts or not parts[-1].trades:
            parts.append(Part(number, number, []))
        run = parts[-1]
        parts[-1] = Part(run.first, number, [*run.trades, _filled(known[number])])
        expected = number + 1
    if expected <= last:
        parts.append(Part(expected, last, []))
    return parts


def between(
    fill: Fill,
    found: Sequence[Trade],
    published: Collection[Key],
    key: Callable[[Trade], object],
) -> tuple[list[Trade], bool]:
    """Return the trades of a hole without counting ids, oldest first, and whether that is all.

    ``found`` is oldest first; ``published`` holds the numbered keys of the trades on the bus. All
    is there when the rows reach back to a trade that is on the bus, or past the last one's time.
    """
    keys = numbered(found, key)
    start, whole = 0, False
    for index, name in enumerate(keys):
        if name in published:
            start, whole = index + 1, True
    after = fill.after.time
    if not whole and after is not None:
        whole = bool(found) and (found[0].exchange_time or 0) < after
        start = next(
            (i for i, t in enumerate(found) if (t.exchange_time or 0) >= after), len(found)
        )
    end = len(found)
    if fill.held:
        first = numbered(fill.held[:1], key)[0]
        until = fill.held[0].exchange_time or 0
        end = next(
            (
                i
                for i, trade in enumerate(found)
                if keys[i] == first or (trade.exchange_time or 0) > until
            ),
            end,
        )
    rows = {keys[i]: _filled(found[i]) for i in range(start, end)}
    return list(rows.values()), whole


def absent(
    found: Sequence[Trade],
    since: int,
    until: int,
    published: Collection[Key],
    key: Callable[[Trade], object],
) -> list[Trade]:
    """Return the trades of (since, until], in microseconds, that are not on the bus."""
    names = numbered(found, key)
    return [
        trade
        for trade, name in zip(found, names, strict=True)
        if name not in published and since < (trade.exchange_time or 0) <= until
    ]


def numbered(items: Iterable[Item], key: Callable[[Item], object]) -> list[Key]:
    """Return each item's key with the count of equal ones before it: two alike are two."""
    seen: dict[object, int] = {}
    keys = []
    for item in items:
        name = key(item)
        count = seen[name] = seen.get(name, -1) + 1
        keys.append((name, count))
    return keys


def identity(trade: Trade) -> object:
    """Return what tells a trade where REST and stream name it by the same id."""
    return trade.id


def content(trade: Trade) -> object:
    """Return what tells a trade where REST and stream name it by ids of different kinds."""
    return trade.exchange_time, _plain(trade.price), _plain(trade.amount), trade.side


def _plain(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number


def _mark(trade: Trade) -> Mark:
    return Mark(trade.id, trade.exchange_time)


def _filled(trade: Trade) -> Trade:
    return trade if trade.backfilled else replace(trade, backfilled=True)
