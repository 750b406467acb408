"""The contract of a calculation: rows of one input topic in, bars and indicators out.

Output is a function of the input log alone (design section 7): no clock is read, batch boundaries
do not matter, and a restored calculation goes on as if it had never stopped, without a row of its
own. A holder keeps two states: the open one changes with nearly every row, the closed one only
when a closed bar or candle came or changed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final, Literal, TypeVar

import msgspec

from collector_core.errors import StateError
from collector_core.events import Event
from collector_indicators.output import Output
from collector_indicators.series import Series, SeriesState
from collector_indicators.settings import CalculationSettings

__all__ = [
    "NO_ROWS",
    "STATE_VERSION",
    "Calculation",
    "ClosedState",
    "OpenHeader",
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

    input: Literal["candle", "bar"]
    exchange: str
    symbol: str
    next_offset: int
    generation: int
    """Changes of the closed state up to here: the closed state that belongs to this one."""
    epoch: int | None
    bar_seq: int
    indicator_seq: int
    foreign: int


class ClosedState(msgspec.Struct):
    """Windows and accumulators of all series."""

    input: Literal["candle", "bar"]
    exchange: str
    symbol: str
    generation: int
    series: dict[str, SeriesState]
    """By interval."""


class Calculation(ABC):
    """Bars and indicators of one symbol from one input topic.

    Args:
        exchange: as in the rows.
        symbol: as in the rows.
        settings: what to compute.
    """

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
        """Return windows and accumulators; to be stored whenever ``closed_changed``."""
        self._taken_generation = self._generation
        return write_state(
            ClosedState(
                self.settings.input,
                self.exchange,
                self.symbol,
                self._generation,
                {interval: series.state() for interval, series in self._series()},
            )
        )

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

    @abstractmethod
    def _series(self) -> list[tuple[str, Series]]:
        """Return the series by interval."""

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

    def _restore(self, header: OpenHeader, closed_state: bytes | None) -> None:
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
        closed = read_state(closed_state, ClosedState, "closed state")
        self._check("closed state", closed)
        if closed.generation != header.generation:
            raise StateError(
                f"{self.exchange} {self.symbol}: expected a closed state of generation "
                f"{header.generation}, was {closed.generation}"
            )
        for interval, series in self._series():
            if interval in closed.series:
                series.restore(closed.series[interval])

    def _check(self, what: str, state: OpenHeader | ClosedState) -> None:
        wanted = (self.settings.input, self.exchange, self.symbol)
        found = (state.input, state.exchange, state.symbol)
        if found != wanted:
            raise StateError(
                f"{what}: expected one of {' '.join(wanted)}, was one of {' '.join(found)}"
            )


def write_state(state: msgspec.Struct) -> bytes:
    """Return a state as bytes, with the version of its layout."""
    return msgspec.msgpack.encode((STATE_VERSION, state))


def read_state(stored: bytes, kind: type[_State], what: str) -> _State:
    """Return a stored state.

    Raises:
        StateError: unreadable, or of another version.
    """
    try:
        version, body = _SEALED(stored)
        if version != STATE_VERSION:
            raise StateError(f"{what}: expected version {STATE_VERSION}, was {version}")
        return _decoder(kind).decode(body)  # type: ignore[return-value]  # a cache has no type parameter
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StateError(f"{what}: expected one of ours, was {stored[:40]!r}: {error}") from error


@cache
def _decoder(kind: type[msgspec.Struct]) -> msgspec.msgpack.Decoder[msgspec.Struct]:
    # a decoder takes longer to build than to use a hundred times
    return msgspec.msgpack.Decoder(kind)


_SEALED = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw]).decode
