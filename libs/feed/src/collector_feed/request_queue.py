"""What waits for a budget: the urgent first, in order of asking, and nothing for ever."""

from __future__ import annotations

from enum import IntEnum
from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeVar

__all__ = ["Priority", "RequestQueue"]

Item = TypeVar("Item")


class Priority(IntEnum):
    """How long a request lets more urgent ones pass it, in seconds.

    So a class is served before the ones below it, and yet a lasting load of urgent requests
    starves none of them.
    """

    REPAIR = 0
    """A stream is broken until it is answered: book snapshots, gaps, attempts to connect."""
    ROUTINE = 60
    """Rows come from it, or the list of what is traded: polled candles, instruments."""
    AUDIT = 180
    """Nothing waits for it: comparisons of what is believed to be right."""


class RequestQueue(Generic[Item]):
    """Items by priority, first come first served within one; times are monotonic seconds."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Item]] = []
        self._order = count()

    def put(self, item: Item, priority: Priority, now: float) -> None:
        """Add an item."""
        heappush(self._heap, (now + priority, next(self._order), item))

    def head(self) -> Item | None:
        """Return the item that is next, None if there is none."""
        return self._heap[0][2] if self._heap else None

    def pop(self) -> Item:
        """Remove the item that is next and return it; raises IndexError if there is none."""
        return heappop(self._heap)[2]

    def __len__(self) -> int:
        return len(self._heap)
