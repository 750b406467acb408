"""What a book stream says beside its books, in the wire's form."""

from __future__ import annotations

from collector_core.errors import SequenceGap
from collector_core.events import State, Status

__all__ = ["ANEW", "BookRows"]

_MISSING = "book updates are missing"
ANEW = f"{_MISSING}, and their numbers began anew"


class BookRows:
    """Makes the status rows of one symbol's book topic."""

    __slots__ = ("_exchange", "_symbol")

    def __init__(self, exchange: str, symbol: str) -> None:
        self._exchange = exchange
        self._symbol = symbol

    def gap(self, gap: SequenceGap, receive_time: int | None, *, linked: bool) -> Status:
        """Return the row that says that updates are missing.

        Linked numbers have holes: what lies between two of them is no count of updates.
        """
        if not linked:
            first, last = gap.expected, gap.received - 1
            return self.status("gap", receive_time, _MISSING, first, last, last - first + 1)
        if gap.received > gap.expected:
            return self.status("gap", receive_time, _MISSING, gap.expected + 1, gap.received)
        return self.status("gap", receive_time, ANEW)

    def status(
        self,
        state: State,
        receive_time: int | None,
        reason: str | None,
        first: int | None = None,
        last: int | None = None,
        count: int | None = None,
    ) -> Status:
        """Return a row; ``first`` and ``last`` are numbers of updates, both inclusive."""
        return Status(
            exchange=self._exchange,
            symbol=self._symbol,
            exchange_time=None,
            receive_time=receive_time,
            epoch=0,
            seq=0,
            state=state,
            channel="book",
            reason=reason,
            from_=None if first is None else str(first),
            to=None if last is None else str(last),
            count=count,
            unit=None if first is None else "sequence",
        )
