"""When a shard writes a transaction.

Rows are published at most every ``tick``. State that changed without a row to publish (trades
within a bar, clocks) is written at most every ``checkpoint``: until then a restart reads those
input rows again, and comes to the same.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

__all__ = ["Due", "Schedule"]

Due: TypeAlias = Literal["nothing", "rows", "everything"]
"""What to write: partitions with rows to publish, or all that changed."""


class Schedule:
    """One shard's; times are monotonic seconds.

    Args:
        tick: least time between two transactions.
        checkpoint: time after which unpublished changes are written too.
    """

    def __init__(self, tick: float, checkpoint: float) -> None:
        self._tick = tick
        self._checkpoint = checkpoint
        # begin of the last transaction, and of the last that carried everything
        self._last = float("-inf")
        self._last_whole = float("-inf")

    def due(self, now: float, *, rows: bool, changed: bool) -> Due:
        """Return what is due; ``rows`` and ``changed`` tell what there is."""
        if not changed or now - self._last < self._tick:
            return "nothing"
        if now - self._last_whole >= self._checkpoint:
            return "everything"
        return "rows" if rows else "nothing"

    def written(self, now: float, what: Due) -> None:
        """Take note that a transaction began."""
        self._last = now
        if what == "everything":
            self._last_whole = now
