"""Raw frames from the event loop to a disk, through a bounded queue and a thread.

The event loop never waits: what does not fit the queue is dropped, counted, and named in the
manifest and at its place in the file. Whatever happens here, market data goes on.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from collector_core.errors import StateError
from collector_runtime.clock import monotonic, wall_us
from collector_runtime.recording.journal import Journal, JournalOptions
from collector_runtime.recording.line import Direction, Entry
from collector_runtime.recording.manifest import Dropped, Manifest, Source
from collector_runtime.recording.stored import Open, open_new

__all__ = ["Recorder"]

_COST: Final = 200
"""Bytes that a waiting entry takes beside its payload, about."""
_BATCH: Final = 256 * 1024
"""Waiting bytes at which the writer is woken before its time."""
_FULL: Final = "the queue was full"
_LOG: Final = structlog.get_logger("collector.recording")


class Recorder:
    """Records what passes on the connections of one exchange.

    Every method but ``close`` returns at once and belongs to one thread, the event loop's.

    Args:
        folder: made if it is not there; it must hold no recording yet.
        source: what is recorded.
        options: rotation and pauses.
        queue_bytes: what may wait for the disk.
        flush_seconds: what a killed process loses of the latest frames, at most.
        now: monotonic seconds.
        wall: microseconds since the epoch.
        open_file: opens each new file.

    Raises:
        SettingsError: the folder holds a recording, or cannot be written to.
    """

    def __init__(
        self,
        folder: Path,
        source: Source,
        options: JournalOptions | None = None,
        *,
        queue_bytes: int = 64 * 1024 * 1024,
        flush_seconds: float = 1.0,
        now: Callable[[], float] = monotonic,
        wall: Callable[[], int] = wall_us,
        open_file: Open = open_new,
    ) -> None:
        self._now = now
        self._wall = wall
        self._journal = Journal(
            folder, source, options or JournalOptions(), wall(), open_file=open_file
        )
        self._queue_bytes = queue_bytes
        self._flush_seconds = flush_seconds
        self._waiting: deque[Entry | Dropped] = deque()
        # bytes put in, counted by the event loop, and taken out, counted by the writer
        self._put = 0
        self._taken = 0
        # frames that are being dropped just now, because the queue is full
        self._dropping: Dropped | None = None
        # for metrics: entries handed over, and those dropped for want of room in the queue
        self.entries = 0
        self.dropped = 0
        # what ended the writer before its time: a bug
        self._failure: BaseException | None = None
        self._wake = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    # --- what happened on a connection -------------------------------------------------------

    def frame(self, connection: str, payload: bytes, receive_time: int) -> None:
        """A frame came."""
        self._enter(Entry(receive_time, connection, "in", payload))

    def sent(self, connection: str, text: str, time: int) -> None:
        """A text frame was sent."""
        self._enter(Entry(time, connection, "out", text))

    def mark(self, connection: str, direction: Direction, time: int, reason: str = "") -> None:
        """The socket ``opened`` or ``closed``."""
        self._enter(Entry(time, connection, direction, reason))

    def answer(self, connection: str, request: str, body: bytes, receive_time: int) -> None:
        """A REST request that the connection's session wanted was answered."""
        self._enter(Entry(receive_time, connection, "answer", body, request))

    # --- how it goes -------------------------------------------------------------------------

    @property
    def backlog(self) -> int:
        """Bytes that wait for the disk."""
        return self._put - self._taken

    @property
    def rows(self) -> int:
        """Lines written."""
        return self._journal.rows

    @property
    def bytes(self) -> int:
        """Compressed bytes written."""
        return self._journal.bytes

    @property
    def failures(self) -> int:
        """Writes that failed."""
        return self._journal.failures

    @property
    def paused(self) -> bool:
        """Whether nothing is recorded just now, for the disk does not take it."""
        return self._journal.paused

    def close(self, timeout: float = 30.0) -> Manifest:
        """Write what waits and end; blocks, so call it off the event loop.

        Args:
            timeout: seconds to wait for the disk.

        Raises:
            StateError: the disk did not take it in time, or the writer had failed.
        """
        if self._dropping is not None:
            self._waiting.append(self._dropping)
            self._dropping = None
        self._closing = True
        self._wake.set()
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise StateError(
                f"expected the recording to be written within {timeout:g} s, "
                f"was waiting with {self.backlog:,} bytes"
            )
        if self._failure is not None:
            raise StateError(f"expected a recorder, was ended by {self._failure!r}")
        return self._journal.close(self._wall())

    # --- the queue ---------------------------------------------------------------------------

    def _enter(self, entry: Entry) -> None:
        size = len(entry.payload)
        backlog = self._put - self._taken
        # once full, half of it has to be free again: few long holes are better than many short
        bound = self._queue_bytes if self._dropping is None else self._queue_bytes // 2
        if backlog + size > bound:
            self._drop(entry.receive_time, size)
            return
        if self._dropping is not None:
            self._waiting.append(self._dropping)
            self._dropping = None
        self._put += size + _COST
        self.entries += 1
        self._waiting.append(entry)
        if backlog > _BATCH and not self._wake.is_set():
            self._wake.set()

    def _drop(self, receive_time: int, size: int) -> None:
        self.dropped += 1
        held = self._dropping
        if held is None:
            _LOG.warning("recording_drops", folder=str(self._journal.folder), reason=_FULL)
            self._dropping = Dropped(_FULL, receive_time, receive_time, 1, size)
        else:
            self._dropping = Dropped(
                _FULL, held.first, receive_time, held.rows + 1, held.bytes + size
            )

    # --- the writer's thread -----------------------------------------------------------------

    def _run(self) -> None:
        try:
            closing = False
            while not closing:
                self._wake.wait(self._flush_seconds)
                self._wake.clear()
                # read before the queue is emptied: nothing is put in after it is set
                closing = self._closing
                self._write()
        except Exception as error:  # noqa: BLE001  # said by close, and the queue drops from now on
            self._failure = error
            _LOG.exception("recorder_failed", folder=str(self._journal.folder))

    def _write(self) -> None:
        left = True
        while left:
            batch: list[Entry] = []
            size = 0
            while size < _BATCH:
                try:
                    item = self._waiting.popleft()
                except IndexError:
                    left = False
                    break
                if isinstance(item, Dropped):
                    self._journal.drop(item)
                    sentence = f"{item.rows} frames: {item.reason}"
                    batch.append(Entry(item.last, "", "dropped", sentence))
                else:
                    batch.append(item)
                    size += len(item.payload) + _COST
            # an empty batch lets an old file be rotated, or a paused recording try again
            self._journal.take(batch, self._now())
            self._taken += size
