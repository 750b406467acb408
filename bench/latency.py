"""From the append of a clock row to the closed bar, as a read_committed reader sees it.

The service runs with nothing behind. Each second every symbol has a trade and then, all at once,
the clock rows that end its bars; the broker stamps those as it appends them. A reader of the bars,
on the same machine and thus by the same clock, takes the time at which it holds each one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from bench.calculation import Calculation, Service
from bench.figures import Figure
from bench.live_feed import SECOND, Feed, stamp_appends
from bench.machine import load as load_average
from bench.processes import Failed
from bench.topics import Topics
from bench.trades import EXCHANGE, PARTITIONS, START, Load, places, prepare
from confluent_kafka import Consumer, TopicPartition

from collector_core.codec import decode
from collector_core.events import Bar
from collector_core.topics import Layout

__all__ = ["MAXIMUM", "P50", "P99", "SECTION", "delays", "percentile", "run"]

SECTION: Final = "latency"
P50: Final = "ms, p50"
P99: Final = "ms, p99"
MAXIMUM: Final = "ms, maximum"
_CALCULATION: Final = Calculation(("1s", "1m", "5m"))
_WARM: Final = 10
"""Bars of each symbol that do not count."""
_START: Final = 120.0
_LEFT: Final = 20.0
"""Seconds for the last bars, after the last clock row."""


class _Case(NamedTuple):
    symbols: int
    layout: Layout
    goal: str

    @property
    def name(self) -> str:
        """How it is called in the tables."""
        where = "a topic a symbol" if self.layout == "symbol" else "keyed topics"
        return f"{self.symbols} symbols, {where}"


_CASES: Final = (
    _Case(50, "symbol", "goal 200"),
    _Case(50, "keyed", "goal 200"),
    _Case(500, "keyed", ""),
)


def run(bootstrap: str, runs: int, *, quick: bool, say: Callable[[str], None]) -> list[Figure]:
    """Return the figures of each case."""
    figures: list[Figure] = []
    bars = 20 if quick else 60
    for case in _CASES[1:] if quick else _CASES:
        mine = [Figure(SECTION, case.name, quantity) for quantity in (P50, P99, MAXIMUM)]
        figures += mine
        for number in range(runs):
            say(f"run {number + 1} of {runs}: clock row to closed bar, {case.name}")
            at = load_average()
            try:
                found = _measure(bootstrap, f"bench-l{number}-{len(figures)}", case, bars)
            except (Failed, OSError) as error:
                for figure in mine:
                    figure.failure = str(error)
                continue
            for figure, part in zip(mine, (0.5, 0.99, 1.0), strict=True):
                figure.values.append(percentile(found, part))
                figure.load = max(figure.load, at, load_average())
            mine[0].note = f"{len(found):,} bars a run, of 1 s"
            mine[1].note = case.goal
    return figures


def _measure(bootstrap: str, prefix: str, case: _Case, bars: int) -> list[float]:
    load = Load(case.symbols, 0, 1, case.layout)
    producer = prepare(bootstrap, prefix, load, reports=True)
    wheres, names = places(prefix, load), load.names()
    stamp_appends(bootstrap, {topic for topic, _, _ in wheres})
    addresses = [load.topics(prefix).address("bar", EXCHANGE, symbol) for symbol in names]
    outputs = sorted({address.topic for address in addresses})
    partitions = PARTITIONS if case.layout == "keyed" else 1
    cleaner = Topics(bootstrap, [f"{prefix}.catalog"])
    try:
        with Service(_CALCULATION, bootstrap, prefix, case.layout) as service:
            service.await_shards(_START)
            Topics(bootstrap, outputs, partitions).await_leaders()
            reader = _reader(bootstrap)
            try:
                assigned = [TopicPartition(t, n, 0) for t in outputs for n in range(partitions)]
                reader.assign(assigned)
                with Feed(producer, wheres, names, START, 0) as feed:
                    seen = _read(reader, service, feed, len(names) * (bars + _WARM))
                seen |= _rest(reader, feed, len(seen))
            finally:
                reader.close()
    finally:
        cleaner.delete(prefix)
    return delays(feed.appended, seen, START + _WARM * SECOND)


def _reader(bootstrap: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "bench-unused",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
    )


def _read(
    reader: Consumer, service: Service, feed: Feed, count: int
) -> dict[tuple[str, int], float]:
    seen: dict[tuple[str, int], float] = {}
    deadline = time.monotonic() + _START + count / 10
    while len(seen) < count:
        if not _take(reader, seen):
            service.check()
            feed.check()
            if time.monotonic() > deadline:
                raise Failed(f"expected {count} bars in time, was {len(seen)}")
    return seen


def _rest(reader: Consumer, feed: Feed, already: int) -> dict[tuple[str, int], float]:
    """Read the bars of the clock rows that were written while the others were read."""
    seen: dict[tuple[str, int], float] = {}
    deadline = time.monotonic() + _LEFT
    while already + len(seen) < len(feed.appended) and time.monotonic() < deadline:
        _take(reader, seen)
    return seen


def _take(reader: Consumer, seen: dict[tuple[str, int], float]) -> bool:
    # one at a time: it returns as soon as there is one
    message = reader.poll(0.1)
    now = time.time()
    if message is None:
        return False
    value, error = message.value(), message.error()
    if error is not None or value is None:
        raise Failed(f"expected bars of {message.topic()}, was {error}")
    row = decode(value)
    if isinstance(row, Bar) and row.closed and row.interval == "1s":
        key = (row.symbol, row.open_time)
        if key in seen:
            raise Failed(f"expected each bar once, was {key} twice")
        seen[key] = now
    return True


def delays(
    appended: Mapping[tuple[str, int], float], seen: Mapping[tuple[str, int], float], since: int
) -> list[float]:
    """Return the milliseconds from append to sight of each bar that opened from ``since`` on.

    Raises:
        Failed: a bar was not seen, or one that nobody closed was.
    """
    if appended.keys() != seen.keys():
        missing, more = len(appended.keys() - seen.keys()), len(seen.keys() - appended.keys())
        raise Failed(f"expected the bars of all clock rows, was {missing} missing, {more} more")
    return [(seen[key] - at) * 1_000 for key, at in appended.items() if key[1] >= since]


def percentile(values: list[float], part: float) -> float:
    """Return the least value that is not less than ``part`` of them (nearest rank)."""
    ordered = sorted(values)
    if not ordered:
        raise Failed("expected values, was none")
    return ordered[max(0, -int(-part * len(ordered) // 1) - 1)]
