"""A service as a child process: its output in files of the run's folder, its end with ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from collector_core.errors import CollectorError
from collector_runtime.clock import monotonic
from collector_runtime.kafka.child import Child

__all__ = ["Service"]

_SHELL: Final = 'out=$1 log=$2; shift 2; exec "$@" >"$out" 2>"$log"'
"""Puts the program in place of the shell, which only opens the files."""
_POLL: Final = 0.02
_FAILURE: Final = "error: "
"""With what the sentence of a failure begins (``collector_runtime.lifecycle.print_failure``)."""
_LINES: Final = 3
_LENGTH: Final = 400


class Service:
    """One running service. It dies with this process, even with kill -9 (see ``Child``).

    Args:
        name: what it is, for people; also the name of its files.
        arguments: Python's, for example ``("-m", "collector_ingestor")``.
        settings: environment variables beside our own.
        folder: where its standard output and its log go.
        patience: seconds that it has to end by itself.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        settings: dict[str, str],
        folder: Path,
        patience: float,
    ) -> None:
        self.name = name
        self._patience = patience
        self.log = folder / f"{name}.log"
        self._out = folder / f"{name}.out"
        command = ["/bin/sh", "-c", _SHELL, "sh", str(self._out), str(self.log)]
        environment = os.environ | {"PYTHONUNBUFFERED": "1"} | settings
        self._child = Child([*command, sys.executable, *arguments], environment)

    @property
    def pid(self) -> int:
        """Id of its process."""
        return self._child.pid

    def check(self) -> None:
        """Do nothing while it runs.

        Raises:
            CollectorError: it has ended; the text has its last words and names its log.
        """
        if self._child.wait(0):
            raise CollectorError(
                f"expected the {self.name} to run, was ended with status "
                f"{self._child.returncode}: {self._last_words()} (log: {self.log})"
            )

    def first_line(self, timeout: float, waiting: Callable[[], None]) -> bytes:
        """Return the first line of its standard output; ``waiting`` is called meanwhile.

        Raises:
            CollectorError: it ended, or printed none within ``timeout`` seconds.
        """
        deadline = monotonic() + timeout
        while True:
            line, end, _ = (
                self._out.read_bytes().partition(b"\n") if self._out.exists() else (b"",) * 3
            )
            if end:
                return line
            self.check()
            waiting()
            if monotonic() > deadline:
                raise CollectorError(
                    f"expected a line from the {self.name} within {timeout:g} s, was none: "
                    f"{self._last_words()} (log: {self.log})"
                )
            self._child.wait(_POLL)

    def stop(self) -> None:
        """End it: asked at first, killed when it takes too long. Idempotent."""
        self._child.stop(self._patience)

    def _last_words(self) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        said = [line for line in lines if line.startswith(_FAILURE)]
        if said:
            # the service's own sentence says more than the log lines around it
            return said[-1].removeprefix(_FAILURE)[:_LENGTH]
        return " / ".join(lines[-_LINES:])[-_LENGTH:] or "no output"
