"""One input partition: its raw rows in, rows to publish and changed state out. Pure.

Everything that is published follows from the rows alone, whatever batches they come in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from collector_core.codec import decode
from collector_core.errors import CodecError
from collector_core.events import Event, Row
from collector_indicator.computation import Computation
from collector_indicator.rebuild import Rebuild
from collector_indicator.sources import Source
from collector_indicator.state_rows import KINDS, Stored, key_of_offset, key_of_state
from collector_indicators.calculation import Calculation
from collector_indicators.computable import computable
from collector_indicators.plan import Plan
from collector_indicators.settings import CalculationSettings

__all__ = ["Drained", "Intake", "StateRow", "decode_all"]

StateRow = tuple[bytes, bytes | None]
"""Key and value of a row of the state topic; None takes the key away."""

_DECODE: Final = msgspec.json.Decoder(Row).decode
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError)


class Drained(NamedTuple):
    """What one transaction has to carry of a partition."""

    rows: list[Event]
    state: list[StateRow]


class _Growing(NamedTuple):
    """A stream that goes on as before while its history is read for what is new."""

    settings: CalculationSettings
    since: list[Event]
    """Rows taken since the history's end."""


class Intake:
    """The calculations over one partition.

    Args:
        source: the partition.
        plan: what to compute from which streams.
        rebuilds: of an exchange and symbol, the ``Rebuild`` of one that begins over published rows.
    """

    def __init__(
        self,
        source: Source,
        plan: Plan,
        rebuilds: Mapping[tuple[str, str], Rebuild] | None = None,
    ) -> None:
        self.source = source
        # offset of the first row not taken; None: the first one there is
        self.next_offset: int | None = None
        # rows to publish that no transaction has taken yet
        self.pending: list[Event] = []
        # rows that are no events, or whose numbers are none
        self.unusable = 0
        # check each row's numbers first: one of them is bad
        self.careful = False
        self._plan = plan
        self._rebuilds = dict(rebuilds or {})
        self._computations: dict[tuple[str, str], Computation] = {}
        # computations that took rows since the last ``drain``
        self._changed: dict[tuple[str, str], Computation] = {}
        self._moved = False
        # keys of rows that a rebuild leaves behind
        self._stale: list[bytes] = []
        # rows beyond the horizon that nobody was told of
        self._late = 0
        # streams whose settings changed, until their history was read
        self._growing: dict[tuple[str, str], _Growing] = {}
        # offset up to which that history is read
        self.history_end = 0

    def restore(self, stored: Stored) -> None:
        """Go on where the state rows of the partition say.

        Raises:
            StateError: they are unreadable, of another version, or do not belong together.
        """
        for (exchange, symbol), rows in stored.symbols.items():
            settings = self._plan.settings_of(self.source.channel, exchange, symbol)
            if settings is not None:
                computation = Computation.restored(exchange, symbol, settings, rows)
                self._computations[exchange, symbol] = computation
        offsets = [computation.next_offset for computation in self._computations.values()]
        self.next_offset = max(offsets, default=None) if stored.offset is None else stored.offset
        self.history_end = self.next_offset or 0

    def discard(self, stored: Stored) -> None:
        """Begin anew; the first transaction takes the old state rows away."""
        self._stale = list(stored.keys)

    # --- another plan -------------------------------------------------------------------------

    def replan(self, plan: Plan) -> None:
        """Compute by another plan from here on.

        A stream to which nothing is added follows at once, one that is wanted no more is left
        with its state. The others go on as before until ``grow``; ``history_wanted`` says which.

        Raises:
            NumberError: as ``take``.
        """
        self._plan = plan
        self._growing = {}
        self.history_end = self.next_offset or 0
        for stream, computation in list(self._computations.items()):
            settings = plan.settings_of(self.source.channel, *stream)
            if settings is None:
                self._leave(stream)
            elif settings != computation.settings:
                changed = computation.with_settings(settings)
                if changed.begins:
                    self._growing[stream] = _Growing(settings, [])
                else:
                    self._replace(stream, changed)

    @property
    def history_wanted(self) -> dict[tuple[str, str], CalculationSettings]:
        """What is to be computed over the rows before ``history_end``, by exchange and symbol.

        Streams that grow, and those whose restored state lacks what the plan has.
        """
        found = {stream: growing.settings for stream, growing in self._growing.items()}
        for stream, computation in self._computations.items():
            if computation.begins:
                found.setdefault(stream, computation.settings)
        return found

    @property
    def waiting(self) -> int:
        """Rows that are kept for streams whose history is read."""
        return sum(len(growing.since) for growing in self._growing.values())

    def grow(self, readers: Mapping[tuple[str, str], Calculation]) -> None:
        """Let streams go on with what is new, as if it had been there since the history began.

        Args:
            readers: calculations with the settings of ``history_wanted``, fed with the rows
                before ``history_end``.

        Raises:
            NumberError: as ``take``.
        """
        for stream, reader in readers.items():
            computation = self._computations[stream]
            growing = self._growing.pop(stream, None)
            if growing is not None:
                reader.feed_many(growing.since)
                computation = computation.with_settings(growing.settings)
            computation.adopt(reader)
            self._replace(stream, computation)

    def give_history_up(self) -> None:
        """Let what is new begin here, as if the topic had no rows before.

        Raises:
            NumberError: as ``take``.
        """
        growing, self._growing = self._growing, {}
        for stream, (settings, _) in growing.items():
            computation = self._computations[stream].with_settings(settings)
            computation.begin_here()
            self._replace(stream, computation)

    def _replace(self, stream: tuple[str, str], computation: Computation) -> None:
        self._computations[stream] = self._changed[stream] = computation
        self._moved = True

    def _leave(self, stream: tuple[str, str]) -> None:
        del self._computations[stream]
        self._changed.pop(stream, None)
        self._stale += [key_of_state(*self.source.place, *stream, kind) for kind in KINDS]
        self._moved = True

    @property
    def changed(self) -> bool:
        """Whether rows were taken since the last ``drain``."""
        return self._moved

    # --- rows in ------------------------------------------------------------------------------

    def take(self, last_offset: int, values: Sequence[bytes | None]) -> None:
        """Take the next rows; ``last_offset`` is that of the last one.

        Raises:
            NumberError: a number in them is none. Nothing since the last ``drain`` may be
                published then: the partition is to be restored, and read carefully.
        """
        rows = decode_all(values)
        self.unusable += len(values) - len(rows)
        if self.careful:
            usable = [row for row in rows if computable(row)]
            self.unusable += len(rows) - len(usable)
            rows = usable
        if self.source.keyed:
            self._take_several(rows)
        else:
            [symbol] = self.source.symbols
            self._take_one((self.source.exchange, symbol), rows)
        self.next_offset = last_offset + 1
        self._moved = True

    def _take_one(self, stream: tuple[str, str], rows: Sequence[Event]) -> None:
        computation = self._computations.get(stream)
        if computation is None:
            settings = self._plan.settings_of(self.source.channel, *stream)
            if settings is None:
                return
            computation = Computation(*stream, settings, self._rebuilds.get(stream))
            self._computations[stream] = computation
        self._changed[stream] = computation
        growing = self._growing.get(stream)
        if growing is not None:
            growing.since.extend(rows)
        given = computation.feed(rows)
        if given:
            self.pending += given

    def _take_several(self, rows: Iterable[Event]) -> None:
        streams: dict[tuple[str, str], list[Event]] = {}
        for row in rows:
            streams.setdefault((row.exchange, row.symbol), []).append(row)
        for stream, own in streams.items():
            self._take_one(stream, own)

    # --- to publish -----------------------------------------------------------------------------

    def drain(self) -> Drained:
        """Return what changed since the last call, for one transaction.

        Raises:
            NumberError: as ``take``.
        """
        offset = self.next_offset or 0
        topic, partition = self.source.place
        state: list[StateRow] = [(key, None) for key in self._stale]
        for (exchange, symbol), computation in self._changed.items():
            for kind, value in computation.state(offset).items():
                state.append((key_of_state(topic, partition, exchange, symbol, kind), value))
            self._late += computation.late_since()
        if self.source.keyed:
            state.append((key_of_offset(topic, partition), b"%d" % offset))
        rows, self.pending = self.pending, []
        self._changed = {}
        self._stale = []
        self._moved = False
        return Drained(rows, state)

    def late_since_told(self) -> int:
        """Return how many rows, as of the last ``drain``, came beyond the horizon since asked."""
        late, self._late = self._late, 0
        return late


def decode_all(values: Sequence[bytes | None]) -> list[Event]:
    """Return the events among raw rows; what is none of ours is left out."""
    try:
        return list(map(_DECODE, values))  # type: ignore[arg-type]  # None is a TypeError, caught
    except _UNREADABLE:
        return [row for row in map(_decode_one, values) if row is not None]


def _decode_one(value: bytes | None) -> Event | None:
    if value is None:
        return None
    try:
        return decode(value)
    except CodecError:
        return None
