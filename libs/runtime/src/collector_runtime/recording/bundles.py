"""Bundles of raw frames around incidents: written by a thread, bounded in number and size.

A bundle is a small recording of its own (same files, same manifest) whose manifest also says why
it was written. The oldest ones make room for the newest.
"""

from __future__ import annotations

import re
import shutil
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import structlog

from collector_core.errors import CollectorError, SettingsError
from collector_runtime.clock import wall_us
from collector_runtime.recording.journal import Journal, JournalOptions
from collector_runtime.recording.line import Entry
from collector_runtime.recording.manifest import MANIFEST, Dropped, Incident, Source
from collector_runtime.recording.stored import Open, open_new

__all__ = ["Bundle", "BundleLimits", "BundleStore"]

_PARTIAL: Final = ".partial-"
_ONE_FILE: Final = JournalOptions(file_bytes=1 << 60, file_seconds=1e12)
_SLICE: Final = 1_000
"""Entries that are written at once."""
_LOG: Final = structlog.get_logger("collector.recording")


class BundleLimits(msgspec.Struct, frozen=True):
    """What the bundles of one folder may take."""

    bundles: int = 50
    bytes: int = 512 * 1024 * 1024
    """Of all bundles on the disk; the newest is kept, whatever its size."""
    waiting: int = 4
    """Bundles that wait to be written; more are dropped and counted."""


class Bundle(NamedTuple):
    """What is written at once."""

    time: int
    """Receive time of the incident, in microseconds."""
    connection: str
    incidents: Sequence[Incident]
    entries: Iterable[Entry]
    """Gone through once, by the writer's thread."""
    dropped: Sequence[Dropped]
    """Frames that the time span asked for and the memory bound did not keep."""


class BundleStore:
    """The bundles of one exchange, in a folder of its own. ``put`` returns at once.

    Args:
        folder: made with the first bundle; no other process writes to it.
        source: what the connections are of.
        limits: what the folder may hold.
        wall: microseconds since the epoch.
        open_file: opens each new file.
    """

    def __init__(
        self,
        folder: Path,
        source: Source,
        limits: BundleLimits | None = None,
        *,
        wall: Callable[[], int] = wall_us,
        open_file: Open = open_new,
    ) -> None:
        self.folder = folder
        self._source = source
        self._limits = limits or BundleLimits()
        self._wall = wall
        self._open_file = open_file
        self._waiting: deque[Bundle] = deque()
        self._wake = threading.Condition()
        self._busy = False
        self._closing = False
        self._thread: threading.Thread | None = None
        # for metrics: bundles on the disk since the start, dropped unwritten, failed, removed again
        self.written = 0
        self.dropped = 0
        self.failed = 0
        self.removed = 0

    def put(self, bundle: Bundle) -> bool:
        """Have a bundle written soon; return whether there was room for it to wait."""
        with self._wake:
            if self._closing or len(self._waiting) >= self._limits.waiting:
                self.dropped += 1
                _LOG.warning("bundle_dropped", connection=bundle.connection)
                return False
            self._waiting.append(bundle)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="bundles", daemon=True)
                self._thread.start()
            self._wake.notify()
        return True

    def settle(self, timeout: float = 30.0) -> bool:
        """Wait until nothing waits to be written; return whether that was so in time. Blocks."""
        with self._wake:
            return self._wake.wait_for(lambda: not self._waiting and not self._busy, timeout)

    def close(self, timeout: float = 10.0) -> bool:
        """Write what waits and end; return whether that was done in time. Blocks."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread is not None:
            self._thread.join(timeout)
            return not self._thread.is_alive()
        return True

    # --- the writer's thread -----------------------------------------------------------------

    def _run(self) -> None:
        while (bundle := self._next()) is not None:
            try:
                self._write(bundle)
            except (OSError, CollectorError) as error:
                self.failed += 1
                _LOG.warning("bundle_not_written", connection=bundle.connection, reason=str(error))
            except Exception:  # noqa: BLE001  # a bug costs this bundle, not the thread; logged
                self.failed += 1
                _LOG.exception("bundle_failed", connection=bundle.connection)
            finally:
                with self._wake:
                    self._busy = False
                    self._wake.notify_all()

    def _next(self) -> Bundle | None:
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._closing)
            if not self._waiting:
                return None
            self._busy = True
            return self._waiting.popleft()

    def _write(self, bundle: Bundle) -> None:
        name = _name(bundle)
        partial = self.folder / f"{_PARTIAL}{name}"
        shutil.rmtree(partial, ignore_errors=True)
        journal = Journal(
            partial,
            self._source,
            _ONE_FILE,
            self._wall(),
            tuple(bundle.incidents),
            self._open_file,
        )
        for dropped in bundle.dropped:
            journal.drop(dropped)
        entries: Iterator[Entry] = iter(bundle.entries)
        while piece := [*islice(entries, _SLICE)]:
            journal.take(piece, 0.0)
        manifest = journal.close(self._wall())
        if journal.failures:
            shutil.rmtree(partial, ignore_errors=True)
            reasons = ", ".join(d.reason for d in manifest.dropped) or "its manifest"
            raise SettingsError(f"expected room for a bundle in {self.folder}, was {reasons}")
        self._place(partial, name)
        self.written += 1
        _LOG.info("bundle_written", bundle=name, rows=manifest.rows, bytes=manifest.bytes)
        self._make_room(self.folder / name)

    def _place(self, partial: Path, name: str) -> None:
        target = self.folder / name
        if target.exists():
            # the same connection, the same microsecond: a wall clock that was set back
            shutil.rmtree(target)
        partial.rename(target)

    def _make_room(self, newest: Path) -> None:
        # names begin with the time; what is half written belongs to nobody any more
        for left in self.folder.glob(f"{_PARTIAL}*"):
            shutil.rmtree(left, ignore_errors=True)
        bundles = [p for p in sorted(self.folder.iterdir()) if (p / MANIFEST).is_file()]
        sizes = {path: sum(f.stat().st_size for f in path.iterdir()) for path in bundles}
        for path in bundles:
            if len(sizes) <= self._limits.bundles and sum(sizes.values()) <= self._limits.bytes:
                return
            if path != newest:
                shutil.rmtree(path)
                del sizes[path]
                self.removed += 1


def _name(bundle: Bundle) -> str:
    moment = datetime.fromtimestamp(bundle.time / 1_000_000, UTC)
    what = re.sub(r"[^a-zA-Z0-9]+", "-", bundle.incidents[0].reason)[:40].strip("-").lower()
    return f"{moment:%Y%m%dT%H%M%S.%f}Z-{bundle.connection}-{what or 'incident'}"
