"""The contract of a calculation: rows of one input topic in, bars and indicators out.

Output is a function of the input log alone (design section 7): no clock is read, batch boundaries
do not matter, and a restored calculation goes on as if it had never stopped, without a row of its
own. A holder keeps two states: the open one changes with nearly every row, the closed one only
when a closed bar or candle came or changed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar, Final, Literal, Self, TypeVar, cast

import msgspec
from msgspec.msgpack import Decoder

from collector_core.errors import StateError
from collector_core.events import Event
from collector_indicators.gaps import Gaps
from collector_indicators.output import Output
from collector_indicators.selection import Choice
from collector_indicators.series import Series, SeriesState
from collector_indicators.settings import CalculationSettings

__all__ = [
    "NO_ROWS",
    "STATE_VERSION",
    "Calculation",
    "ClosedHeader",
    "ClosedState",
    "OpenHeader",
    "SeriesCalculation",
    "read_state",
    "write_state",
]

STATE_VERSION: Final = 1
"""Raised whenever a state of the code before could no longer be continued."""
NO_ROWS: Final[Sequence[Event]] = ()
"""What an input row gives out mostly."""

_State = TypeVar("_State", bound=msgspec.Struct)


class OpenHeader(msgspec.Struct):
    """What every open state begins with."""

    input: Literal["candle", "bar", "book"]
    exchange: str
    symbol: str
    next_offset: int
    generation: int
    """Changes of the closed state up to here: the closed state that belongs to this one."""
    epoch: int | None
    bar_seq: int
    indicator_seq: int
    foreign: int


class ClosedHeader(msgspec.Struct):
    """What every closed state begins with."""

    input: Literal["candle", "bar", "book"]
    exchange: str
    symbol: str
    generation: int


class ClosedState(ClosedHeader):
    """Windows and accumulators of all series."""

    series: dict[str, SeriesState]
    """By interval."""


class Calculation(ABC):
    """What follows from one input topic for one symbol.

    Args:
        exchange: as in the rows.
        symbol: as in the rows.
        settings: what to compute.
    """

    closed_decoder: ClassVar[Decoder[Any]]
    """Of the closed state, a ``ClosedHeader`` and what stands below it."""

    def __init__(self, exchange: str, symbol: str, settings: CalculationSettings) -> None:
        self.exchange = exchange
        self.symbol = symbol
        self.settings = settings
        # offset of the next input row, kept for the holder, who sets it
        self.next_offset = 0
        # rows that do not belong into the topic
        self.foreign = 0
        self._output = Output(exchange, symbol)
        self._generation = 0
        self._taken_generation = 0
        # what a restored state did not have: intervals, and indicators of the other intervals
        self._new_intervals: list[str] = []
        self._new_choices: list[tuple[str, Choice]] = []

    @abstractmethod
    def feed(self, row: Event) -> Sequence[Event]:
        """Take the next row of the input topic; return the rows that follow from it, in order.

        Raises:
            NumberError: a price or amount in it, or in a trade since the last row given out, is
                no finite decimal number.
        """

    def feed_many(self, rows: Iterable[Event]) -> list[Event]:
        """Take rows one after another; return all that follows from them, in order.

        Raises:
            NumberError: as ``feed``.
        """
        given: list[Event] = []
        for row in rows:
            given += self.feed(row)
        return given

    @property
    @abstractmethod
    def late(self) -> dict[str, int]:
        """Input rows that changed what had closed already, by interval."""

    @property
    @abstractmethod
    def dropped(self) -> dict[str, int]:
        """Input rows that came later than the horizon and count nowhere, by interval."""

    @property
    def closed_changed(self) -> bool:
        """Whether the closed state changed since it was last taken (or restored)."""
        return self._generation != self._taken_generation

    @abstractmethod
    def open_state(self) -> bytes:
        """Return open bars and counters, with ``next_offset`` as the holder set it."""

    def closed_state(self) -> bytes:
        """Return what changes seldom; to be stored whenever ``closed_changed``."""
        self._taken_generation = self._generation
        return write_state(self._closed())

    @abstractmethod
    def restore(self, open_state: bytes, closed_state: bytes | None) -> None:
        """Go on where a calculation of this symbol stood when the two states were taken.

        To be called on a new calculation. ``closed_state`` is the last one stored, None if none
        ever was. Intervals and indicators that the states do not have begin here; those that the
        settings no longer have are left out.

        Raises:
            StateError: unreadable, of another version or symbol, or two that do not belong
                together.
        """

    # --- changed settings -----------------------------------------------------------------------

    @property
    def begins(self) -> bool:
        """Whether something here began where the restored state ended, without history."""
        return bool(self._new_intervals or self._new_choices)

    def adopt(self, other: Self) -> None:
        """Take over what began here from a calculation that read further back.

        Afterwards it is as if what is new had been chosen when ``other`` began, while all that
        was known goes on as it stood.

        Args:
            other: fed with rows of the same topic up to the very row that this one stands at,
                with the same settings. It is of no more use.
        """
        self._settle()
        other._settle()
        for interval in self._new_intervals:
            self._adopt_interval(interval, other)
        for interval, choice in self._new_choices:
            self._adopt_choice(interval, choice, other)
        self._new_intervals, self._new_choices = [], []
        self._generation += 1
        self._adopted()

    def begin_here(self) -> None:
        """Do without a history: what is new begins where the restored state ended."""
        self._new_intervals, self._new_choices = [], []
        self._generation += 1

    def _settle(self) -> None:
        """Put what is collected where it belongs."""

    @abstractmethod
    def _adopt_interval(self, interval: str, other: Self) -> None:
        """Take over all that ``other`` has of an interval."""

    @abstractmethod
    def _adopt_choice(self, interval: str, choice: Choice, other: Self) -> None:
        """Take over what ``other`` has of an indicator over an interval."""

    def _adopted(self) -> None:
        """Let what depends on the intervals follow."""

    @abstractmethod
    def _closed(self) -> ClosedHeader:
        """Return the closed state, as ``closed_decoder`` reads it."""

    @abstractmethod
    def _take_closed(self, closed: ClosedHeader) -> None:
        """Go on from a closed state as ``closed_decoder`` reads it; note what it lacks."""

    def _header(self) -> OpenHeader:
        return OpenHeader(
            self.settings.input,
            self.exchange,
            self.symbol,
            self.next_offset,
            self._generation,
            self._output.epoch,
            self._output.bar_seq,
            self._output.indicator_seq,
            self.foreign,
        )

    def _restore(
        self, header: OpenHeader, closed_state: bytes | None, known: Collection[str]
    ) -> None:
        """Go on from a header and a closed state; ``known`` are the intervals of the open one."""
        self._new_intervals = [i for i in self.settings.intervals if i not in known]
        self._check("open state", header)
        self.next_offset = header.next_offset
        self.foreign = header.foreign
        self._output.epoch = header.epoch
        self._output.bar_seq, self._output.indicator_seq = header.bar_seq, header.indicator_seq
        self._generation = self._taken_generation = header.generation
        if closed_state is None:
            if header.generation:
                raise StateError(
                    f"{self.exchange} {self.symbol}: expected a closed state of generation "
                    f"{header.generation}, was none"
                )
            return
        closed: ClosedHeader = read_state(closed_state, self.closed_decoder, "closed state")
        self._check("closed state", closed)
        if closed.generation != header.generation:
            raise StateError(
                f"{self.exchange} {self.symbol}: expected a closed state of generation "
                f"{header.generation}, was {closed.generation}"
            )
        self._take_closed(closed)

    def _check(self, what: str, state: OpenHeader | ClosedHeader) -> None:
        wanted = (self.settings.input, self.exchange, self.symbol)
        found = (state.input, state.exchange, state.symbol)
        if found != wanted:
            raise StateError(
                f"{what}: expected one of {' '.join(wanted)}, was one of {' '.join(found)}"
            )


class SeriesCalculation(Calculation):
    """A calculation over series of bars or candles, one an interval."""

    closed_decoder = Decoder(ClosedState)

    def __init__(self, exchange: str, symbol: str, settings: CalculationSettings) -> None:
        super().__init__(exchange, symbol, settings)
        self._gaps = Gaps()

    def adopt(self, other: Self) -> None:
        """Take over what began here, and the gaps that are still of account to it."""
        super().adopt(other)
        self._gaps.adopt(other._gaps)

    @abstractmethod
    def _series(self) -> list[tuple[str, Series]]:
        """Return the series by interval."""

    def _adopt_choice(self, interval: str, choice: Choice, other: Self) -> None:
        dict(self._series())[interval].adopt(choice, dict(other._series())[interval])

    def _closed(self) -> ClosedState:
        return ClosedState(
            self.settings.input,
            self.exchange,
            self.symbol,
            self._generation,
            {interval: series.state() for interval, series in self._series()},
        )

    def _take_closed(self, closed: ClosedHeader) -> None:
        states = cast("ClosedState", closed).series  # ``closed_decoder`` made it
        for interval, series in self._series():
            if interval in states:
                state = states[interval]
                self._new_choices += [(interval, choice) for choice in series.lacks(state)]
                series.restore(state)


def write_state(state: msgspec.Struct) -> bytes:
    """Return a state as bytes, with the version of its layout."""
    return msgspec.msgpack.encode((STATE_VERSION, state))


def read_state(stored: bytes, decoder: Decoder[_State], what: str) -> _State:
    """Return a stored state.

    Args:
        stored: as ``write_state`` returned it.
        decoder: of its type, made while the module is imported: msgspec 0.22 uses what it knows
            of a struct while another thread is still finding it out, which ends the process.
        what: names it in errors.

    Raises:
        StateError: unreadable, or of another version.
    """
    try:
        version, body = _SEALED(stored)
        if version != STATE_VERSION:
            raise StateError(f"{what}: expected version {STATE_VERSION}, was {version}")
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StateError(f"{what}: expected one of ours, was {stored[:40]!r}: {error}") from error


_SEALED = Decoder(tuple[int, msgspec.Raw]).decode
