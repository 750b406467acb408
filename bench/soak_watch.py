"""What a soak looks at every ten seconds, and what it makes of it at the end."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec
from bench.processes import Program, cpu_seconds
from prometheus_client.parser import text_string_to_metric_families

__all__ = ["GROWTH", "Sample", "line", "look", "state", "verdict"]

GROWTH: Final = 0.02
"""By how much resident memory may differ between the second minute and the end."""
_LATE: Final = 0.5
"""Seconds by which the sending may be later at the end than at the beginning."""
_WAITING: Final = 4_000_000
"""Bytes more that may wait in the sockets at the end."""
_WARM: Final = 120.0
_PATIENCE: Final = 30.0
"""Seconds to wait for an answer of a process that the machine has no time for."""
_FEW: Final = 6


class Sample(msgspec.Struct):
    """One ingestor and its exchange at one moment; counts are since the start."""

    at: float
    """Seconds since the frames began."""
    frames: int
    """Frames that the exchange has sent."""
    late: float
    """Seconds by which the exchange's next frame is late: the ingestor does not take them."""
    waiting: int
    """Bytes that wait in the exchange's sockets."""
    received: int
    """Frames that the ingestor has received."""
    rows: int
    """Rows given to the producer."""
    delivered: int
    """Rows that Kafka acknowledged."""
    memory: int
    """Resident bytes."""
    cpu: float
    """Seconds of CPU time, all threads."""
    gaps: int
    losses: int
    """Connections that ended."""
    undecodable: int
    settled: bool
    """Every book that begins with a snapshot has had it."""
    buckets: dict[str, float]
    """From receive to produce: observations up to each bound in seconds."""

    @property
    def queue(self) -> int:
        """Rows that Kafka has not acknowledged."""
        return self.rows - self.delivered


def state(port: int) -> dict[str, Any]:
    """Return what the sender says of itself."""
    found: dict[str, Any] = json.loads(_get(f"http://127.0.0.1:{port}/_state"))
    return found


def look(ingestor: Program, health: int, sender: int, at: float, snapshots: int) -> Sample:
    """Return how an ingestor and the exchange that it listens to stand."""
    ingestor.check()
    exchange = state(sender)
    sums: dict[str, float] = {}
    buckets: dict[str, float] = {}
    for family in text_string_to_metric_families(_get(f"http://127.0.0.1:{health}/metrics")):
        for item in family.samples:
            if item.name == "collector_receive_to_produce_seconds_bucket":
                bound = item.labels["le"]
                buckets[bound] = buckets.get(bound, 0) + item.value
            sums[item.name] = sums.get(item.name, 0) + item.value

    def count(metric: str) -> int:
        return int(sums.get(f"collector_{metric}", 0))

    return Sample(
        at=at,
        frames=exchange["frames"],
        late=exchange["late"],
        waiting=exchange["waiting"],
        received=count("frames_total"),
        rows=count("rows_total"),
        delivered=count("delivered_rows_total"),
        memory=_resident(ingestor.pid),
        cpu=cpu_seconds(ingestor.pid),
        gaps=count("gaps_total"),
        losses=count("reconnects_total"),
        undecodable=count("undecodable_frames_total"),
        settled=exchange["snapshots"] >= snapshots,
        buckets=buckets,
    )


def line(name: str, before: Sample, now: Sample) -> str:
    """Return what happened between two looks, in one line."""
    took = max(now.at - before.at, 1e-9)
    return (
        f"{now.at:6.0f} s  {name}: {(now.frames - before.frames) / took:8,.0f} frames/s sent, "
        f"{(now.received - before.received) / took:8,.0f} received, "
        f"{(now.rows - before.rows) / took:8,.0f} rows/s; late {now.late:5.2f} s, "
        f"waiting {now.waiting / 1e6:5.2f} MB, queue {now.queue:6,} rows, "
        f"receive to produce p50 {_share(before, now, 0.5)} p99 {_share(before, now, 0.99)} ms; "
        f"{now.memory / 1e6:6.1f} MB, {(now.cpu - before.cpu) / took * 100:3.0f} % CPU; "
        f"gaps {now.gaps}, losses {now.losses}, undecodable {now.undecodable}"
        + ("" if now.settled else "; books still waiting for snapshots")
    )


