"""One input partition: its raw rows in, rows to publish and changed state out. Pure.

Everything that is published follows from the rows alone, whatever batches they come in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from collector_core.codec import decode
from collector_core.errors import CodecError
from collector_core.events import Event, Row
from collector_indicator.computation import Computation, computable
from collector_indicator.rebuild import Rebuild
from collector_indicator.sources import Source
from collector_indicator.state_rows import Stored, key_of_offset, key_of_state
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


class Intake:
    """The calculations over one partition.

    Args:
        source: the partition.
        settings: what to compute.
        wants: tells of an exchange and symbol whether they are followed.
        closes: of an exchange and symbol, the ``Rebuild`` of one that begins over published rows.
    """

    def __init__(
        self,
        source: Source,
        settings: CalculationSettings,
        wants: Callable[[str, str], bool],
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
        self._settings = settings
        self._wants = wants
        self._rebuilds = dict(rebuilds or {})
        self._computations: dict[tuple[str, str], Computation] = {}
        # computations that took rows since the last ``drain``
        self._changed: dict[tuple[str, str], Computation] = {}
        self._moved = False
        # keys of rows that a rebuild leaves behind
        self._stale: list[bytes] = []
        # rows beyond the horizon that nobody was told of
        self._late = 0

    def restore(self, stored: Stored) -> None:
        """Go on where the state rows of the partition say.

        Raises:
            StateError: they are unreadable, of another version, or do not belong together.
        """
        for (exchange, symbol), rows in stored.symbols.items():
            computation = Computation.restored(exchange, symbol, self._settings, rows)
            self._computations[exchange, symbol] = computation
        offsets = [computation.next_offset for computation in self._computations.values()]
        self.next_offset = max(offsets, default=None) if stored.offset is None else stored.offset

    def discard(self, stored: Stored) -> None:
        """Begin anew; the first transaction takes the old state rows away."""
        self._stale = list(stored.keys)

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
            computation = Computation(*stream, self._settings, self._rebuilds.get(stream))
            self._computations[stream] = computation
        self._changed[stream] = computation
        given = computation.feed(rows)
        if given:
            self.pending += given

    def _take_several(self, rows: Iterable[Event]) -> None:
        streams: dict[tuple[str, str], list[Event]] = {}
        for row in rows:
            streams.setdefault((row.exchange, row.symbol), []).append(row)
        for stream, own in streams.items():
            if self._wants(*stream):
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
