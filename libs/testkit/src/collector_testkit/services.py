"""Our services as child processes of a test: started, watched, stopped and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from collector_testkit.eventually import eventually

__all__ = ["Exchange", "Service", "simulated"]

_OURS: Final = ("COLLECTOR_", "KAFKA_", "EXCHANGE", "SYMBOLS", "TOPIC_")


class Service:
    """One service process; a context manager that kills what still runs at its end.

    Args:
        module: what ``python -m`` runs.
        settings: its environment, beside what is not ours of the present one.
    """

    def __init__(self, module: str, settings: Mapping[str, str]) -> None:
        kept = {name: v for name, v in os.environ.items() if not name.startswith(_OURS)}
        self.module = module
        self._log = tempfile.TemporaryFile(prefix=f"{module}-")  # noqa: SIM115  # closed by __exit__
        self.process = subprocess.Popen(
            [sys.executable, "-m", module],
            env={**kept, "COLLECTOR_HEALTH_PORT": "0", **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def first_line(self) -> str:
        """Return the first line of standard output; it blocks until there is one."""
        stdout = self.process.stdout
        line = "" if stdout is None else stdout.readline()
        if not line:
            raise AssertionError(f"expected a line of {self.module}, was its end:\n{self.log()}")
        return line

    def log(self) -> str:
        """Return what the process wrote to standard error."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    def logged(self, text: str, *, timeout: float = 30.0) -> None:
        """Wait until the log has ``text``; the process must not end before."""

        def probe() -> bool:
            if text in self.log():
                return True
            if self.process.poll() is not None:
                raise AssertionError(f"{self.module} ended before {text!r}:\n{self.log()}")
            return False

        eventually(probe, f"{text!r} in the log of {self.module}", timeout=timeout)

    def terminate(self, timeout: float = 15.0) -> int:
        """Ask it to end (SIGTERM) and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def kill(self) -> None:
        """End it without a chance to clean up (SIGKILL)."""
        self.process.kill()
        self.process.wait(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.kill()
        if self.process.stdout is not None:
            self.process.stdout.close()
        if error is not None:
            # the only place where a failed test can still say what the process said
            sys.stderr.write(f"--- {self.module}\n{self.log()[-4000:]}\n")
        self._log.close()


class Exchange(NamedTuple):
    """A simulated exchange: where it is, and what really happened there."""

    name: str
    websocket_url: str
    rest_url: str
    truth: Path

    def control(self, call: str, **query: object) -> Any:  # noqa: ANN401  # JSON of the simulator
        """Make a control call (docs/simulator.md) and return its answer."""
        words = "&".join(f"{name}={value}" for name, value in query.items())
        url = f"{self.rest_url}/_control/{call}?{words}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)

    def settings(self) -> dict[str, str]:
        """Return the settings by which an ingestor finds it."""
        return {
            "EXCHANGE": self.name,
            "COLLECTOR_WEBSOCKET_URL": self.websocket_url,
            "COLLECTOR_REST_URL": self.rest_url,
        }


@contextmanager
def simulated(exchange: str, folder: Path, **settings: object) -> Iterator[Exchange]:
    """Run a simulated exchange; ``settings`` are the simulator's, by their names in lower case."""
    truth = folder / f"truth-{exchange}.jsonl"
    given = {f"COLLECTOR_SIMULATOR_{name.upper()}": str(value) for name, value in settings.items()}
    environment = {
        "COLLECTOR_SIMULATOR_EXCHANGES": exchange,
        "COLLECTOR_SIMULATOR_TRUTH_LOG": str(truth),
        **given,
    }
    with Service("collector_simulator", environment) as simulator:
        urls = json.loads(simulator.first_line())[exchange]
        yield Exchange(exchange, urls["websocket_url"], urls["rest_url"], truth)
        simulator.terminate()
