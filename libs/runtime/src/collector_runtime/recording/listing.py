"""The exchange's own list of its symbols, stored beside the frames that need it to be read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import zstandard

from collector_core.errors import SettingsError

__all__ = ["LISTING", "read_listing", "write_listing"]

LISTING: Final = "instruments.json.zst"
_LARGEST: Final = 256 * 1024 * 1024


def write_listing(folder: Path, body: bytes) -> None:
    """Store a REST answer as ``LISTING``.

    Raises:
        SettingsError: it cannot be written.
    """
    try:
        (folder / LISTING).write_bytes(zstandard.ZstdCompressor().compress(body))
    except OSError as error:
        raise SettingsError(
            f"expected a folder to record to, was {folder}: {error.strerror}"
        ) from error


def read_listing(path: Path) -> bytes:
    """Return what ``write_listing`` stored.

    Raises:
        SettingsError: it is not there, or not whole.
    """
    try:
        packed = path.read_bytes()
        return zstandard.ZstdDecompressor().decompress(packed, max_output_size=_LARGEST)
    except (OSError, zstandard.ZstdError) as error:
        raise SettingsError(f"expected a stored list of symbols, was {path}: {error}") from error
