"""Recorded frames as a stream: one a line, each with or without its receive time.

A line is a frame, or ``receive_time_us<TAB>frame``. Input is read in pieces, never whole: files of
any size, and a pipe that is still being written, whose frames go on as soon as they came.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from collector_core.errors import FrameError, SettingsError

__all__ = ["STDIN", "Batch", "batches", "check_readable", "split_line"]

STDIN: Final = "-"
_PIECE: Final = 1 << 20
MAX_LINE: Final = 16 << 20
"""Bytes of the largest frame that the transports take."""
_TAB: Final = b"\t"
_TIME_DIGITS: Final = 19


class Batch(NamedTuple):
    """Lines of one source that were read at once, without their ends."""

    source: str
    first: int
    """Number of the first of them, from 1."""
    lines: list[bytes]


def check_readable(paths: Sequence[str]) -> None:
    """Make sure that every file is there before the first row is written.

    Raises:
        SettingsError: a file cannot be read; named.
    """
    for path in paths:
        if path == STDIN:
            continue
        try:
            with Path(path).open("rb") as stream:
                stream.peek(1)
        except OSError as error:
            raise SettingsError(
                f"expected a readable file, was {path}: {error.strerror}"
            ) from error


def batches(paths: Sequence[str]) -> Iterator[Batch]:
    """Return the lines of the files, in order; ``-`` is standard input.

    A line longer than ``MAX_LINE`` is given cut, which no adapter takes for a frame.

    Raises:
        OSError: a file cannot be read on.
    """
    for path in paths:
        with ExitStack() as stack:
            if path == STDIN:
                yield from _batches("stdin", sys.stdin.buffer)
            else:
                yield from _batches(path, stack.enter_context(Path(path).open("rb")))


def _batches(source: str, stream: BinaryIO) -> Iterator[Batch]:
    number, begun, skipping = 1, b"", False
    read = getattr(stream, "read1", stream.read)
    while piece := read(_PIECE):
        lines = (begun + piece).split(b"\n")
        begun = lines.pop()
        if skipping and lines:
            # the end of the line that was given cut
            del lines[0]
            skipping = False
        if skipping:
            begun = b""
        elif len(begun) > MAX_LINE:
            lines.append(begun[:MAX_LINE])
            begun, skipping = b"", True
        if lines:
            yield Batch(source, number, lines)
            number += len(lines)
    if begun:
        yield Batch(source, number, [begun])


def split_line(line: bytes) -> tuple[int | None, bytes]:
    """Return receive time and frame of a line that begins with a digit.

    Raises:
        FrameError: what stands before the tab is no time in whole microseconds.
    """
    head, tab, frame = line.partition(_TAB)
    if not tab:
        return None, line
    if not head.isdigit() or len(head) > _TIME_DIGITS:
        shown = head[:40].decode(errors="replace")
        raise FrameError(f"expected a receive time in whole microseconds, was {shown!r}")
    return int(head), frame
