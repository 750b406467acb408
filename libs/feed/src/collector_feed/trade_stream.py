"""Integrity of one symbol's trades: doubles dropped, gaps said and filled, all in order.

With contiguous ids each missing trade is known by its id, with unique ids an audit finds it. Where
REST gives back the past, live trades wait for it (``trade_fill``); elsewhere the gap is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from msgspec.structs import replace

from collector_core.events import Clock, Event, Status, Trade
from collector_feed.outputs import Mark
from collector_feed.recent_trades import RecentTrades, TradeSeed
from collector_feed.trade_fill import (
    HELD,
    Fill,
    MissingIds,
    absent,
    between,
    by_id,
    content,
    identity,
)
from collector_feed.trade_rows import AUDITED, MAYBE, MISSING, UNFILLED, Ends, TradeRows, Unit

__all__ = ["TradeStream"]

_ANEW: Final = 1_000_000
"""Microseconds by which a trade with a smaller id must be younger to prove that ids began anew."""


class TradeStream:
    """Takes the trades of one symbol in order of arrival and gives the rows to publish.

    Args:
        exchange, symbol: what the rows are of.
        ids: what the exchange's ids are worth.
        seed: what is on the bus already.
        fills: the holder fetches what is missing (``filling``, ``wish``).
        same_ids: REST names trades by the ids of the stream.
    """

    __slots__ = (
        "_contiguous",
        "_exchange",
        "_fills",
        "_kept",
        "_key",
        "_missing",
        "_outage",
        "_rows",
        "_symbol",
        "_unique",
        "clocked",
        "doubles",
        "filled",
        "filling",
        "healthy",
        "lost",
        "next_id",
        "recent",
        "time",
        "wish",
    )

    def __init__(
        self,
        exchange: str,
        symbol: str,
        ids: Literal["contiguous", "unique", "none"],
        seed: TradeSeed | None = None,
        *,
        fills: bool = False,
        same_ids: bool = True,
    ) -> None:
        self._exchange = exchange
        self._symbol = symbol
        self._rows = TradeRows(exchange, symbol)
        self._contiguous = ids == "contiguous"
        self._unique = ids == "unique"
        self._fills = fills and ids != "none"
        self._key = identity if same_ids else content
        # the hole that is being filled; ``wish`` until the holder has taken note of it
        self.filling: Fill | None = None
        self.wish = False
        # live trades of a fill that a lost connection cut short
        self._kept: list[Trade] = []
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
        # counters: trades dropped as doubles, trades that gap rows name by their ids and that
        # stayed missing, and trades that were fetched
        self.doubles = 0
        self.lost = 0
        self.filled = 0
        # ids that gap rows named and that may still come
        self._missing = MissingIds()
        self.recent = RecentTrades(same_ids=same_ids)
        if seed is not None:
            self.time = seed.time or 0
            self.recent.plant(seed)
            numbers = [int(ident) for ident in seed.ids if ident.isdecimal()]
            if self._contiguous and numbers:
                self.next_id = max(numbers) + 1

    def follows(self, trade: Trade) -> bool:
        """Tell whether a trade is just the next one, and take it if so; the hot path."""
        if not self.healthy or self.next_id < 0:
            return False
        ident = trade.id
        number = int(ident) if ident is not None and ident.isdecimal() else -1
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
        if self.filling is not None:
            self.filling.held.append(trade)
            if len(self.filling.held) > HELD:
                self.give_up(out)
        elif self._contiguous and ident is not None and ident.isdecimal():
            number = int(ident)
            if number == self.next_id:
                self.next_id = number + 1
                if not self.healthy:
                    self._recovered()
                self._publish(trade, out)
            else:
                self._jump(number, trade, out)
        elif self._unique and ident is not None:
            self._take_unique(trade, out)
        else:
            if self._outage:
                out.append(self._gap_in_time(trade))
            self._recovered()
            self._publish(trade, out)

    def begin(self) -> None:
        """The exchange sends this stream's trades from now on."""
        if not self._outage:
            self.healthy = True
        elif self._fills and self.filling is None and self._has_past():
            # no need to wait for the next trade, which a quiet symbol may not have for hours
            self._fill()

    def interrupted(self) -> None:
        """Trades may have been missed: until the next one nothing can be said of this stream."""
        self._outage = self._outage or self.healthy or self.filling is not None
        self.healthy = False
        if self.filling is not None:
            # one connection after another may bring the same
            known = {trade.id: trade for trade in (*self._kept, *self.filling.held)}
            self._kept = [*known.values()][-HELD:]
            self.filling = None
            self.wish = False

    def clock(self, time: int, receive_time: int) -> Clock | None:
        """Return the clock row for the whole second ``time``, in microseconds, if one is due.

        None while the stream is broken, or when the second before ``time`` had a trade.
        """
        if not self.healthy or time <= self.clocked or self.time > time - 1_000_000:
            return None
        self.clocked = time
        return Clock(self._exchange, self._symbol, time, receive_time, 0, 0, time)

    def seed(self) -> TradeSeed:
        """Return what a later stream of this symbol has to know."""
        if self._contiguous and self.next_id > 0:
            return TradeSeed((str(self.next_id - 1),), self.time or None)
        return self.recent.seed(self.time or None)

    @property
    def gaps(self) -> int:
        """Gap rows so far."""
        return self._rows.gaps

    def _has_past(self) -> bool:
        # something to go on from: the id before the hole, or its time
        return self.next_id > 0 if self._contiguous else self.time > 0

    def _fill(self, trade: Trade | None = None) -> None:
        last = str(self.next_id - 1) if self._contiguous else self.recent.last()
        self.filling = Fill(Mark(last, self.time or None), [] if trade is None else [trade])
        self.wish = True
        self.healthy = False

    def fetched(self, rows: Sequence[Trade], receive_time: int | None, out: list[Event]) -> None:
        """Take all that REST gave back of the hole, oldest first; append the rows that follow."""
        fill, self.filling, self.wish = self.filling, None, False
        if fill is None:
            return
        kept, self._kept = self._kept, []
        before = self.filled
        if self._contiguous:
            self._filled_by_id(fill, [*rows, *kept], receive_time, out)
        else:
            self._filled_in_time(fill, rows, kept, receive_time, out)
        if fill.flows(self.filled - before):
            self._recovered()
        # a trade that came behind a later one would open its own hole again, for ever
        for trade in sorted(fill.held, key=_place) if self._contiguous else fill.held:
            self.take(trade, out)

    def audit(
        self, found: Sequence[Trade], since: int, until: int, receive_time: int, out: list[Event]
    ) -> bool:
        """Compare a part of the history, (since, until] in microseconds, with what is on the bus.

        ``found`` is oldest first. What is missing is appended to ``out``, late, between a gap and
        a ``backfilled`` row. Return False where too little is remembered to compare.
        """
        if not self.healthy or self._contiguous or self.recent.since() > since:
            return False
        missing = absent(found, since, until, self.recent.published(), self._key)
        if missing:
            # a history that does not go back to the last trade says nothing of what is between
            whole = (found[0].exchange_time or 0) <= max(since, self.time)
            first = missing[0].exchange_time or 0
            ends = first if whole else self.time, missing[-1].exchange_time
            self._tell(missing, ends, AUDITED, receive_time, out, None if whole else first)
        return True

    def give_up(self, out: list[Event]) -> None:
        """Go on without what is missing; append the gap and the live trades that waited."""
        fill, self.filling, self.wish = self.filling, None, False
        if fill is None:
            return
        live = [*self._kept, *fill.held]
        self._kept = []
        fills, self._fills = self._fills, False
        self._outage = True
        for trade in live:
            self.take(trade, out)
        self._fills = fills

    def _filled_by_id(
        self, fill: Fill, found: list[Trade], receive_time: int | None, out: list[Event]
    ) -> None:
        first = self.next_id
        live = [int(t.id) for t in fill.held if t.id is not None and t.id.isdecimal()]
        ids = [int(t.id) for t in found if t.id is not None and t.id.isdecimal()]
        # up to the first live trade; without one as far as the history goes
        last = min((n for n in live if n >= first), default=max(ids, default=0) + 1) - 1
        if last < first:
            return
        parts = by_id(first, last, [*found, *fill.held])
        out.append(self._rows.gap(receive_time, (first, last), "id", MISSING, last - first + 1))
        for part in parts:
            self._write(part.trades, (part.first, part.last), "id", receive_time, out)
        for part in parts:
            if not part.trades:
                count = part.last - part.first + 1
                self.lost += count
                self._missing.add(part.first, part.last)
                ends = part.first, part.last
                out.append(self._rows.gap(receive_time, ends, "id", UNFILLED, count))
        self.next_id = last + 1

    def _filled_in_time(
        self,
        fill: Fill,
        found: Sequence[Trade],
        kept: list[Trade],
        receive_time: int | None,
        out: list[Event],
    ) -> None:
        got, whole = between(fill, found, self.recent.published(), self._key)
        names = {self._key(row) for row in found}
        # what an earlier connection brought and the history does not go back to
        rows = [*(t for t in kept if self._key(t) not in names and t.id not in self.recent), *got]
        rows.sort(key=lambda trade: trade.exchange_time or 0)
        if whole and not rows:
            return
        end = fill.held[0].exchange_time if fill.held else None
        if end is None:
            end = max((row.exchange_time or 0 for row in rows), default=receive_time)
        # between what was kept and what was fetched more may be missing
        reach = None if whole else (got[0].exchange_time if got else end) or 0
        self._tell(rows, (fill.after.time, end), MAYBE, receive_time, out, reach)

    def _tell(
        self,
        rows: Sequence[Trade],
        ends: Ends,
        reason: str,
        receive_time: int | None,
        out: list[Event],
        whole_from: int | None,
    ) -> None:
        out.append(self._rows.gap(receive_time, ends, "time", reason))
        filled = ends if whole_from is None else (whole_from + 1, ends[1])
        self._write(rows, filled, "time", receive_time, out)
        if whole_from is not None:
            out.append(self._rows.gap(receive_time, (ends[0], whole_from), "time", UNFILLED))

    def _write(
        self,
        trades: Sequence[Trade],
        ends: Ends,
        unit: Unit,
        receive_time: int | None,
        out: list[Event],
    ) -> None:
        if not trades:
            return
        for trade in trades:
            row = trade if trade.backfilled else replace(trade, backfilled=True)
            if not self._contiguous and row.id is not None:
                self.recent.remember(row)
            self._publish(row, out)
        self.filled += len(trades)
        out.append(self._rows.backfilled(receive_time, ends, unit, "from the history", len(trades)))

    def _recovered(self) -> None:
        self.healthy = True
        self._outage = False

    def _publish(self, trade: Trade, out: list[Event]) -> None:
        self.time = max(self.time, trade.exchange_time or trade.receive_time or 0)
        out.append(trade)

    def _jump(self, number: int, trade: Trade, out: list[Event]) -> None:
        if self.next_id < 0:
            if self._outage:
                out.append(self._gap_in_time(trade))
            self._go_on(number, trade, out)
        elif number > self.next_id:
            if self._fills:
                self._fill(trade)
                return
            missing = number - self.next_id
            self.lost += missing
            self._missing.add(self.next_id, number - 1)
            ends = self.next_id, number - 1
            out.append(self._rows.gap(trade.receive_time, ends, "id", MISSING, missing))
            self._go_on(number, trade, out)
        elif self.time and (trade.exchange_time or 0) > self.time + _ANEW:
            # younger than all before it, yet with a smaller id: the exchange counts anew
            self._missing.clear()
            out.append(self._gap_in_time(trade, "trade ids began anew; trades may be missing"))
            self._go_on(number, trade, out)
        elif self._missing.take(number):
            out.append(replace(trade, backfilled=True))
            ends = number, number
            out.append(self._rows.backfilled(trade.receive_time, ends, "id", "came late", 1))
        else:
            self.doubles += 1

    def _go_on(self, number: int, trade: Trade, out: list[Event]) -> None:
        self.next_id = number + 1
        self._recovered()
        self._publish(trade, out)

    def _take_unique(self, trade: Trade, out: list[Event]) -> None:
        if self.recent.holds(trade):
            # the first trade after an outage that we have already: nothing happened meanwhile
            self._recovered()
            self.doubles += 1
            return
        if self._outage:
            if self._fills and self._has_past():
                self._fill(trade)
                return
            out.append(self._gap_in_time(trade))
        self._recovered()
        self.recent.remember(trade)
        self._publish(trade, out)

    def _gap_in_time(self, trade: Trade, reason: str = MAYBE) -> Status:
        ends = self.time or None, trade.exchange_time or trade.receive_time
        return self._rows.gap(trade.receive_time, ends, "time", reason)


def _place(trade: Trade) -> tuple[int, int]:
    # the time comes first: ids that began anew are smaller, and younger
    number = int(trade.id) if trade.id is not None and trade.id.isdecimal() else 0
    return trade.exchange_time or 0, number
