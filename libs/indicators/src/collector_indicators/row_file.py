"""Rows of the bus from the lines of a file, as ``collector tail`` prints them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from collector_core.codec import decode
from collector_core.errors import CodecError, SettingsError
from collector_core.events import Row

__all__ = ["read_rows"]


def read_rows(lines: Iterable[str]) -> Iterator[Row]:
    """Yield the rows of a file's lines as they are read; empty lines are left out.

    Raises:
        SettingsError: names the line, what was expected and what came.
    """
    for number, line in enumerate(lines, 1):
        text = line.lstrip("\ufeff").strip()
        if not text:
            continue
        try:
            yield decode(text.encode())
        except CodecError as error:
            raise SettingsError(f"line {number}: {error}") from error
