"""A real Redis server of a test's own, which it may kill."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from collector_testkit.eventually import eventually


def executable() -> str:
    """Return the server's path; skip the test without one."""
    beside = Path(sys.executable).parent / "redis-server"
    found = str(beside) if beside.exists() else shutil.which("redis-server")
    if found is None:
        pytest.skip("a redis-server is expected beside python or in PATH, which is not there")
    return found


class RedisServer:
    """Starts, kills and starts again on one port; keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self._executable = executable()
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            [
                self._executable, "--port", str(self.port), "--bind", "127.0.0.1",
                "--save", "", "--appendonly", "no", "--dir", str(self._folder),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        eventually(self._answers, "an answer of Redis", timeout=20.0)

    def kill(self) -> None:
        """End it by SIGKILL; what it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10.0)
            self._process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 0.5) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
