"""The indicator service as it is measured: what it computes, how it is started, what it tells."""

from __future__ import annotations

import re
import sys
import time
import urllib.request
from pathlib import Path
from typing import Final, NamedTuple

from bench.processes import Failed, Program
from bench.trades import PARTITIONS

from collector_core.topics import Layout
from collector_runtime.kafka.ports import free_ports

__all__ = ["TEN", "Calculation", "Service", "memory_of_status", "total"]

TEN: Final = (
    "rsi:14", "macd:12:26:9", "bollinger:20:2", "vwap", "ema:20",
    "sma:20", "atr:14", "stochastic:14:1:3", "adx:14", "obv",
)  # fmt: skip
"""Ten that people ask for: averages, ranges, sums and windows."""

_POLL: Final = 0.02


class Calculation(NamedTuple):
    """What is computed of each symbol."""

    intervals: tuple[str, ...]
    indicators: tuple[str, ...] = TEN
    live: str = "0"
    """Seconds between live values; 0 for closed ones alone."""

    def states(self, symbols: int) -> int:
        """Return how many (symbol, interval, indicator) there are."""
        return symbols * len(self.intervals) * len(self.indicators)

    def settings(self, bootstrap: str, prefix: str, layout: Layout, port: int) -> dict[str, str]:
        """Return the environment of the service."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "TOPIC_PREFIX": prefix,
            "TOPIC_LAYOUT": layout,
            "COLLECTOR_TOPIC_PARTITIONS": str(PARTITIONS),
            "COLLECTOR_SHARDS": str(PARTITIONS),
            "COLLECTOR_HEALTH_PORT": str(port),
            "COLLECTOR_BAR_INTERVALS": ",".join(self.intervals),
            "COLLECTOR_CANDLE_INTERVALS": "",
            "COLLECTOR_INDICATORS": ",".join(self.indicators),
            "COLLECTOR_LIVE_EVERY": self.live,
        }


class Service(Program):
    """A process of the indicator service; leaving its ``with`` block ends it."""

    def __init__(
        self, calculation: Calculation, bootstrap: str, prefix: str, layout: Layout
    ) -> None:
        [self._port] = free_ports()
        settings = calculation.settings(bootstrap, prefix, layout, self._port)
        super().__init__("indicator", [sys.executable, "-m", "collector_indicator"], settings)

    def metric(self, name: str) -> float:
        """Return the sum of a metric's samples; 0 while there is none.

        Raises:
            OSError: it does not answer, which it does not in its first second.
        """
        return total(self._get("/metrics"), name)

    def ready(self) -> bool:
        """Tell whether it says that all its shards run."""
        try:
            self._get("/readyz")
        except OSError:
            self.check()
            return False
        return True

    def holds_all(self) -> bool:
        """Tell whether it holds every shard, and all of them run."""
        try:
            return self.metric("collector_indicator_shards") == PARTITIONS and self.ready()
        except OSError:
            self.check()
            return False

    def written(self) -> float:
        """Return how many rows it has committed; none while it does not answer."""
        try:
            return self.metric("collector_indicator_rows_out_total")
        except OSError:
            self.check()
            return 0.0

    def await_shards(self, timeout: float) -> None:
        """Wait until it holds every shard, and all of them run.

        Raises:
            Failed: not within ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while not self.holds_all():
            if time.monotonic() > deadline:
                raise Failed(f"expected all shards within {timeout:g} s, was {self.said()[-300:]}")
            time.sleep(_POLL)

    def memory(self) -> float:
        """Return its resident memory in MB."""
        return memory_of_status(Path(f"/proc/{self.pid}/status").read_text())

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=10) as answer:
            return str(answer.read().decode())


def total(metrics: str, name: str) -> float:
    """Return the sum of a metric's samples in Prometheus' text format."""
    found = re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", metrics, re.MULTILINE)
    return sum(map(float, found))


def memory_of_status(status: str) -> float:
    """Return ``VmRSS`` of a text of ``/proc/<pid>/status``, in MB (proc(5))."""
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise Failed("expected a process with memory, was one that ended")
    return int(found.group(1)) * 1024 / 1e6