def verdict(samples: Sequence[Sample]) -> tuple[list[str], list[str]]:
    """Return figures of a whole soak, and what is wrong with it; nothing if it held.

    Compared are the time around two minutes after the last book was whole, and the end.
    """
    start = next((s.at for s in samples if s.settled), None)
    if start is None:
        return [], ["not every book was whole before the end"]
    steady = [s for s in samples if s.at >= start + _WARM]
    if len(steady) < 2 * _FEW:
        return [], [
            f"expected at least {2 * _FEW} looks after two whole minutes, was {len(steady)}"
        ]
    first, last, begin, end = steady[:_FEW], steady[-_FEW:], steady[0], steady[-1]
    took = end.at - begin.at
    memory = _middle(first, _memory), _middle(last, _memory)
    growth = memory[1] / memory[0] - 1
    queue = _middle(first, _queue), _middle(last, _queue)
    late = _middle(first, _late), _middle(last, _late)
    waiting = _middle(first, _waiting), _middle(last, _waiting)
    rate = (end.rows - begin.rows) / took
    figures = [
        (
            f"over {took:.0f} s: {(end.received - begin.received) / took:,.0f} frames/s, "
            f"{rate:,.0f} rows/s, {(end.cpu - begin.cpu) / took * 100:.0f} % of a core"
        ),
        f"receive to produce p50 {_share(begin, end, 0.5)} ms, p99 {_share(begin, end, 0.99)} ms",
        (
            f"rows in the queue: {queue[0]:,.0f} at first, {queue[1]:,.0f} at the end, "
            f"at most {max(s.queue for s in steady):,}"
        ),
        (
            f"the exchange's sending late by {late[0]:.2f} s at first, {late[1]:.2f} s at the end, "
            f"at most {max(s.late for s in steady):.2f} s"
        ),
        (
            f"resident memory: {memory[0] / 1e6:.1f} MB at first, {memory[1] / 1e6:.1f} MB at the "
            f"end ({growth:+.2%}); at each quarter "
            + ", ".join(f"{steady[(len(steady) - 1) * q // 4].memory / 1e6:.1f}" for q in range(5))
        ),
        f"gaps {end.gaps}, connections lost {end.losses}, undecodable {end.undecodable}",
    ]
    wrong = []
    if abs(growth) >= GROWTH:
        wrong.append(f"expected memory that differs by less than {GROWTH:.0%}, was {growth:+.2%}")
    if queue[1] > queue[0] + rate:
        wrong.append(f"expected no growth of the queue, was {queue[0]:,.0f} to {queue[1]:,.0f}")
    if late[1] > late[0] + _LATE or waiting[1] > waiting[0] + _WAITING:
        wrong.append(f"expected no growth of the lag, was {late[0]:.2f} to {late[1]:.2f} s")
    for what, number in (
        ("gap", end.gaps),
        ("lost connection", end.losses),
        ("undecodable frame", end.undecodable),
    ):
        if number:
            wrong.append(f"expected no {what}, was {number}")
    return figures, wrong


def _middle(samples: Iterable[Sample], what: Callable[[Sample], float]) -> float:
    return median(what(sample) for sample in samples)


def _memory(sample: Sample) -> float:
    return sample.memory


def _queue(sample: Sample) -> float:
    return sample.queue


def _late(sample: Sample) -> float:
    return sample.late


def _waiting(sample: Sample) -> float:
    return sample.waiting


def _share(before: Sample, now: Sample, share: float) -> str:
    """Return the bound in milliseconds below which a share of the observations lies."""
    counts = [(float(b), n - before.buckets.get(b, 0)) for b, n in now.buckets.items()]
    counts.sort()
    total = counts[-1][1] if counts else 0
    for bound, count in counts:
        if total and count >= share * total:
            return f"<{bound * 1e3:.3g}"
    return "-"


def _resident(pid: int) -> int:
    for entry in Path(f"/proc/{pid}/status").read_text().splitlines():
        if entry.startswith("VmRSS:"):
            return int(entry.split()[1]) * 1024
    raise OSError(f"expected the resident memory of process {pid}, was none")


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:
        body: bytes = answer.read()
    return body.decode()
