"""Indicators over the candles that an exchange publishes, from one symbol's candle topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Self

import msgspec

from collector_core.events import Candle, Event, Status
from collector_indicators.calculation import (
    NO_ROWS,
    OpenHeader,
    SeriesCalculation,
    read_state,
    write_state,
)
from collector_indicators.gaps import Gap
from collector_indicators.merged_candles import MergedCandles, MergedState, Source
from collector_indicators.ohlcv import of_candle
from collector_indicators.series import ClosedBar, Series
from collector_indicators.settings import CalculationSettings
from collector_indicators.timeframe import Timeframe

__all__ = ["CandleCalculation"]

_NEVER: Final = 1 << 62


class _OpenCandle(msgspec.Struct):
    interval: str
    held: Candle | None
    stirred: bool
    late: int
    dropped: int
    merged: MergedState | None = None


class _OpenState(msgspec.Struct):
    header: OpenHeader
    now: int
    live_due: int
    pending: list[Gap]
    known: list[Gap]
    candles: list[_OpenCandle]


_OPEN: Final = msgspec.msgpack.Decoder(_OpenState)


class _Candles:
    """The candles of one interval."""

    __slots__ = ("dropped", "held", "late", "merged", "series", "source", "stirred", "timeframe")

    def __init__(self, source: Source, settings: CalculationSettings) -> None:
        self.timeframe = Timeframe(source.interval)
        self.series = Series("candle", source.interval, settings.indicators)
        # interval of the rows that these candles are, or are merged from
        self.source = source.parts or source.interval
        self.merged = MergedCandles(source, settings.horizon) if source.parts else None
        # the open candle, as last seen
        self.held: Candle | None = None
        # something changed since the last live rows
        self.stirred = False
        # candles that revised a closed one or came in before one, and those that came too late
        self.late = 0
        self.dropped = 0


class CandleCalculation(SeriesCalculation):
    """Takes candle and status rows; gives indicator rows.

    A candle is closed when its row says so. A row for a closed candle with other numbers is a
    late correction and revises, within the horizon. A gap marks what is computed over the hole
    that it left between two candles; the candles that came are whole, those merged from smaller
    ones unless it took a part.
    """

    def __init__(self, exchange: str, symbol: str, settings: CalculationSettings) -> None:
        super().__init__(exchange, symbol, settings)
        self._candles = {
            text: _Candles(Source.parse(text), settings) for text in settings.intervals
        }
        # largest time of a row so far
        self._now = -_NEVER
        self._live_due = -_NEVER

    def feed(self, row: Event) -> Sequence[Event]:
        """Take the next row of the candle topic; return the rows that follow from it."""
        if isinstance(row, Candle):
            self._output.caused_by(row)
            times = (row.exchange_time, row.receive_time, row.open_time)
            self._take_time(next(time for time in times if time is not None))
            if not row.backfilled and self._gaps.pending:
                # whatever its interval: what is chosen must not change where a gap ends
                self._gaps.resolve(self._now)
            for candles in self._candles.values():
                if candles.source != row.interval:
                    continue
                if candles.merged is None:
                    self._take_candle(candles, row)
                    continue
                for merged in candles.merged.take(row):
                    self._take_candle(candles, merged)
            return self._output.take()
        if isinstance(row, Status):
            self._output.caused_by(row)
            if row.channel == "candle" and row.state == "gap":
                self._gaps.open(row, self._now)
            elif row.channel == "candle" and row.state == "backfilled":
                self._gaps.fill(row)
            return NO_ROWS
        self.foreign += 1
        return NO_ROWS

    def _take_time(self, time: int) -> None:
        every = self.settings.live_every
        if every is not None and time >= self._live_due:
            for candles in self._candles.values():
                self._live(candles)
            self._live_due = (time // every + 1) * every
        self._now = max(self._now, time)

    def _live(self, candles: _Candles) -> None:
        held, stirred, candles.stirred = candles.held, candles.stirred, False
        if stirred and held is not None:
            touched = self._missing(candles, held)
            candles.series.live(of_candle(held), touched, self._output)

    def _take_candle(self, candles: _Candles, row: Candle) -> None:
        end = candles.series.end
        if end is not None and row.open_time < end:
            if row.closed:
                self._take_late(candles, row, end)
            return
        candles.stirred = True
        if not row.closed:
            if candles.held is None or row.open_time >= candles.held.open_time:
                candles.held = row
            return
        if candles.held is not None and candles.held.open_time <= row.open_time:
            candles.held = None
        touched = self._missing(candles, row)
        bar = ClosedBar(row.open_time, row.close_time, of_candle(row), touched=touched)
        candles.series.close(bar, self._reach(candles, row.close_time), self._output)
        self._generation += 1
        ends = [other.series.end for other in self._candles.values()]
        self._gaps.forget(min(-_NEVER if end is None else end for end in ends))

    def _take_late(self, candles: _Candles, row: Candle, end: int) -> None:
        series, numbers = candles.series, of_candle(row)
        known = series.find(row.open_time)
        if known is not None and known.ohlcv == numbers:
            # told again, as before
            return
        settled = series.settled
        if row.open_time < self._reach(candles, end) or (
            settled is not None and row.open_time < settled
        ):
            candles.dropped += 1
            return
        candles.late += 1
        candles.stirred = True
        if known is None:
            series.insert(ClosedBar(row.open_time, row.close_time, numbers))
        else:
            known.ohlcv = numbers
        series.revise(row.open_time, self._output)
        self._generation += 1

    def _reach(self, candles: _Candles, end: int) -> int:
        timeframe = candles.timeframe
        return timeframe.back(timeframe.open_of(end), self.settings.horizon)

    def _missing(self, candles: _Candles, row: Candle) -> int | None:
        """Return the last time that is missing between the last closed candle and this one."""
        opened, end = row.open_time, candles.series.end
        start = opened if end is None else min(end, opened)
        if candles.merged is None:
            return self._gaps.touch(start, opened) if start < opened else None
        touched = self._gaps.touch(start, row.close_time)
        since = candles.merged.since
        if touched is None and since is not None and since > opened:
            # its parts before the log began are not known
            return since - 1
        return touched

    # --- state ----------------------------------------------------------------------------------

    @property
    def late(self) -> dict[str, int]:
        """Rows that changed what had closed already, by interval."""
        return {interval: candles.late for interval, candles in self._candles.items()}

    @property
    def dropped(self) -> dict[str, int]:
        """Rows that came later than the horizon, by interval."""
        return {interval: candles.dropped for interval, candles in self._candles.items()}

    def open_state(self) -> bytes:
        """Return open candles and counters, with ``next_offset`` as the holder set it."""
        return write_state(
            _OpenState(
                self._header(),
                self._now,
                self._live_due,
                self._gaps.pending,
                self._gaps.known,
                [
                    _OpenCandle(
                        interval,
                        one.held,
                        one.stirred,
                        one.late,
                        one.dropped,
                        None if one.merged is None else one.merged.state(),
                    )
                    for interval, one in self._candles.items()
                ],
            )
        )

    def restore(self, open_state: bytes, closed_state: bytes | None) -> None:
        """Go on where a calculation of this symbol stood when the two states were taken."""
        state = read_state(open_state, _OPEN, "open state")
        self._restore(state.header, closed_state, {one.interval for one in state.candles})
        self._now, self._live_due = state.now, state.live_due
        self._gaps.pending, self._gaps.known = state.pending, state.known
        for stored in state.candles:
            candles = self._candles.get(stored.interval)
            if candles is not None:
                candles.held, candles.stirred = stored.held, stored.stirred
                candles.late, candles.dropped = stored.late, stored.dropped
                if candles.merged is not None and stored.merged is not None:
                    candles.merged.restore(stored.merged)

    def _adopt_interval(self, interval: str, other: Self) -> None:
        self._candles[interval] = other._candles[interval]  # of the same class

    def _series(self) -> list[tuple[str, Series]]:
        return [(interval, candles.series) for interval, candles in self._candles.items()]
