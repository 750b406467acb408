"""A recording in the making: files that are rotated, their manifest, and what a full disk does.

It blocks and knows no thread: ``Recorder`` calls it from one of its own.

A write that fails leaves the file cut back to its last whole block and pauses the recording. What
comes meanwhile is counted; after a while a new file is tried, and if that goes the manifest says
what is missing. So that the manifest can be written on a full disk, a small file holds its place
from the start and is given up then.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec
import structlog
import zstandard

from collector_core.errors import SettingsError
from collector_runtime.recording.line import Entry, encode_line
from collector_runtime.recording.manifest import (
    FORMAT,
    MANIFEST,
    Dropped,
    Incident,
    Manifest,
    Source,
    StoredFile,
    versions,
    write_manifest,
)
from collector_runtime.recording.stored import SUFFIX, FileWriter, Open, open_new

__all__ = ["Journal", "JournalOptions", "merge"]

_RESERVE: Final = ".reserve"
_PROBE: Final = ".probe"
_RESERVED_BYTES: Final = 256 * 1024
_MOST_DROPPED: Final = 1_000
"""Entries of ``dropped``; what comes after is added to the last of them."""
_LOG: Final = structlog.get_logger("collector.recording")


class JournalOptions(msgspec.Struct, frozen=True):
    """When files are rotated, and how long a failure pauses."""

    file_bytes: int = 64 * 1024 * 1024
    """Of a compressed file, after which the next one is begun; exceeded by one batch at most."""
    file_seconds: float = 3_600.0
    retry_seconds: float = 10.0
    """Between a failed write and the next attempt."""


class Journal:
    """The files of one recording.

    Args:
        folder: made if it is not there; it must hold no recording yet.
        source: what is recorded.
        options: rotation and pauses.
        started: wall time in microseconds.
        incidents: for a bundle, why it is written.
        open_file: opens each new file; tests put a full disk in its place.

    Raises:
        SettingsError: the folder holds a recording, or cannot be written to.
    """

    def __init__(
        self,
        folder: Path,
        source: Source,
        options: JournalOptions,
        started: int,
        incidents: tuple[Incident, ...] = (),
        open_file: Open = open_new,
    ) -> None:
        self.folder = folder
        self._options = options
        self._open_file = open_file
        self._manifest = Manifest(FORMAT, source, versions(), started, None, (), (), incidents)
        # closed files, by name: one that failed is entered with what it holds
        self._files: dict[str, StoredFile] = {}
        self._dropped: list[Dropped] = []
        self._writer: FileWriter | None = None
        self._number = 0
        # monotonic time at which the present file began
        self._begun = 0.0
        # monotonic time of the next attempt, while a failure lasts
        self._again: float | None = None
        # what is not recorded for it
        self._missing: Dropped | None = None
        # for metrics: failed writes, lines and bytes of closed files
        self.failures = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if (folder / MANIFEST).exists():
                raise SettingsError(f"expected a folder without a recording, was {folder}")
            self._reserve()
            self._say(None)
        except OSError as error:
            raise SettingsError(
                f"expected a folder to record to, was {folder}: {error.strerror}"
            ) from error

    @property
    def paused(self) -> bool:
        """Whether a failure lasts and nothing is recorded."""
        return self._again is not None

    @property
    def rows(self) -> int:
        """Lines written."""
        return sum(f.rows for f in self._files.values()) + (
            self._writer.rows if self._writer else 0
        )

    @property
    def bytes(self) -> int:
        """Compressed bytes written."""
        stored = sum(file.bytes for file in self._files.values())
        return stored + (self._writer.bytes if self._writer else 0)

    def take(self, entries: Iterable[Entry], now: float) -> None:
        """Write entries, or count them while a failure lasts; ``now`` is monotonic."""
        batch = [*entries]
        if self._again is not None and now >= self._again:
            self._attempt(lambda: self._resume(now), now)
        if self._again is None and self._attempt(lambda: self._write(batch, now), now):
            return
        self._miss(batch)

    def drop(self, dropped: Dropped) -> None:
        """Enter frames that were not even handed over; the manifest says so at its next writing."""
        merge(self._dropped, dropped)

    def close(self, ended: int) -> Manifest:
        """End the recording; return what its manifest says.

        A failure is logged, not raised: what could be written stands.
        """
        self._attempt(self._close_file, 0.0)
        self._end_missing()
        try:
            self._say(ended)
        except OSError as error:
            _LOG.warning("manifest_not_written", folder=str(self.folder), reason=str(error))
            self.failures += 1
        self._give_up_reserve()
        return self._manifest

    # --- the way in order --------------------------------------------------------------------

    def _write(self, batch: list[Entry], now: float) -> None:
        if self._writer is not None and self._due(self._writer, now):
            self._close_file()
            self._say(None)
        if not batch:
            return
        writer = self._writer or self._open(now)
        for entry in batch:
            writer.add(encode_line(entry), entry.receive_time)
        writer.flush()

    def _due(self, writer: FileWriter, now: float) -> bool:
        options = self._options
        return writer.bytes >= options.file_bytes or now - self._begun >= options.file_seconds

    def _open(self, now: float) -> FileWriter:
        self._number += 1
        path = self.folder / f"frames-{self._number:06d}{SUFFIX}"
        self._writer = FileWriter(path, self._open_file)
        self._begun = now
        self._say(None)
        return self._writer

    def _close_file(self) -> None:
        if self._writer is not None:
            stored = self._writer.close()
            self._writer = None
            self._files[stored.name] = stored

    def _say(self, ended: int | None) -> None:
        files = [*self._files.values()]
        if self._writer is not None:
            files.append(self._writer.entry())
        self._manifest = msgspec.structs.replace(
            self._manifest, ended=ended, files=tuple(files), dropped=tuple(self._dropped)
        )
        try:
            write_manifest(self.folder, self._manifest)
        except OSError:
            if not (self.folder / _RESERVE).exists():
                raise
            self._give_up_reserve()
            write_manifest(self.folder, self._manifest)

    # --- a failure ---------------------------------------------------------------------------

    def _attempt(self, work: Callable[[], None], now: float) -> bool:
        try:
            work()
        except (OSError, zstandard.ZstdError) as error:
            self._fail(error, now)
            return False
        return True

    def _fail(self, error: OSError | zstandard.ZstdError, now: float) -> None:
        self.failures += 1
        if self._again is None:
            _LOG.warning("recording_paused", folder=str(self.folder), reason=str(error))
            self._missing = Dropped(f"{type(error).__name__}: {error}", 0, 0, 0, 0)
        self._again = now + self._options.retry_seconds
        writer, self._writer = self._writer, None
        if writer is None:
            return
        try:
            stored = writer.abandon()
        except OSError as second:
            _LOG.warning("file_not_cut_back", file=str(writer.path), reason=str(second))
            stored = writer.entry()
        if stored.rows:
            self._files[stored.name] = stored
        else:
            writer.path.unlink(missing_ok=True)

    def _miss(self, batch: list[Entry]) -> None:
        frames = [entry for entry in batch if entry.direction != "dropped"]
        if not frames or self._missing is None:
            return
        held = self._missing
        self._missing = Dropped(
            held.reason,
            held.first if held.rows else frames[0].receive_time,
            frames[-1].receive_time,
            held.rows + len(frames),
            held.bytes + sum(len(entry.payload) for entry in frames),
        )

    def _resume(self, now: float) -> None:
        # a disk without room for this much beside the reserve is not worth another file
        self._reserve()
        probe = self.folder / _PROBE
        try:
            _allocate(probe)
        finally:
            probe.unlink(missing_ok=True)
        writer = self._open(now)
        missing = self._missing
        if missing is not None and missing.rows:
            sentence = f"{missing.rows} frames: {missing.reason}"
            writer.add(encode_line(Entry(missing.last, "", "dropped", sentence)), missing.last)
        writer.flush()
        self._again = None
        self._end_missing()
        _LOG.info("recording_resumed", folder=str(self.folder))

    def _end_missing(self) -> None:
        if self._missing is not None and self._missing.rows:
            merge(self._dropped, self._missing)
        self._missing = None

    def _reserve(self) -> None:
        if not (self.folder / _RESERVE).exists():
            _allocate(self.folder / _RESERVE)

    def _give_up_reserve(self) -> None:
        (self.folder / _RESERVE).unlink(missing_ok=True)


def _allocate(path: Path) -> None:
    with path.open("wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, _RESERVED_BYTES)
        except OSError:
            path.unlink()
            raise


def merge(dropped: list[Dropped], new: Dropped) -> None:
    """Add an entry; a list that is long already grows in its last entry."""
    if len(dropped) < _MOST_DROPPED:
        dropped.append(new)
        return
    last = dropped[-1]
    dropped[-1] = Dropped(
        last.reason, last.first, new.last, last.rows + new.rows, last.bytes + new.bytes
    )
