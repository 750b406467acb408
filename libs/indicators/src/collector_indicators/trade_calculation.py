"""Bars, and indicators over them, from the rows of one symbol's trade topic.

How a trade costs little: trades in order of time that cross no boundary are only collected; one
comparison with the two ends of a window tells. The window ends where any bar ends, any bar's
grace is over, or the live grid goes on. There, what was collected becomes one part, and each
interval takes in the part instead of its trades. Parts are exact, so nothing depends on where
they are cut. Bars that close when they are full look at each trade, for any may be the last one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Self

from msgspec.msgpack import Decoder

from collector_core.events import Clock, Event, Status, Trade
from collector_indicators.bars import TimeBars
from collector_indicators.calculation import NO_ROWS, SeriesCalculation, read_state, write_state
from collector_indicators.fill import Fill
from collector_indicators.filled_bars import FilledBars
from collector_indicators.partial_bar import PartialBar, time_of
from collector_indicators.series import Series
from collector_indicators.settings import CalculationSettings
from collector_indicators.trade_state import Moving, OpenState

__all__ = ["TradeCalculation"]

_NEVER: Final = 1 << 62
_COLLECTED: Final = 256
"""Trades collected at most before they become a part."""
_HELD: Final = 1_000
"""Bars of an interval that wait, at most, for the end of a backfill."""


_OPEN: Final = Decoder(OpenState)


class TradeCalculation(SeriesCalculation):
    """Takes trade, clock and status rows; gives bar and indicator rows."""

    def __init__(self, exchange: str, symbol: str, settings: CalculationSettings) -> None:
        super().__init__(exchange, symbol, settings)
        self._bars: list[TimeBars] = []
        self._filled: list[FilledBars] = []
        for interval in settings.intervals:
            fill = Fill.parse(interval)
            if fill is None:
                series = Series("bar:time", interval, settings.indicators)
                self._bars.append(TimeBars(interval, series, settings.horizon))
            else:
                series = Series(f"bar:{fill.kind}", fill.size, settings.indicators)
                self._filled.append(FilledBars(fill, series, settings.horizon))
        # trades in order within one window, and what earlier ones of the window became
        self._collected: list[Trade] = []
        self._segment: PartialBar | None = None
        # the window: a trade at low or later, and before high, is only collected
        self._low = -_NEVER
        self._high = -_NEVER
        # first end of the bars that hold the segment
        self._segment_end = -_NEVER
        # largest time of a live row that was not only collected
        self._now = -_NEVER
        # largest time of a trade that waits for the end of a backfill
        self._held_until: int | None = None
        # first time at which a bar closes, and at which live values are due
        self._close_due = _NEVER
        self._live_due = -_NEVER
        # late trades changed bars whose new rows are still to be given out
        self._revising = False
        # trades without any time
        self.untimed = 0

    # --- rows in ------------------------------------------------------------------------------

    def feed(self, row: Event) -> Sequence[Event]:
        """Take the next row of the trade topic; return the rows that follow from it."""
        if type(row) is Trade:
            time = row.exchange_time
            if time is None:
                time = row.receive_time
                if time is None:
                    self.untimed += 1
                    return NO_ROWS
            if self._low <= time < self._high:
                self._low = time
                self._collected.append(row)
                if len(self._collected) >= _COLLECTED:
                    self._fold()
                if not self._filled:
                    return NO_ROWS
                self._output.caused_by(row)
                self._fill(row, time)
                return self._output.take()
            self._output.caused_by(row)
            self._take_trade(row, time)
        elif type(row) is Clock:
            if row.time < self._high:
                self._now = max(self._now, row.time)
                return NO_ROWS
            self._output.caused_by(row)
            self._take_live(row.time)
        elif type(row) is Status:
            self._output.caused_by(row)
            self._take_status(row)
        else:
            self.foreign += 1
            return NO_ROWS
        self._set_window()
        return self._output.take()

    def feed_many(self, rows: Iterable[Event]) -> list[Event]:
        """Take rows one after another; return all that follows from them, in order."""
        if self._filled:
            return super().feed_many(rows)
        given: list[Event] = []
        # the same comparison as in feed, on local names: most of the work of a busy topic
        collected, low, high = self._collected, self._low, self._high
        for row in rows:
            if type(row) is Trade:
                time = row.exchange_time
                if time is not None and low <= time < high and len(collected) < _COLLECTED:
                    low = time
                    collected.append(row)
                    continue
            self._low = low
            given += self.feed(row)
            collected, low, high = self._collected, self._low, self._high
        self._low = low
        return given

    def _take_trade(self, trade: Trade, time: int) -> None:
        if not self._begun:
            self._begin(time)
        waits = trade.backfilled and bool(self._gaps.pending)
        if waits:
            self._gaps.row_filled(time)
            until = self._held_until
            self._held_until = time if until is None else max(until, time)
        if time < self._low:
            self._take_late(trade, time, waits=waits)
            return
        if waits and self._may_wait():
            self._publish_revisions()
        else:
            self._take_live(time, resolve=not waits)
        if time >= self._segment_end:
            self._flush()
            ends = [bars.timeframe.end_of(bars.timeframe.open_of(time)) for bars in self._bars]
            self._segment_end = min(ends, default=_NEVER)
        self._collected.append(trade)
        self._low = time
        self._fill(trade, time)

    def _may_wait(self) -> bool:
        """Tell whether bars can wait for the end of a backfill a little longer."""
        return all(len(bars.parts) < _HELD for bars in self._bars) and all(
            len(bars.full) < _HELD for bars in self._filled
        )

    def _fill(self, trade: Trade, time: int) -> None:
        """Let bars that close when they are full take a trade, and close."""
        for bars in self._filled:
            if bars.add(trade, time):
                self._revising = True
                self._generation += 1
        if not self._gaps.pending:
            self._close_full()

    def _close_full(self) -> None:
        for bars in self._filled:
            if bars.full:
                # a bar that closes may put one that changed beyond the horizon
                self._publish_revisions()
                bars.close_full(self._gaps, self._output)
                self._generation += 1

    def _take_late(self, trade: Trade, time: int, *, waits: bool) -> None:
        """Take a trade that is not in order of time: put it where it belongs."""
        if not waits:
            self._gaps.resolve(max(time, self._low))
        self._flush()
        part = PartialBar.of((trade,), time, time)
        for bars in self._bars:
            if bars.add(part, self._gaps):
                self._revising = True
                self._generation += 1
        self._fill(trade, time)

    def _take_status(self, status: Status) -> None:
        self._publish_revisions()
        if status.channel != "trade":
            return
        if status.state == "gap":
            self._gaps.open(status, self._seen_until())
        elif status.state == "backfilled":
            self._gaps.fill(status)
            if self._held_until is not None and not self._gaps.pending:
                self._take_live(self._held_until)

    def _seen_until(self) -> int:
        return max(self._low, self._now, self._held_until or self._now)

    # --- time ---------------------------------------------------------------------------------

    @property
    def _begun(self) -> bool:
        return all(bars.since is not None for bars in self._bars)

    def _begin(self, time: int) -> None:
        for bars in self._bars:
            if bars.since is None:
                bars.since = time
                bars.advance(time - self.settings.grace)
        self._low = max([self._low, *(bars.frontier for bars in self._bars)])
        self._set_due()

    def _take_live(self, time: int, *, resolve: bool = True) -> None:
        """Let a row of the running stream move the time: revise, close, then live values."""
        if not self._begun:
            self._begin(time)
        self._publish_revisions()
        if resolve:
            self._gaps.resolve(time)
        if self._held_until is not None:
            time = max(time, self._held_until)
            if resolve:
                self._held_until = None
        closing = time >= self._close_due
        every = self.settings.live_every
        living = every is not None and time >= self._live_due
        if closing or living:
            self._flush()
        if closing:
            waited = time - self.settings.grace
            for bars in self._bars:
                if waited >= bars.frontier_end and bars.close_until(
                    waited, self._gaps, self._output
                ):
                    self._generation += 1
            self._set_due()
            self._forget_gaps()
            # an earlier trade is late for at least one interval
            self._low = max([self._low, *(bars.frontier for bars in self._bars)])
        self._close_full()
        if living and every is not None:
            for each in self._by_interval().values():
                each.live(self._gaps, self._output)
            self._live_due = (time // every + 1) * every
        self._now = max(self._now, time)

    def _publish_revisions(self) -> None:
        """Give out what late trades changed, once for all that came one after another."""
        if self._revising:
            self._revising = False
            for bars in self._by_interval().values():
                if bars.publish_revisions(self._output):
                    self._generation += 1

    def _set_due(self) -> None:
        ends = (bars.frontier_end for bars in self._bars)
        self._close_due = min(ends, default=_NEVER) + self.settings.grace

    def _forget_gaps(self) -> None:
        filled = [bars.reach for bars in self._filled]
        reaches = [-_NEVER if reach is None else reach for reach in filled]
        self._gaps.forget(min([*reaches, *(bars.reach for bars in self._bars)]))

    def _set_window(self) -> None:
        if self._revising or self._gaps.pending:
            self._high = -_NEVER
        else:
            live_due = _NEVER if self.settings.live_every is None else self._live_due
            self._high = min(self._segment_end, self._close_due, live_due)

    # --- collected trades -----------------------------------------------------------------------

    def _fold(self) -> None:
        """Make the collected trades a part of the segment."""
        trades = self._collected
        if trades:
            first, last = time_of(trades[0]), time_of(trades[-1])
            self._collected = []
            if not self._bars:
                return
            part = PartialBar.of(trades, first or 0, last or 0)
            if self._segment is None:
                self._segment = part
            else:
                self._segment.merge(part)

    def _flush(self) -> None:
        """Let each interval take in the segment."""
        self._fold()
        if self._segment is not None:
            for bars in self._bars:
                bars.add(self._segment, self._gaps)
            self._segment = None

    # --- state ----------------------------------------------------------------------------------

    @property
    def late(self) -> dict[str, int]:
        """Trades that came after their bar had closed and revised it, by interval."""
        return {interval: bars.late for interval, bars in self._by_interval().items()}

    @property
    def dropped(self) -> dict[str, int]:
        """Trades that came later than the horizon and are in no bar, by interval."""
        return {interval: bars.dropped for interval, bars in self._by_interval().items()}

    def _by_interval(self) -> dict[str, TimeBars | FilledBars]:
        timed = {bars.timeframe.interval: bars for bars in self._bars}
        return {**timed, **{bars.fill.text: bars for bars in self._filled}}

    def open_state(self) -> bytes:
        """Return open bars and counters, with ``next_offset`` as the holder set it."""
        self._fold()
        moving = Moving(
            self._low,
            self._segment_end,
            self._now,
            self._held_until,
            self._live_due,
            self._segment,
            self.untimed,
        )
        return write_state(
            OpenState(
                self._header(),
                moving,
                self._gaps.pending,
                self._gaps.known,
                [bars.state() for bars in self._bars],
                [bars.state() for bars in self._filled],
            )
        )

    def restore(self, open_state: bytes, closed_state: bytes | None) -> None:
        """Go on where a calculation of this symbol stood when the two states were taken."""
        state = read_state(open_state, _OPEN, "open state")
        sizes = {bars.size: bars for bars in state.filled}
        known = {bars.interval: bars for bars in state.bars}
        self._restore(state.header, closed_state, {*known, *sizes})
        moving = state.moving
        self._low, self._segment_end = moving.low, moving.segment_end
        self._now, self._held_until = moving.now, moving.held_until
        self._live_due, self._segment = moving.live_due, moving.segment
        self.untimed = moving.untimed
        self._gaps.pending, self._gaps.known = state.pending, state.known
        for bars in self._bars:
            if bars.timeframe.interval in known:
                bars.restore(known[bars.timeframe.interval])
        for filled in self._filled:
            if filled.fill.text in sizes:
                filled.restore(sizes[filled.fill.text])
        self._revising = any(bars.revising for bars in self._by_interval().values())
        if any(bars.since is not None for bars in self._bars):
            self._take_in_new_intervals()
            self._set_due()
            self._set_window()

    def _take_in_new_intervals(self) -> None:
        """Let the intervals that the state did not have begin where this calculation stands."""
        if all(bars.since is not None for bars in self._bars):
            return
        # the trades so far are those of the others; windows are cut anew
        for bars in self._bars:
            if bars.since is not None and self._segment is not None:
                bars.add(self._segment, self._gaps)
        self._segment, self._segment_end = None, -_NEVER
        self._begin(self._seen_until())

    def _settle(self) -> None:
        self._flush()
        self._segment_end = -_NEVER

    def _adopt_interval(self, interval: str, other: Self) -> None:
        # of the same class and settings
        timed = zip(self._bars, other._bars, strict=True)
        self._bars = [b if b.timeframe.interval == interval else a for a, b in timed]
        sized = zip(self._filled, other._filled, strict=True)
        self._filled = [b if b.fill.text == interval else a for a, b in sized]

    def _adopted(self) -> None:
        self._revising = any(bars.revising for bars in self._by_interval().values())
        self._low = max([self._low, *(bars.frontier for bars in self._bars)])
        self._set_due()
        self._set_window()

    def _series(self) -> list[tuple[str, Series]]:
        return [(interval, bars.series) for interval, bars in self._by_interval().items()]
