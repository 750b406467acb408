"""The last seconds of raw frames of one connection, kept in memory for the case of an incident.

A frame costs two appends and a subtraction. They gather in chunks of a sixteenth of the memory
bound, and whole chunks are thrown out; bytes and texts are immutable, so keeping them copies
nothing, and an incident holds on to the chunks that there are.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final, NamedTuple, Protocol, TypeAlias

import msgspec

from collector_core.codec import encode
from collector_core.events import Event
from collector_runtime.recording.bundles import Bundle, BundleStore
from collector_runtime.recording.line import Direction, Entry
from collector_runtime.recording.manifest import Dropped, Incident

__all__ = ["IncidentRing", "RingLimits", "Timer"]

_COST: Final = 128
"""Bytes that a kept frame takes beside its payload: two places, an int and the header of bytes."""
_CHUNKS: Final = 16
_MOST_INCIDENTS: Final = 200
"""Incidents of one bundle; a disconnection has one for each stream."""
_NULL: Final = msgspec.Raw(b"null")


class RingLimits(msgspec.Struct, frozen=True):
    """What is kept of one connection."""

    seconds_before: float = 10.0
    seconds_after: float = 5.0
    bytes: int = 16 * 1024 * 1024
    """Of frames in memory, the oldest going first; twice that while an incident is under way."""


class Timer(Protocol):
    """A call that is to come."""

    def cancel(self) -> None:
        """Let it not come."""


class _Mark(NamedTuple):
    direction: Direction
    reason: str


_Payload: TypeAlias = bytes | str | _Mark
"""A frame that came, a text that was sent, or what happened to the socket."""


class _Chunk(NamedTuple):
    """Frames in order of arrival."""

    number: int
    times: list[int]
    payloads: list[_Payload]
    size: int
    """Bytes in memory, about."""


class _Pending(NamedTuple):
    """The incident under way."""

    time: int
    since: int
    incidents: list[Incident]
    before: list[_Chunk]
    cut: list[Dropped]
    number: int
    """Of the first chunk that is not in ``before``."""


class IncidentRing:
    """Raw frames of one connection; every method belongs to the event loop.

    Args:
        connection: its name.
        store: writes the bundles.
        limits: how much is kept.
        later: calls a function after seconds; the running event loop's ``call_later`` by default.
    """

    def __init__(
        self,
        connection: str,
        store: BundleStore,
        limits: RingLimits | None = None,
        later: Callable[[float, Callable[[], None]], Timer] | None = None,
    ) -> None:
        self.connection = connection
        self._store = store
        self._limits = limits or RingLimits()
        self._later = later
        # bytes of a full chunk, and how many of them are free in the present one
        self._batch = max(1, self._limits.bytes // _CHUNKS)
        self._free = self._batch
        self._times: list[int] = []
        self._payloads: list[_Payload] = []
        # full chunks, their bytes, and the number of the next one
        self._chunks: deque[_Chunk] = deque()
        self._kept = 0
        self._next = 0
        # thrown out for want of room, as long as they are within the time span
        self._cut: deque[Dropped] = deque()
        self._open: _Pending | None = None
        self._timer: Timer | None = None
        # incidents that came while the bundle had enough of them
        self.unlisted = 0

    # --- the hot path ------------------------------------------------------------------------

    def frame(self, receive_time: int, payload: bytes) -> None:
        """Keep a frame that came."""
        self._times.append(receive_time)
        self._payloads.append(payload)
        self._free -= len(payload) + _COST
        if self._free < 0:
            self._seal()

    # --- what else happens on a connection ---------------------------------------------------

    def sent(self, time: int, text: str) -> None:
        """Keep a text frame that was sent."""
        self._put(time, text, len(text))

    def mark(self, time: int, direction: Direction, reason: str = "") -> None:
        """Keep that the socket ``opened`` or ``closed``."""
        self._put(time, _Mark(direction, reason), len(reason))

    def incident(self, reason: str, row: Event | None = None, time: int | None = None) -> None:
        """Have the frames around now written; while that is under way, the reason is added to it.

        Args:
            reason: a few words; the first ones name the bundle.
            row: the status row that says it on the bus.
            time: wall time in microseconds; by default the row's, else the last frame's.
        """
        incident = Incident(reason, _NULL if row is None else msgspec.Raw(encode(row)))
        if self._open is not None:
            if len(self._open.incidents) < _MOST_INCIDENTS:
                self._open.incidents.append(incident)
            else:
                self.unlisted += 1
            return
        self._seal()
        at = time or (row.receive_time if row is not None else None)
        if at is None:
            at = self._chunks[-1].times[-1] if self._chunks else 0
        since = at - round(self._limits.seconds_before * 1e6)
        cut = [cut for cut in self._cut if cut.last >= since]
        # what was lost before is in this bundle; from now on only what it lacks is noted
        self._cut.clear()
        self._open = _Pending(at, since, [incident], [*self._chunks], cut, self._next)
        later = self._later or asyncio.get_running_loop().call_later
        self._timer = later(self._limits.seconds_after, self._finish)

    def close(self) -> None:
        """Write the bundle that is under way with what there is; nothing is kept any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._finish()
        self._chunks.clear()
        self._kept = 0
        self._begin()

    @property
    def bytes(self) -> int:
        """Bytes kept, about."""
        return self._kept + self._batch - self._free

    def __len__(self) -> int:
        return len(self._times) + sum(len(chunk.times) for chunk in self._chunks)

    # --- the parts of it ---------------------------------------------------------------------

    def _put(self, time: int, payload: str | _Mark, size: int) -> None:
        self._times.append(time)
        self._payloads.append(payload)
        self._free -= size + _COST
        if self._free < 0:
            self._seal()

    def _begin(self) -> None:
        self._times, self._payloads, self._free = [], [], self._batch

    def _seal(self) -> None:
        """Put the present chunk to the others and throw out what is too old or too much."""
        if not self._times:
            return
        size = self._batch - self._free
        self._chunks.append(_Chunk(self._next, self._times, self._payloads, size))
        self._next += 1
        self._kept += size
        limits = self._limits
        oldest = self._times[-1] - round(max(limits.seconds_before, limits.seconds_after) * 1e6)
        self._begin()
        # room for the chunk that is only begun now
        room = limits.bytes - self._batch
        while self._chunks and (self._kept > room or self._chunks[0].times[-1] < oldest):
            chunk = self._chunks.popleft()
            self._kept -= chunk.size
            # an incident that is under way has the chunks before it already
            if chunk.times[-1] >= oldest and not (self._open and chunk.number < self._open.number):
                self._cut.append(self._lost(chunk))
        while self._cut and self._cut[0].last < oldest:
            self._cut.popleft()

    def _lost(self, chunk: _Chunk) -> Dropped:
        rows = len(chunk.times)
        return Dropped(
            f"more than {self._limits.bytes:,} bytes in memory",
            chunk.times[0],
            chunk.times[-1],
            rows,
            chunk.size - rows * _COST,
        )

    def _finish(self) -> None:
        self._timer = None
        self._seal()
        pending, self._open = self._open, None
        if pending is None:
            return
        after = [chunk for chunk in self._chunks if chunk.number >= pending.number]
        entries = chain(
            _entries(self.connection, pending.before, pending.since),
            _entries(self.connection, after, None),
        )
        dropped = [*pending.cut, *self._cut]
        self._store.put(Bundle(pending.time, self.connection, pending.incidents, entries, dropped))


def _entries(connection: str, chunks: list[_Chunk], since: int | None) -> Iterator[Entry]:
    for chunk in chunks:
        for time, payload in zip(chunk.times, chunk.payloads, strict=True):
            if since is not None and time < since:
                continue
            match payload:
                case bytes():
                    yield Entry(time, connection, "in", payload)
                case str():
                    yield Entry(time, connection, "out", payload)
                case _Mark(direction, reason):
                    yield Entry(time, connection, direction, reason)
