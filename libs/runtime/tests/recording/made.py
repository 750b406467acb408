"""Recordings of a few lines, and what stands in the way of writing them."""

from __future__ import annotations

import errno
import io
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from collector_feed.outputs import Subscription
from collector_runtime.recording import Entry, Line, Recording, Source

SOURCE = Source("binance", "ws://localhost:1/ws", "", (Subscription("trade", "BTC/USDT"),))
T0 = 1_700_000_000_000_000


def frames(count: int, first: int = 0, size: int = 0) -> list[Entry]:
    """Frames a millisecond apart, numbered, each padded with text that does not compress to 0."""
    return [
        Entry(T0 + 1_000 * n, "c-0", "in", f'{{"n":{n}}}'.encode() + noise(n, size))
        for n in range(first, first + count)
    ]


def noise(seed: int, size: int) -> bytes:
    """Bytes that zstd cannot make small, the same for the same seed."""
    if not size:
        return b""
    import hashlib  # noqa: PLC0415 - for this alone

    found = b""
    while len(found) < size:
        found += hashlib.sha256(f"{seed}-{len(found)}".encode()).hexdigest().encode()
    return found[:size]


def numbers(lines: Iterable[Line]) -> list[int]:
    """Return the numbers of the frames among some lines."""
    return [
        int(line.payload.partition(":")[2].partition("}")[0])
        for line in lines
        if line.direction == "in"
    ]


def read(folder: Path) -> tuple[list[Line], list[str], int]:
    """Return the lines of a recording, what was said, and the number of damages."""
    said: list[str] = []
    recording = Recording(folder)
    lines = [place.line for place in recording.lines(said.append)]
    return lines, said, recording.damages


class Disk:
    """A disk that has room for so many bytes; counted over all files that it opens."""

    def __init__(self, room: int) -> None:
        self.room = room

    def open(self, path: Path) -> BinaryIO:
        if self.room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return _Bounded(path, self)


class _Bounded(io.FileIO):
    def __init__(self, path: Path, disk: Disk) -> None:
        super().__init__(path, "x")
        self._disk = disk

    def write(self, data: object, /) -> int:
        view = memoryview(data)  # type: ignore[arg-type]  # bytes or a view of them
        if self._disk.room <= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = super().write(view[: self._disk.room])
        self._disk.room -= taken
        return taken
