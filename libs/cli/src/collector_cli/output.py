"""Standard output in whole lines of bytes, buffered; a reader that leaves ends us quietly."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

__all__ = ["Output", "OutputClosed", "silence"]


class OutputClosed(Exception):
    """Whoever read our standard output has left (``| head``): nothing more is wanted."""


class Output:
    """Lines for standard output. They wait until ``flush``, or until many have come."""

    _MANY = 1 << 18

    def __init__(self) -> None:
        self._stream = sys.stdout.buffer
        self._waiting: list[bytes] = []
        self._bytes = 0

    def line(self, line: bytes) -> None:
        """Add a line, without its end.

        Raises:
            OutputClosed: nobody reads any longer.
        """
        self._waiting.append(line)
        self._bytes += len(line)
        if self._bytes > self._MANY:
            self._write()

    def lines(self, lines: Iterable[bytes]) -> None:
        """Add several lines.

        Raises:
            OutputClosed: nobody reads any longer.
        """
        self._waiting.extend(lines)
        self._write()

    def flush(self) -> None:
        """Write out what waits.

        Raises:
            OutputClosed: nobody reads any longer.
        """
        self._write()
        try:
            self._stream.flush()
        except BrokenPipeError as error:
            raise OutputClosed from error

    def _write(self) -> None:
        if not self._waiting:
            return
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        waiting.append(b"")
        try:
            self._stream.write(b"\n".join(waiting))
        except BrokenPipeError as error:
            raise OutputClosed from error


def silence() -> None:
    """Let what is still buffered go nowhere, so that the interpreter ends without complaint."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
