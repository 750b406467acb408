"""Integrity of one symbol's trades: doubles dropped, gaps said, late ones put where they belong.

With contiguous ids each missing trade is known by its id. With unique ids a loss within a live
connection cannot be seen; over an outage it is bounded by the times of the trades around it, and
disproved when the first trade after it is one that we have.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from collector_core.events import Clock, Event, Status, Trade

__all__ = ["TradeSeed", "TradeStream"]

_RECENT: Final = 2_000
"""Ids remembered to drop doubles, for exchanges whose ids do not count."""
_ANEW: Final = 1_000_000
"""Microseconds by which a trade with a smaller id must be younger to prove that ids began anew."""
_GAPS: Final = 64
"""Gaps remembered to take in trades that come late."""


class TradeSeed(msgspec.Struct, frozen=True):
    """What is on the bus already of a symbol's trades: ids, oldest first, and the last time."""

    ids: tuple[str, ...]
    time: int | None


class TradeStream:
    """Takes the trades of one symbol in order of arrival and gives the rows to publish."""

    __slots__ = (
        "_contiguous",
        "_exchange",
        "_gaps",
        "_order",
        "_outage",
        "_recent",
        "_symbol",
        "_unique",
        "clocked",
        "doubles",
        "gaps",
        "healthy",
        "lost",
        "next_id",
        "time",
    )

    def __init__(
        self,
        exchange: str,
        symbol: str,
        ids: Literal["contiguous", "unique", "none"],
        seed: TradeSeed | None = None,
    ) -> None:
        self._exchange = exchange
        self._symbol = symbol
        self._contiguous = ids == "contiguous"
        self._unique = ids == "unique"
        # id of the next trade (contiguous ids), or -1 when any may come
        self.next_id = -1
        # largest time of a trade so far, in microseconds; 0 when there was none
        self.time = 0
        # time of the last clock row
        self.clocked = 0
        # the stream runs and nothing is unsaid of it; clock rows may be written
        self.healthy = False
        # trades may have been missed since the last one; the next one tells
        self._outage = seed is not None
        # counters: trades dropped as doubles, gap rows, and trades that those name by their ids
        self.doubles = 0
        self.gaps = 0
        self.lost = 0
        # [first, last] ids that gap rows named and that may still come
        self._gaps: deque[tuple[int, int]] = deque(maxlen=_GAPS)
        self._recent: set[str] = set()
        self._order: deque[str] = deque()
        if seed is not None:
            self.time = seed.time or 0
            for ident in seed.ids:
                self._remember(ident)
            numbers = [int(ident) for ident in seed.ids if ident.isdecimal()]
            if self._contiguous and numbers:
                self.next_id = max(numbers) + 1

    def follows(self, trade: Trade) -> bool:
        """Tell whether a trade is just the next one, and take it if so; the hot path."""
        if not self.healthy:
            return False
        try:
            # next_id is no number of a trade where ids do not count
            number = int(trade.id)  # type: ignore[arg-type]  # None is a TypeError
        except (ValueError, TypeError):
            return False
        if number != self.next_id:
            return False
        self.next_id = number + 1
        time = trade.exchange_time or trade.receive_time or 0
        if time > self.time:
            self.time = time
        return True

    def take(self, trade: Trade, out: list[Event]) -> None:
        """Append to ``out`` what is to be published for a trade that arrived."""
        ident = trade.id
        if self._contiguous and ident is not None and ident.isdecimal():
            number = int(ident)
            if number == self.next_id:
                self.next_id = number + 1
                if not self.healthy:
                    self._recovered()
                self._publish(trade, out)
            else:
                self._jump(number, trade, out)
        elif self._unique and ident is not None:
            self._take_unique(ident, trade, out)
        else:
            if self._outage:
                out.append(self._gap_in_time(trade))
            self._recovered()
            self._publish(trade, out)

    def begin(self) -> None:
        """The exchange sends this stream's trades from now on."""
        if not self._outage:
            self.healthy = True

    def interrupted(self) -> None:
        """The connection is gone: until the next trade nothing can be said of this stream."""
        self._outage = self._outage or self.healthy
        self.healthy = False

    def clock(self, time: int, receive_time: int) -> Clock | None:
        """Return the clock row for the whole second ``time``, if one is due.

        ``time`` is in microseconds of the exchange's clock, and every trade up to it has been
        taken. None while the stream is broken, or when the second before ``time`` had a trade.
        """
        if not self.healthy or time <= self.clocked or self.time > time - 1_000_000:
            return None
        self.clocked = time
        return Clock(self._exchange, self._symbol, time, receive_time, 0, 0, time)

    def seed(self) -> TradeSeed:
        """Return what a later stream of this symbol has to know."""
        if self._contiguous and self.next_id > 0:
            return TradeSeed((str(self.next_id - 1),), self.time or None)
        return TradeSeed(tuple(self._order), self.time or None)

    def _recovered(self) -> None:
        self.healthy = True
        self._outage = False

    def _publish(self, trade: Trade, out: list[Event]) -> None:
        time = trade.exchange_time or trade.receive_time or 0
        if time > self.time:
            self.time = time
        out.append(trade)

    def _jump(self, number: int, trade: Trade, out: list[Event]) -> None:
        if self.next_id < 0:
            if self._outage:
                out.append(self._gap_in_time(trade))
            self.next_id = number + 1
            self._recovered()
            self._publish(trade, out)
        elif number > self.next_id:
            missing = number - self.next_id
            self.lost += missing
            self._gaps.append((self.next_id, number - 1))
            out.append(self._gap(trade, str(self.next_id), str(number - 1), missing, "id"))
            self.next_id = number + 1
            self._recovered()
            self._publish(trade, out)
        elif self.time and (trade.exchange_time or 0) > self.time + _ANEW:
            # younger than all before it, yet with a smaller id: the exchange counts anew
            self._gaps.clear()
            out.append(self._gap_in_time(trade, "trade ids began anew; trades may be missing"))
            self.next_id = number + 1
            self._recovered()
            self._publish(trade, out)
        elif self._fill(number):
            out.append(replace(trade, backfilled=True))
            out.append(self._status(trade, "backfilled", "came late", trade.id, trade.id, 1, "id"))
        else:
            self.doubles += 1

    def _fill(self, number: int) -> bool:
        for index, (first, last) in enumerate(self._gaps):
            if first <= number <= last:
                del self._gaps[index]
                for part in ((first, number - 1), (number + 1, last)):
                    if part[0] <= part[1]:
                        self._gaps.append(part)
                return True
        return False

    def _take_unique(self, ident: str, trade: Trade, out: list[Event]) -> None:
        if ident in self._recent:
            # the first trade after an outage that we have already: nothing happened meanwhile
            self._recovered()
            self.doubles += 1
            return
        if self._outage:
            out.append(self._gap_in_time(trade))
        self._recovered()
        self._remember(ident)
        self._publish(trade, out)

    def _remember(self, ident: str) -> None:
        if ident in self._recent:
            return
        self._recent.add(ident)
        self._order.append(ident)
        if len(self._order) > _RECENT:
            self._recent.discard(self._order.popleft())

    def _gap_in_time(self, trade: Trade, reason: str = "trades may be missing") -> Status:
        since = str(self.time) if self.time else None
        until = trade.exchange_time or trade.receive_time
        last = None if until is None else str(until)
        return self._gap(trade, since, last, None, "time", reason)

    def _gap(
        self,
        trade: Trade,
        first: str | None,
        last: str | None,
        count: int | None,
        unit: Literal["id", "time"],
        reason: str = "trades are missing",
    ) -> Status:
        self.gaps += 1
        return self._status(trade, "gap", reason, first, last, count, unit)

    def _status(
        self,
        trade: Trade,
        state: Literal["gap", "backfilled"],
        reason: str,
        first: str | None,
        last: str | None,
        count: int | None,
        unit: Literal["id", "time"],
    ) -> Status:
        return Status(
            exchange=self._exchange,
            symbol=self._symbol,
            exchange_time=None,
            receive_time=trade.receive_time,
            epoch=0,
            seq=0,
            state=state,
            channel="trade",
            reason=reason,
            from_=first,
            to=last,
            count=count,
            unit=unit,
        )
