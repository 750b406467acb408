"""One compressed file of lines that is being written.

Lines are handed to the disk in whole blocks of zstd: a file whose writer was killed reads up to its
last block, with any zstd program.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

import zstandard

from collector_runtime.recording.manifest import StoredFile

__all__ = ["SUFFIX", "FileWriter", "Open", "open_new"]

SUFFIX: Final = ".jsonl.zst"
Open: TypeAlias = Callable[[Path], BinaryIO]
"""Opens a new file for writing, without a buffer of its own."""

_LEVEL: Final = 3
_BLOCK: Final = zstandard.COMPRESSOBJ_FLUSH_BLOCK


def open_new(path: Path) -> BinaryIO:
    """Open a file that is not there yet."""
    return path.open("xb", buffering=0)


class FileWriter:
    """Writes one file; what ``flush`` returned from is on the disk as far as the kernel goes.

    Args:
        path: the new file.
        open_file: opens it.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, path: Path, open_file: Open = open_new) -> None:
        self.path = path
        self._file = open_file(path)
        self._compress = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compressobj()
        self._hash = hashlib.sha256()
        # bytes of the file that hold whole blocks
        self.bytes = 0
        # lines in them, and the receive times of the first and the last of those
        self.rows = 0
        self._first: int | None = None
        self._last: int | None = None
        # of lines that were added and not flushed yet
        self._new_rows = 0
        self._new_first: int | None = None
        self._new_last: int | None = None
        # compressed and not written yet
        self._ready: list[bytes] = []

    def add(self, line: bytes, receive_time: int) -> None:
        """Take a line; it is written by the next ``flush``."""
        if part := self._compress.compress(line):
            self._ready.append(part)
        self._new_rows += 1
        if self._new_first is None:
            self._new_first = receive_time
        self._new_last = receive_time

    def flush(self) -> None:
        """Write what was added, as whole blocks.

        Raises:
            OSError: it could not be written; ``abandon`` is all that is left to do.
        """
        if self._new_rows:
            self._ready.append(self._compress.flush(_BLOCK))
            self._write()

    def close(self) -> StoredFile:
        """End the file in order and return its entry of the manifest.

        Raises:
            OSError: as ``flush``.
        """
        self._ready.append(self._compress.flush(zstandard.COMPRESSOBJ_FLUSH_FINISH))
        self._write()
        os.fsync(self._file.fileno())
        self._file.close()
        return self.entry(complete=True)

    def abandon(self) -> StoredFile:
        """Leave the file after a failure, cut back to what ``flush`` has written.

        Raises:
            OSError: not even that is possible.
        """
        try:
            self._file.truncate(self.bytes)
        finally:
            self._file.close()
        return self.entry(complete=False)

    def entry(self, *, complete: bool = False) -> StoredFile:
        """Return what the manifest says of the file now."""
        sha256 = self._hash.hexdigest() if complete else None
        return StoredFile(
            self.path.name, self.bytes, self.rows, self._first, self._last, sha256, complete
        )

    def _write(self) -> None:
        data = b"".join(self._ready)
        self._ready.clear()
        view = memoryview(data)
        while view:
            # a raw file may take less than it is given, just before a disk is full
            view = view[self._file.write(view) :]
        self._hash.update(data)
        self.bytes += len(data)
        self.rows += self._new_rows
        if self._first is None:
            self._first = self._new_first
        if self._new_last is not None:
            self._last = self._new_last
        self._new_rows = 0
        self._new_first = self._new_last = None
