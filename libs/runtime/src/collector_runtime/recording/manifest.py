"""What a folder of a recording holds: ``manifest.json``, replaced as a whole at each change."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec
import zstandard

from collector_core.errors import SettingsError
from collector_feed.outputs import Subscription

__all__ = [
    "FORMAT",
    "MANIFEST",
    "Dropped",
    "Incident",
    "Manifest",
    "Source",
    "StoredFile",
    "read_manifest",
    "versions",
    "write_manifest",
]

FORMAT: Final = "collector-recording/1"
MANIFEST: Final = "manifest.json"
_PARTIAL: Final = "manifest.json.partial"


class Source(msgspec.Struct, frozen=True):
    """What is recorded."""

    exchange: str
    websocket_url: str
    rest_url: str = ""
    subscriptions: tuple[Subscription, ...] = ()
    answers: bool = False
    """REST answers are recorded where they came, so that a replay waits for them."""
    instruments: str | None = None
    """Name of the file, compressed with zstd, with the exchange's own list of its symbols."""


class StoredFile(msgspec.Struct, frozen=True):
    """One file of lines."""

    name: str
    bytes: int
    """Of the compressed file; of an incomplete one, as far as it was written when this was."""
    rows: int
    first: int | None
    """Receive time of its first line, in microseconds."""
    last: int | None
    sha256: str | None
    """Of the compressed file; null while it is not complete."""
    complete: bool
    """It was closed in order. Else it is being written, or its writer was killed or failed."""


class Dropped(msgspec.Struct, frozen=True):
    """Frames that came and were not recorded."""

    reason: str
    first: int
    """Receive time of the first of them, in microseconds."""
    last: int
    rows: int
    bytes: int
    """Of their payloads."""


class Incident(msgspec.Struct, frozen=True):
    """Why a bundle was written."""

    reason: str
    row: msgspec.Raw
    """The status row that was published, or null."""


class Manifest(msgspec.Struct, frozen=True, omit_defaults=False):
    """The whole of ``manifest.json``; times in microseconds since the epoch."""

    format: str
    source: Source
    versions: dict[str, str]
    started: int
    ended: int | None
    """Null while the recorder runs, and for ever if it was killed."""
    files: tuple[StoredFile, ...]
    dropped: tuple[Dropped, ...] = ()
    incidents: tuple[Incident, ...] = ()

    @property
    def rows(self) -> int:
        """Lines in all files."""
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        """Bytes of all files."""
        return sum(file.bytes for file in self.files)


def versions() -> dict[str, str]:
    """Return what wrote a recording."""
    return {
        "collector": version("collector-runtime"),
        "python": platform.python_version(),
        "zstandard": zstandard.__version__,
    }


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace a folder's manifest; whoever reads meanwhile sees the old one or the new one.

    Raises:
        OSError: it could not be written; the old one is whole.
    """
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    partial = folder / _PARTIAL
    try:
        with partial.open("wb") as file:
            file.write(text + b"\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / MANIFEST)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def read_manifest(folder: Path) -> Manifest:
    """Return what a folder says that it holds.

    Raises:
        SettingsError: there is no manifest, or it is of another format.
    """
    path = folder / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise SettingsError(f"expected a recording, was {path}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise SettingsError(f"expected a recording's manifest, was {path}: {error}") from error
    if manifest.format != FORMAT:
        raise SettingsError(f"expected format {FORMAT}, was {manifest.format!r} in {path}")
    _plain_names(path, [file.name for file in manifest.files])
    if manifest.source.instruments is not None:
        _plain_names(path, [manifest.source.instruments])
    return manifest


def _plain_names(path: Path, names: Sequence[str]) -> None:
    for name in names:
        # a manifest from elsewhere must not make us read what is not its folder's
        if Path(name).name != name:
            raise SettingsError(f"expected names of files in {path}, was {name!r}")
