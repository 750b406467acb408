"""A child process that never outlives the process that started it.

Three things end it: ``stop``, the interpreter's exit, and, on Linux, the death of this process by
any cause, kill -9 included (``PR_SET_PDEATHSIG``). That signal belongs to the thread that started
the child, so the child is started by a thread of its own that lives as long as it does. A small
launcher asks for the signal and then becomes the child: code between fork and exec in a process
with threads (``preexec_fn``) may deadlock.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Final

from collector_core.errors import BrokerError

__all__ = ["Child"]

_LAUNCHER: Final = """
import os, sys
parent, command = int(sys.argv[1]), sys.argv[2:]
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None, use_errno=True).prctl(1, 9)
    if os.getppid() != parent:
        sys.exit("expected to be started by process %d, which is gone" % parent)
os.execvp(command[0], command)
"""
_LOG_BYTES: Final = 4_000


class Child:
    """A running child process, in a process group of its own, its output kept for errors.

    Args:
        command: program and arguments.
        env: its environment; None means ours.

    Raises:
        BrokerError: the program could not be started.
    """

    def __init__(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        self.name = Path(command[0]).name
        # standard output and error, read back for error texts
        self._log = tempfile.TemporaryFile(prefix=f"{self.name}-")  # noqa: SIM115 - closed by stop
        spawned: Future[subprocess.Popen[bytes]] = Future()
        self._ended = threading.Event()
        # a stopped (SIGSTOP) child takes no SIGTERM
        self._paused = False
        launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *command]
        self._thread = threading.Thread(
            target=self._run, args=(launcher, env, spawned), name=f"child-{self.name}", daemon=True
        )
        self._thread.start()
        try:
            self._process = spawned.result()
        except OSError as error:
            self._log.close()
            raise BrokerError(f"expected to start {self.name}, was {error}") from error
        atexit.register(self.stop)

    def _run(
        self,
        command: Sequence[str],
        env: Mapping[str, str] | None,
        spawned: Future[subprocess.Popen[bytes]],
    ) -> None:
        try:
            process = subprocess.Popen(  # noqa: S603 - the callers' own fixed commands
                command,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            spawned.set_exception(error)
            return
        spawned.set_result(process)
        process.wait()
        self._ended.set()

    @property
    def pid(self) -> int:
        """Process id, which is also the id of its process group."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Exit status, negative for a signal; None while it runs."""
        return self._process.returncode if self._ended.is_set() else None

    def wait(self, timeout: float) -> bool:
        """Wait at most ``timeout`` seconds for the child's end; tell whether it ended."""
        return self._ended.wait(timeout)

    def output(self) -> str:
        """Return the last of what the child printed."""
        if self._log.closed:
            return ""
        end = os.fstat(self._log.fileno()).st_size
        start = max(0, end - _LOG_BYTES)
        return os.pread(self._log.fileno(), end - start, start).decode(errors="replace").strip()

    def pause(self) -> None:
        """Freeze the child (SIGSTOP): alive and silent, as a hung process."""
        self._paused = True
        self.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen child go on."""
        self._paused = False
        self.send(signal.SIGCONT)

    def stop(self, timeout: float = 10.0) -> None:
        """End the child: asked at first, killed after ``timeout`` seconds. Idempotent."""
        atexit.unregister(self.stop)
        if not self._ended.is_set():
            if self._paused:
                self.resume()
            self.send(signal.SIGTERM)
            if not self.wait(timeout):
                self.kill()
        self._log.close()

    def kill(self) -> None:
        """End the child at once (SIGKILL), and wait for its end."""
        self.send(signal.SIGKILL)
        self._ended.wait()

    def send(self, number: signal.Signals) -> None:
        """Send the child's group a signal; none is sent to one that has ended."""
        # it may end at any moment, which is what most of these signals want
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)
