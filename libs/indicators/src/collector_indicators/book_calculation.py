"""Indicators over order books, from the rows of one symbol's book topic.

How a row costs little: a reading is taken only when the best levels changed, and nothing is summed
before that, or before an interval ends or the live grid goes on. Sums over time are exact, so it
does not matter where they are cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Self, cast

import msgspec
from msgspec.msgpack import Decoder

from collector_core.errors import NumberError, StateError
from collector_core.events import Book, Event, Status
from collector_indicators.book_indicator import TopOfBook
from collector_indicators.book_series import BookSeries, BookSeriesState, Readings
from collector_indicators.calculation import (
    NO_ROWS,
    Calculation,
    ClosedHeader,
    OpenHeader,
    read_state,
    write_state,
)
from collector_indicators.kept_book import DOUBTS, BookBase, BookChanges, KeptBook
from collector_indicators.selection import Choice
from collector_indicators.settings import CalculationSettings

__all__ = ["BookCalculation"]

_NEVER: Final = 1 << 62


class _OpenState(msgspec.Struct):
    header: OpenHeader
    now: int
    live_due: int
    stirred: bool
    skew: int | None
    book: BookChanges
    series: list[BookSeriesState]


class _ClosedState(ClosedHeader):
    book: BookBase


_OPEN: Final = Decoder(_OpenState)


class BookCalculation(Calculation):
    """Takes book and status rows; gives indicator rows.

    A row's place in time is its exchange time, or for a row without one the time at which it came
    as the exchange's clock has it: by the difference that the last row with both showed, less the
    grace. Rows count in the order of the log, which is that of the book's changes; one whose time
    is before that of the row above it counts at that row's.

    An interval closes with the first book row at or past its end, for only that row tells that
    nothing was missed before. What was doubted counts as unknown since the last row before.
    """

    closed_decoder = Decoder(_ClosedState)

    def __init__(self, exchange: str, symbol: str, settings: CalculationSettings) -> None:
        super().__init__(exchange, symbol, settings)
        self._kinds = [choice.create_of_book() for choice in settings.indicators]
        self._levels = max((kind.levels for kind in self._kinds), default=0)
        self._series = [
            BookSeries(interval, settings.indicators) for interval in settings.intervals
        ]
        self._book = KeptBook()
        # the best levels, None while the book cannot be trusted, and what is read from them
        self._top: TopOfBook | None = None
        self._readings: Readings = None
        # largest time of a row so far, and the time up to which the series know all
        self._now = -_NEVER
        self._told = -_NEVER
        # first time at which an interval ends or live values are due
        self._due = -_NEVER
        self._live_due = -_NEVER
        # intervals are open
        self._begun = False
        # a row of a sound book came since the last live rows
        self._stirred = False
        # the part of a restored book that its closed state has
        self._base = BookBase()
        # exchange's clock less ours, as the last row with both times had it
        self._skew: int | None = None

    def feed(self, row: Event) -> Sequence[Event]:
        """Take the next row of the book topic; return the rows that follow from it."""
        if type(row) is Book:
            self._output.caused_by(row)
            time = self._time_of(row)
            if time >= self._due:
                self._pass(time)
            self._now = time
            self._take(row)
            return self._output.take() if self._output.rows else NO_ROWS
        if type(row) is Status:
            self._output.caused_by(row)
            if row.channel == "book" and row.state in DOUBTS:
                self._book.sound = False
                self._stand(None)
            return NO_ROWS
        self.foreign += 1
        return NO_ROWS

    def _time_of(self, row: Book) -> int:
        time, received = row.exchange_time, row.receive_time
        if time is not None:
            if received is not None:
                self._skew = time - received
        elif received is not None:
            time = received
            if self._skew is not None:
                time += self._skew - self.settings.grace
        return self._now if time is None else max(self._now, time)

    # --- the book -------------------------------------------------------------------------------

    def _take(self, row: Book) -> None:
        book = self._book
        rebased = book.rebased
        book.take(row)
        if book.rebased != rebased:
            self._generation += 1
        if not book.sound:
            self._stand(None)
            return
        self._stirred = True
        bids, asks = book.book.depth(self._levels)
        top = self._top
        if top is None or bids != top.bids or asks != top.asks:
            self._stand(TopOfBook.of(bids, asks))
        if not self._begun:
            self._begin()

    def _stand(self, top: TopOfBook | None) -> None:
        """Let the book stand with other levels from the present time on."""
        if top is None and self._top is None:
            return
        self._settle()
        self._top = top
        self._readings = None if top is None else [kind.read(top) for kind in self._kinds]

    def _begin(self) -> None:
        """Open the intervals that hold the present time, where none is open and one is known."""
        if self._top is None or self._now == -_NEVER:
            return
        self._begun = True
        for series in self._series:
            if series.opened is None:
                series.begin(self._now)
        self._told = self._now
        self._set_due()

    # --- time -----------------------------------------------------------------------------------

    def _pass(self, time: int) -> None:
        """Let the book stand as it is until ``time``: close intervals, then live values."""
        self._hold(time)
        every = self.settings.live_every
        if every is not None and time >= self._live_due:
            if self._stirred:
                self._stirred = False
                for series in self._series:
                    series.live(time, self._readings, self._output)
            self._live_due = (time // every + 1) * every
        self._set_due()

    def _hold(self, time: int) -> None:
        for series in self._series:
            series.hold(self._told, time, self._readings, self._output)
        self._told = time

    def _settle(self) -> None:
        self._hold(self._now)

    def _set_due(self) -> None:
        ends = [series.end for series in self._series if series.opened is not None]
        live_due = _NEVER if self.settings.live_every is None else self._live_due
        self._due = min([*ends, live_due])

    # --- state ----------------------------------------------------------------------------------

    @property
    def late(self) -> dict[str, int]:
        """No row: rows count in the order of the log."""
        return dict.fromkeys(self.settings.intervals, 0)

    @property
    def dropped(self) -> dict[str, int]:
        """No row, as ``late``."""
        return dict.fromkeys(self.settings.intervals, 0)

    def open_state(self) -> bytes:
        """Return open intervals, counters and what changed in the book since its base."""
        self._settle()
        return write_state(
            _OpenState(
                self._header(),
                self._now,
                self._live_due,
                self._stirred,
                self._skew,
                self._book.changes(),
                [series.state() for series in self._series],
            )
        )

    def _closed(self) -> _ClosedState:
        return _ClosedState(
            self.settings.input,
            self.exchange,
            self.symbol,
            self._generation,
            self._book.base(),
        )

    def restore(self, open_state: bytes, closed_state: bytes | None) -> None:
        """Go on where a calculation of this symbol stood when the two states were taken."""
        state = read_state(open_state, _OPEN, "open state")
        self._base = BookBase()
        self._restore(state.header, closed_state, {one.interval for one in state.series})
        try:
            self._book.restore(self._base, state.book)
            if self._book.sound:
                self._top = TopOfBook.of(*self._book.book.depth(self._levels))
                self._readings = [kind.read(self._top) for kind in self._kinds]
        except (NumberError, ValueError) as error:
            raise StateError(f"open state: expected the numbers of a book, {error}") from error
        self._now = self._told = state.now
        self._live_due, self._stirred = state.live_due, state.stirred
        self._skew = state.skew
        known = {one.interval: one for one in state.series}
        for series in self._series:
            interval = series.timeframe.interval
            if interval in known:
                lacking = series.restore(known[interval])
                self._new_choices += [(interval, choice) for choice in lacking]
        self._begin()
        self._set_due()

    def _take_closed(self, closed: ClosedHeader) -> None:
        self._base = cast("_ClosedState", closed).book  # ``closed_decoder`` made it

    def _adopt_interval(self, interval: str, other: Self) -> None:
        place = self.settings.intervals.index(interval)
        if other._series[place].opened is not None:
            self._series[place] = other._series[place]

    def _adopt_choice(self, interval: str, choice: Choice, other: Self) -> None:
        place = self.settings.intervals.index(interval)
        self._series[place].adopt(choice, other._series[place])

    def _adopted(self) -> None:
        self._set_due()
