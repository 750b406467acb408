"""The indicator service: trades a second and CPU time a trade, over topics filled beforehand.

The real service starts on a bus that holds the trades already. Its first and last transaction are
seen by the end offsets of its state topic; how far it had read at the first one, its metrics say.
Afterwards the bars are read back: the trades counted in them must be all that there were.
"""

from __future__ import annotations

import re
import sys
import time
import urllib.request
from collections.abc import Callable
from typing import Final, NamedTuple

from bench.figures import Figure
from bench.machine import load as load_average
from bench.processes import Failed, Program, cpu_seconds
from bench.topics import Topics
from bench.trades import EXCHANGE, Load, fill
from confluent_kafka import Consumer, KafkaError, TopicPartition

from collector_core.codec import decode
from collector_core.events import Bar
from collector_core.topics import Topics as Names
from collector_runtime.kafka.ports import free_ports
from collector_runtime.kafka.topology import STATE

__all__ = ["CPU", "RATE", "run"]

CPU: Final = "CPU µs/trade"
RATE: Final = "trades/s"
_SHARDS: Final = 16
_INTERVALS: Final = ("1s", "1m")
_QUIET: Final = 1.5
"""Seconds without a transaction after which there will be no more: more than a checkpoint's."""
_POLL: Final = 0.02
_START: Final = 60.0
_TIMEOUT: Final = 180.0
_ROWS_IN: Final = re.compile(r'^collector_indicator_rows_in_total\{input="trade"\} (\S+)', re.M)
_ABORTS: Final = re.compile(r"^collector_indicator_aborts_total (\S+)", re.M)


class _Case(NamedTuple):
    name: str
    pace: int
    """Trades a second of each symbol."""
    live: str
    """Seconds between live values; 0 for closed ones alone."""


_CASES: Final = (
    _Case("closed values, 2,000 trades/s a symbol", 2_000, "0"),
    _Case("closed and live values (1 s), 2,000 trades/s a symbol", 2_000, "1"),
    _Case("closed values, 50 trades/s a symbol", 50, "0"),
)


class _Moment(NamedTuple):
    at: float
    cpu: float
    rows: int


def run(bootstrap: str, runs: int, *, quick: bool, say: Callable[[str], None]) -> list[Figure]:
    """Return the figures of the service."""
    figures: list[Figure] = []
    trades = 4_000 if quick else 12_000
    for case in _CASES:
        name = f"50 symbols, {case.name}"
        cpu, rate = (Figure("service", name, quantity) for quantity in (CPU, RATE))
        figures += [cpu, rate]
        for number in range(runs):
            say(f"run {number + 1} of {runs}: indicator service, {case.name}")
            at = load_average()
            try:
                done = _measure(bootstrap, f"bench-i{number}", Load(50, trades, case.pace), case)
            except (Failed, OSError) as error:
                cpu.failure = rate.failure = str(error)
                continue
            cpu.values.append(done[0])
            rate.values.append(done[1])
            cpu.note = f"{done[2]:.3f} rows out for each trade in"
            cpu.load = rate.load = max(cpu.load, at)
    return figures


def _measure(bootstrap: str, prefix: str, load: Load, case: _Case) -> tuple[float, float, float]:
    """Return CPU µs a trade, trades a second and rows out a trade."""
    fill(bootstrap, prefix, load)
    names = Names(prefix)
    outputs = [
        names.address(channel, EXCHANGE, symbol).topic
        for channel in ("bar", "indicator")
        for symbol in load.names()
    ]
    state = Topics(bootstrap, [f"{prefix}.{STATE}"], partitions=_SHARDS)
    [port] = free_ports()
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "TOPIC_PREFIX": prefix,
        "COLLECTOR_HEALTH_PORT": str(port),
        "COLLECTOR_SHARDS": str(_SHARDS),
        "COLLECTOR_BAR_INTERVALS": ",".join(_INTERVALS),
        "COLLECTOR_CANDLE_INTERVALS": "",
        "COLLECTOR_LIVE_EVERY": case.live,
    }
    total = load.symbols * load.trades
    # made here, as its offsets are watched from before the service starts
    state.create()
    base = state.count()
    try:
        with Program(
            "indicator", [sys.executable, "-m", "collector_indicator"], settings
        ) as program:
            first, last = _watch(program, state, base, port)
            if last.rows != total + load.symbols:
                raise Failed(f"expected {total + load.symbols} rows read, was {last.rows}")
            if aborts := _metric(port, _ABORTS):
                raise Failed(f"expected no transaction given up, was {aborts}")
        written = Topics(bootstrap, outputs).count()
        _check_bars(bootstrap, outputs[: load.symbols], load.trades)
    finally:
        state.delete(prefix)
    trades = last.rows - first.rows
    if trades <= 0 or last.at <= first.at:
        raise Failed(f"expected several transactions to measure between, was {first} and {last}")
    return (last.cpu - first.cpu) / trades * 1e6, trades / (last.at - first.at), written / total


def _watch(program: Program, state: Topics, base: int, port: int) -> tuple[_Moment, _Moment]:
    """Return how things stood after the first and after the last transaction."""
    first = last = None
    seen, deadline = base, time.monotonic() + _START
    while True:
        count = state.count()
        now = time.perf_counter()
        if count != seen:
            seen = count
            rows = _metric(port, _ROWS_IN) if first is None else 0
            last = _Moment(now, cpu_seconds(program.pid), rows)
            if first is None:
                first, deadline = last, time.monotonic() + _TIMEOUT
        elif first is not None and last is not None and now - last.at > _QUIET:
            return first, last._replace(rows=_metric(port, _ROWS_IN))
        program.check()
        if time.monotonic() > deadline:
            raise Failed(f"expected transactions to begin and end in time, was {seen - base} rows")
        time.sleep(_POLL)


def _metric(port: int, pattern: re.Pattern[str]) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        found = pattern.search(answer.read().decode())
    return round(float(found.group(1))) if found else 0


def _check_bars(bootstrap: str, topics: list[str], trades: int) -> None:
    """Read the bars of every topic; each interval's must hold all trades of the symbol.

    Raises:
        Failed: trades are missing from bars, or twice in them.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "bench-unused",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
    )
    counted: dict[tuple[str, str | None], dict[int, int]] = {}
    left, deadline = set(topics), time.monotonic() + _TIMEOUT
    try:
        consumer.assign([TopicPartition(name, 0, 0) for name in topics])
        while left:
            if time.monotonic() > deadline:
                raise Failed(f"expected to read the bars in time, was without {sorted(left)[:3]}")
            for message in consumer.consume(5_000, 0.2):
                name, error, value = message.topic() or "", message.error(), message.value()
                if error is not None:
                    if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  # librdkafka's name
                        raise Failed(f"expected rows of {name}, was {error}")
                    left.discard(name)
                elif value is not None and isinstance(row := decode(value), Bar) and row.closed:
                    counted.setdefault((name, row.interval), {})[row.ordinal] = row.trade_count
    finally:
        consumer.close()
    sums = {key: sum(bars.values()) for key, bars in counted.items()}
    wanted = {(name, interval): trades for name in topics for interval in _INTERVALS}
    if sums != wanted:
        wrong = {key: sums.get(key) for key in wanted if sums.get(key) != trades}
        raise Failed(f"expected {trades} trades in the bars of each symbol, was {wrong}")
