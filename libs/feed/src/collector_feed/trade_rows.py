"""What a trade stream says beside its trades: gaps and what filled them, in the wire's form."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from collector_core.events import Status

__all__ = ["AUDITED", "MAYBE", "MISSING", "UNFILLED", "Ends", "TradeRows", "Unit"]

MISSING: Final = "trades are missing"
MAYBE: Final = "trades may be missing"
AUDITED: Final = "trades were missing, as the exchange's history shows"
UNFILLED: Final = "could not be had from the exchange's history"

Ends: TypeAlias = tuple[int | None, int | None]
"""First and last thing of a range, both inclusive; null where it is not known."""
Unit: TypeAlias = Literal["id", "time"]


class TradeRows:
    """Makes the status rows of one symbol's trade topic."""

    __slots__ = ("_exchange", "_symbol", "gaps")

    def __init__(self, exchange: str, symbol: str) -> None:
        self._exchange = exchange
        self._symbol = symbol
        # gap rows made, for metrics
        self.gaps = 0

    def gap(
        self,
        receive_time: int | None,
        ends: Ends,
        unit: Unit,
        reason: str,
        count: int | None = None,
    ) -> Status:
        """Return the row that says that trades are, or may be, missing."""
        self.gaps += 1
        return self._status("gap", receive_time, ends, unit, reason, count)

    def backfilled(
        self, receive_time: int | None, ends: Ends, unit: Unit, reason: str, count: int
    ) -> Status:
        """Return the row that says which part of a gap stands above it."""
        return self._status("backfilled", receive_time, ends, unit, reason, count)

    def _status(
        self,
        state: Literal["gap", "backfilled"],
        receive_time: int | None,
        ends: Ends,
        unit: Unit,
        reason: str,
        count: int | None,
    ) -> Status:
        first, last = ends
        return Status(
            exchange=self._exchange,
            symbol=self._symbol,
            exchange_time=None,
            receive_time=receive_time,
            epoch=0,
            seq=0,
            state=state,
            channel="trade",
            reason=reason,
            from_=None if first is None else str(first),
            to=None if last is None else str(last),
            count=count,
            unit=unit,
        )
