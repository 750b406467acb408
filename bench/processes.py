"""Programs under measurement: started, spoken to, surely ended, and their CPU time (Linux)."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

__all__ = [
    "OURS",
    "Failed",
    "Program",
    "cpu_of_stat",
    "cpu_seconds",
    "environment",
    "thread_seconds",
]

OURS: Final = ("COLLECTOR_", "KAFKA_", "EXCHANGE", "SYMBOLS", "TOPIC_")
"""Beginnings of the variables that steer our services."""

_LAUNCHER: Final = """
import ctypes, os, sys
# the kernel kills this program when the one that started it is gone, however it went
ctypes.CDLL(None, use_errno=True).prctl(1, 9)
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execvp(sys.argv[2], sys.argv[2:])
"""
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A program did not do what was measured; the text says what it said."""


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return our environment without what steers our services, and with ``settings``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**kept, "COLLECTOR_HEALTH_PORT": "0", **settings}


class Program:
    """A child process; leaving its ``with`` block ends it.

    Args:
        name: for error texts.
        command: program and arguments.
        settings: its settings, beside what is not ours of the present environment.
    """

    def __init__(
        self, name: str, command: Sequence[str], settings: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self._log = tempfile.TemporaryFile(prefix=f"{name}-")  # noqa: SIM115  # closed by stop
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *command],
            env=environment(settings or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        # what was read of its standard output and not yet given out
        self._read = b""

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def check(self) -> None:
        """Raise ``Failed``, with the end of what it said, if the program is gone."""
        status = self._process.poll()
        if status is not None:
            raise Failed(f"{self.name} ended with status {status}: {self.said()}")

    def said(self) -> str:
        """Return the end of its standard error; nothing once it was stopped."""
        if self._log.closed:
            return ""
        size = os.fstat(self._log.fileno()).st_size
        start = max(0, size - 2_000)
        return os.pread(self._log.fileno(), size - start, start).decode(errors="replace").strip()

    def log(self) -> str:
        """Return all that it said on its standard error so far."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    def kill(self) -> None:
        """End it by SIGKILL: it can do nothing about it."""
        self._process.kill()
        self._process.wait(10)

    def line(self, timeout: float) -> str:
        """Return the next line of its standard output.

        Raises:
            Failed: none came within ``timeout`` seconds.
        """
        out = self._process.stdout
        if out is None:
            raise Failed(f"{self.name} has no standard output")
        deadline = time.monotonic() + timeout
        while b"\n" not in self._read:
            left = max(0.0, deadline - time.monotonic())
            part = b""
            if select.select([out], [], [], left)[0]:
                part = os.read(out.fileno(), 65536)
            if not part:
                self.check()
                raise Failed(f"expected a line of {self.name} within {timeout:g} s, was silent")
            self._read += part
        line, _, self._read = self._read.partition(b"\n")
        return line.decode()

    def tell(self, text: str) -> None:
        """Write a line to its standard input."""
        if self._process.stdin is None:
            raise Failed(f"{self.name} has no standard input")
        self._process.stdin.write(f"{text}\n".encode())
        self._process.stdin.flush()

    def stop(self, timeout: float = 12.0) -> None:
        """End it: asked at first, killed after ``timeout`` seconds. Idempotent."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout, self._log):
            if pipe is not None:
                pipe.close()

    def ended(self, timeout: float) -> str:
        """Wait for it to end by itself; return the end of its standard error.

        Raises:
            Failed: it did not end within ``timeout`` seconds, or with another status than 0.
        """
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failed(f"expected {self.name} to end within {timeout:g} s, was running") from None
        if status:
            raise Failed(f"expected {self.name} to end well, was status {status}: {self.said()}")
        return self.said()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process with all its threads, those that ended among them."""
    return cpu_of_stat(Path(f"/proc/{pid}/stat").read_text()) / _TICKS


def cpu_of_stat(stat: str) -> int:
    """Return user and system time of a line of ``/proc/<pid>/stat``, in ticks (proc(5))."""
    # the name in brackets may hold anything; after it the fields are numbers, the third first
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def thread_seconds(pid: int) -> dict[str, float]:
    """Return the CPU time of the threads that live, by the name of the thread."""
    found: dict[str, float] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
            nanoseconds = int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:
            continue  # it ended between the listing and the reading
        found[name] = found.get(name, 0.0) + nanoseconds / 1e9
    return found
