"""A calculation begun anew over a stream that was published before (docs/adr/0042).

When the state is gone, or retention removed the input it would go on with, a calculation starts
at the first row that is left. What it gives out up to the last close that was published stays
unpublished, for the bars on the bus were built from more rows; and what it publishes is a new
epoch, whose rows count from 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from collector_core.errors import StateError
from collector_core.events import Bar, Event, Indicator, stamp

__all__ = ["LastCloses", "Rebuild", "last_closes"]

LastCloses: TypeAlias = dict[str, int]
"""Open time of the last bar published as closed, by the series of rows it belongs to; also the
ordinal of the last bar of a series without a grid, by ``ordinal|`` and the series."""


class _State(msgspec.Struct):
    closes: LastCloses
    epoch: int | None
    bars: int
    indicators: int
    ordinals: dict[str, int] = {}
    """By series of bars without a grid: what the number of a row is raised by."""


class Rebuild:
    """Keeps back what was published, and numbers what is new.

    Args:
        closes: what the bus has already.
    """

    def __init__(self, closes: Mapping[str, int]) -> None:
        self._state = _State(dict(closes), None, 0, 0)

    @classmethod
    def of(cls, stored: bytes) -> Rebuild:
        """Go on from ``state``.

        Raises:
            StateError: it cannot be read.
        """
        rebuild = cls({})
        try:
            rebuild._state = _DECODE(stored)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise StateError(f"expected a state of a rebuild, was {stored[:40]!r}") from error
        return rebuild

    def admit(self, rows: Iterable[Event]) -> list[Event]:
        """Return the rows to publish, numbered anew.

        The epoch is the time of the first of them: later than any row that was published.
        """
        state = self._state
        admitted: list[Event] = []
        for row in rows:
            if _open_time(row) <= state.closes.get(_series(row), -1):
                continue
            if state.epoch is None:
                times = (row.receive_time, row.exchange_time, row.epoch)
                state.epoch = next(time for time in times if time is not None)
            if isinstance(row, Bar):
                state.bars += 1
                admitted.append(self._counted(row))
                stamp(admitted[-1], state.epoch, state.bars)
            else:
                state.indicators += 1
                stamp(row, state.epoch, state.indicators)
                admitted.append(row)
        return admitted

    def _counted(self, row: Bar) -> Bar:
        """Return a bar numbered on from the last one published, where bars are counted.

        The number is a part of the row's key: no bar replaces another one on a compacted topic.
        """
        if row.bar_kind == "time":
            return row
        series = _series(row)
        raised = self._state.ordinals.get(series)
        if raised is None:
            last = self._state.closes.get(_ORDINAL + series, -1)
            raised = self._state.ordinals[series] = last + 1 - row.ordinal
        return msgspec.structs.replace(row, ordinal=row.ordinal + raised)

    def state(self) -> bytes:
        """Return all that the next rows depend on."""
        return msgspec.msgpack.encode(self._state)


_ORDINAL: Final = "ordinal|"
_DECODE: Final = msgspec.msgpack.Decoder(_State).decode


def last_closes(published: Sequence[Event], source: str) -> LastCloses:
    """Return the last closes among published rows that come from one input.

    Args:
        published: rows of one symbol's output topics.
        source: ``bar`` for what is computed from trades, else ``candle`` or ``book``.
    """
    closes: LastCloses = {}
    for row in published:
        if not isinstance(row, Bar | Indicator) or not row.closed:
            continue
        origin = "bar" if isinstance(row, Bar) else row.input.partition(":")[0]
        if origin == source:
            series = _series(row)
            closes[series] = max(closes.get(series, row.open_time), row.open_time)
            if isinstance(row, Bar) and row.bar_kind != "time":
                counted = _ORDINAL + series
                closes[counted] = max(closes.get(counted, row.ordinal), row.ordinal)
    return closes


def _series(row: Event) -> str:
    if isinstance(row, Bar):
        return f"{row.bar_kind}|{row.size}"
    if isinstance(row, Indicator):
        return f"{row.input}|{row.interval}|{row.name}|{row.params}"
    raise TypeError(f"expected a bar or an indicator row, was {type(row).__name__}")


def _open_time(row: Event) -> int:
    if isinstance(row, Bar | Indicator):
        return row.open_time
    raise TypeError(f"expected a bar or an indicator row, was {type(row).__name__}")
