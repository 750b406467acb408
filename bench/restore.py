"""Restore after a kill: a process that holds every state dies, another one takes all of them.

The first one is killed (SIGKILL) while it computes and a market goes on; the second is started at
that very moment, as a supervisor would. The group notices the death by the session timeout (6 s),
so that is part of the time to the first committed row, and no part of the restore. Afterwards the
bars are read back: each of those seconds must be there once, whichever process wrote it.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Final

from bench.calculation import Calculation, Service
from bench.figures import Figure
from bench.live_feed import SECOND, Feed
from bench.machine import load as load_average
from bench.processes import Failed
from bench.topics import Topics
from bench.trades import EXCHANGE, PARTITIONS, Load, fill, places, prepare
from confluent_kafka import Consumer, KafkaError, TopicPartition

from collector_core.codec import decode
from collector_core.events import Bar

__all__ = ["FIRST", "RESTORED", "SECTION", "restored_seconds", "run"]

SECTION: Final = "restore"
RESTORED: Final = "s, assignment to running"
FIRST: Final = "s, kill to first row committed"
ALL: Final = "s, kill to every shard running"
MEMORY: Final = "MB per 1,000 states"
_CALCULATION: Final = Calculation(("1s", "1m"))
_TRADES: Final = 240
_PACE: Final = 0.1
"""A trade every ten seconds, over forty minutes: windows are full in both intervals."""
_LIVE: Final = 5
"""Seconds of the live market before the kill, and after the takeover."""
_POLL: Final = 0.02
_TIMEOUT: Final = 180.0


def run(bootstrap: str, runs: int, *, quick: bool, say: Callable[[str], None]) -> list[Figure]:
    """Return the figures of the restore."""
    load = Load(100 if quick else 500, _TRADES, _PACE, "keyed")
    name = f"{_CALCULATION.states(load.symbols):,} states, {PARTITIONS} shards, one process"
    figures = [Figure(SECTION, name, quantity) for quantity in (RESTORED, FIRST, ALL, MEMORY)]
    figures[3].note = "the whole process that took over, with nothing behind"
    figures[0].note, figures[1].note = "goal 5", "goal 15; session timeout 6 s among them"
    for number in range(runs):
        say(f"run {number + 1} of {runs}: restore of {name}")
        at = load_average()
        try:
            found = _measure(bootstrap, f"bench-r{number}", load)
        except (Failed, OSError) as error:
            for figure in figures:
                figure.failure = str(error)
            continue
        for figure, value in zip(figures, found, strict=True):
            figure.values.append(value)
            figure.load = max(figure.load, at, load_average())
    return figures


def _measure(bootstrap: str, prefix: str, load: Load) -> tuple[float, ...]:
    """Return the seconds of the restore, to the first row, until all runs, and the memory."""
    begin = fill(bootstrap, prefix, load)
    producer = prepare(bootstrap, prefix, load, reports=True)
    wheres, names = places(prefix, load), load.names()
    cleaner = Topics(bootstrap, [f"{prefix}.catalog"])
    first = Service(_CALCULATION, bootstrap, prefix, load.layout)
    try:
        with first:
            first.await_shards(_TIMEOUT)
            _await_rows(first, load.symbols * (load.trades + 1))
            with Feed(producer, wheres, names, begin, load.trades + 1) as feed:
                _await_bars(feed, _LIVE)
                first.kill()
                killed = time.perf_counter()
                with Service(_CALCULATION, bootstrap, prefix, load.layout) as second:
                    to_first, to_all = _takeover(second, feed, killed)
                    _await_bars(feed, feed.bars + _LIVE)
                    memory = second.memory()
                    restored = restored_seconds(second.log())
                    feed.end()
                    _check(bootstrap, f"{prefix}.bar.{EXCHANGE}", feed, begin)
    finally:
        cleaner.delete(prefix)
    return restored, to_first, to_all, memory / (_CALCULATION.states(load.symbols) / 1_000)


def _await_rows(service: Service, count: int) -> None:
    deadline = time.monotonic() + _TIMEOUT
    while (seen := service.metric("collector_indicator_rows_in_total")) < count:
        service.check()
        if time.monotonic() > deadline:
            raise Failed(f"expected {count} rows read in time, was {seen:g}")
        time.sleep(_POLL)


def _await_bars(feed: Feed, count: int) -> None:
    deadline = time.monotonic() + _TIMEOUT
    while feed.bars < count:
        feed.check()
        if time.monotonic() > deadline:
            raise Failed(f"expected {count} seconds of the market, was {feed.bars}")
        time.sleep(_POLL)


def _takeover(service: Service, feed: Feed, killed: float) -> tuple[float, float]:
    """Return the seconds from the kill to the first committed row, and until all shards run."""
    to_first = to_all = 0.0
    deadline = time.monotonic() + _TIMEOUT
    while not (to_first and to_all):
        service.check()
        feed.check()
        now = time.perf_counter()
        if not to_all and service.holds_all():
            to_all = now - killed
        # counted once the transaction is committed, so a reader can have it
        if not to_first and service.written():
            to_first = now - killed
        if time.monotonic() > deadline:
            raise Failed(f"expected a takeover in time, was {service.said()[-300:]}")
        time.sleep(_POLL)
    return to_first, to_all


def restored_seconds(log: str) -> float:
    """Return the seconds from the shards' assignment until the inputs of the last one started.

    Args:
        log: what the service said, a JSON object a line.

    Raises:
        Failed: it was not assigned shards, or did not start them all.
    """
    rows = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    granted = [row for row in rows if row["event"] == "shards_granted"]
    started = [row for row in rows if row["event"] == "inputs_started"]
    wanted = {shard for row in granted for shard in row["shards"]}
    if not granted or {row["shard"] for row in started} != wanted:
        raise Failed(f"expected all of {len(wanted)} shards started, was {len(started)}")
    begun, *_ = sorted(datetime.fromisoformat(row["timestamp"]) for row in granted)
    *_, ended = sorted(datetime.fromisoformat(row["timestamp"]) for row in started)
    return (ended - begun).total_seconds()


def _check(bootstrap: str, topic: str, feed: Feed, begin: int) -> None:
    """Read the bars; each second of the live market must be there once for each symbol.

    Raises:
        Failed: one is missing, or there twice.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "bench-unused",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
    )
    counted: Counter[tuple[str, int]] = Counter()
    deadline = time.monotonic() + 30
    try:
        consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
        while len(counted) < len(feed.appended) and time.monotonic() < deadline:
            for message in consumer.consume(1_000, 0.2):
                value, error = message.value(), message.error()
                if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  # librdkafka's name
                    raise Failed(f"expected rows of {topic}, was {error}")
                if value is None or not isinstance(row := decode(value), Bar):
                    continue
                if row.closed and row.interval == "1s" and row.open_time >= begin:
                    counted[row.symbol, row.open_time] += 1
    finally:
        consumer.close()
    if counted.keys() != feed.appended.keys() or set(counted.values()) != {1}:
        doubled = sum(count > 1 for count in counted.values())
        raise Failed(
            f"expected {len(feed.appended)} bars of {SECOND // 1_000_000} s once, "
            f"was {len(counted)}, {doubled} of them more than once"
        )
