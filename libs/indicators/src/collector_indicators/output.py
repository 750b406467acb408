"""Makes the rows that a calculation gives out, each with its place in its stream."""

from __future__ import annotations

from typing import Literal, NamedTuple

from collector_core.events import Bar, Event, Indicator
from collector_indicators.indicator import Values
from collector_indicators.partial_bar import PartialBar

__all__ = ["BarName", "BarSpan", "Label", "Output", "Reading"]


class BarName(NamedTuple):
    """What all bars of one series say alike."""

    interval: str | None
    """The length of a time bar; None for other kinds."""
    kind: Literal["time", "trades", "volume", "quote"]
    size: str
    """The interval of a time bar, else what fills one."""


class BarSpan(NamedTuple):
    """Where a bar is; times in microseconds, the end exclusive."""

    open_time: int
    close_time: int
    ordinal: int


class Label(NamedTuple):
    """What all rows of one indicator over one series say alike, in the order of the event."""

    name: str
    params: str
    source: str
    """``candle``, or ``bar:`` and the kind of the bars."""
    interval: str


class Reading(NamedTuple):
    """What a row says of its values, in the order of the event."""

    bars_seen: int
    warm: bool
    closed: bool
    revision: int
    incomplete: bool


class Output:
    """The bar and the indicator stream of one symbol, from one input topic.

    A row carries the times of the input row that caused it, for the delay of a derived row is
    counted from there. Each stream counts its rows from 1 without holes.
    """

    __slots__ = (
        "_exchange",
        "_exchange_time",
        "_receive_time",
        "_symbol",
        "bar_seq",
        "epoch",
        "indicator_seq",
        "rows",
    )

    def __init__(self, exchange: str, symbol: str) -> None:
        self._exchange = exchange
        self._symbol = symbol
        self._exchange_time: int | None = None
        self._receive_time: int | None = None
        # receive time of the first input row; None before it
        self.epoch: int | None = None
        # rows given out so far, by stream
        self.bar_seq = 0
        self.indicator_seq = 0
        # rows of the present input row
        self.rows: list[Event] = []

    def caused_by(self, row: Event) -> None:
        """Name the input row that the next rows follow from."""
        self._exchange_time = row.exchange_time
        self._receive_time = row.receive_time
        if self.epoch is None:
            times = (row.receive_time, row.exchange_time, 0)
            self.epoch = next(time for time in times if time is not None)

    def take(self) -> list[Event]:
        """Return the rows made since, and begin a new list."""
        rows, self.rows = self.rows, []
        return rows

    def bar(
        self,
        name: BarName,
        span: BarSpan,
        part: PartialBar,
        *,
        closed: bool,
        revision: int,
        incomplete: bool,
    ) -> None:
        """Give out a bar."""
        self.bar_seq += 1
        self.rows.append(
            Bar(
                self._exchange,
                self._symbol,
                self._exchange_time,
                self._receive_time,
                self.epoch or 0,
                self.bar_seq,
                name.interval,
                span.open_time,
                span.close_time,
                format(part.open, "f"),
                format(part.high, "f"),
                format(part.low, "f"),
                format(part.close, "f"),
                format(part.volume, "f"),
                format(part.quote_volume, "f"),
                part.trade_count,
                closed,
                name.kind,
                name.size,
                span.ordinal,
                format(part.buy_volume, "f"),
                revision,
                incomplete,
            )
        )

    def indicator(self, label: Label, open_time: int, values: Values, reading: Reading) -> None:
        """Give out the values of an indicator over the bar or candle that opens at a time."""
        self.indicator_seq += 1
        self.rows.append(
            Indicator(
                self._exchange,
                self._symbol,
                self._exchange_time,
                self._receive_time,
                self.epoch or 0,
                self.indicator_seq,
                *label,
                open_time,
                values,
                reading.bars_seen,
                reading.warm,
                reading.closed,
                reading.revision,
                reading.incomplete,
            )
        )
