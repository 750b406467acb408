"""Reading a recording back, as far as it is whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import zstandard

from collector_core.errors import CodecError
from collector_runtime.recording.line import Line, decode_line
from collector_runtime.recording.listing import read_listing
from collector_runtime.recording.manifest import StoredFile, read_manifest
from collector_runtime.recording.stored import SUFFIX

__all__ = ["Place", "Recording"]

_PIECE: Final = 64 * 1024
"""Compressed bytes at a time."""


class Place(NamedTuple):
    """A line, and where it stands."""

    source: str
    """Path of the file."""
    number: int
    """From 1."""
    line: Line


class Recording:
    """A folder that a recorder wrote.

    Args:
        folder: where its manifest is.

    Raises:
        SettingsError: there is none, or it is of another format.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = read_manifest(folder)
        # things that are not as the manifest says, or cannot be read
        self.damages = 0

    def instruments(self) -> bytes | None:
        """Return the exchange's own list of its symbols, if it was recorded.

        Raises:
            SettingsError: it cannot be read.
        """
        name = self.manifest.source.instruments
        return None if name is None else read_listing(self.folder / name)

    def lines(self, say: Callable[[str], None]) -> Iterator[Place]:
        """Return the lines of all files, in order.

        The last file of a recorder that was killed is read to its last whole line, and a file that
        the manifest does not know yet is read too; ``say`` is told. What is missing, changed or no
        line of ours is told as well and counted in ``damages``.

        Raises:
            OSError: a file cannot be read on.
        """
        listed = {file.name: file for file in self.manifest.files}
        found = {path.name for path in self.folder.glob(f"frames-*{SUFFIX}")}
        for name in sorted({*listed, *found}):
            path = self.folder / name
            if name not in found:
                self._damage(say, f"{path}: stands in the manifest and is not there")
                continue
            yield from self._file(path, listed.get(name), say)

    def _file(
        self, path: Path, listed: StoredFile | None, say: Callable[[str], None]
    ) -> Iterator[Place]:
        number, begun = 0, b""
        reader = _Reader(path)
        for piece in reader.pieces():
            lines = (begun + piece).split(b"\n")
            begun = lines.pop()
            for line in lines:
                number += 1
                try:
                    yield Place(str(path), number, decode_line(line))
                except CodecError as error:
                    self._damage(say, f"{path}:{number}: {error}")
        if reader.broken is not None:
            self._damage(say, f"{path}: cannot be read behind line {number:,}: {reader.broken}")
        elif listed is not None and listed.complete:
            if reader.sha256 != listed.sha256:
                self._damage(say, f"{path}: expected sha256 {listed.sha256}, was {reader.sha256}")
        elif not reader.ended:
            say(f"{path}: was not closed by its recorder; its {number:,} whole lines are read")

    def _damage(self, say: Callable[[str], None], sentence: str) -> None:
        self.damages += 1
        say(sentence)


class _Reader:
    """Unpacks one file and notes how it ended."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hash = hashlib.sha256()
        self.ended = False
        self.broken: str | None = None

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def pieces(self) -> Iterator[bytes]:
        unpack = zstandard.ZstdDecompressor().decompressobj()
        with self._path.open("rb") as file:
            while packed := file.read(_PIECE):
                self._hash.update(packed)
                if unpack.eof:
                    self.broken = "bytes behind its end"
                    return
                try:
                    piece = unpack.decompress(packed)
                except zstandard.ZstdError as error:
                    self.broken = str(error)
                    return
                if unpack.unused_data:
                    self.broken = "bytes behind its end"
                yield piece
        self.ended = unpack.eof
