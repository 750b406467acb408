"""The indicator service: trades a second and CPU time a trade, over topics filled beforehand.

The real service starts on a bus that holds the trades already. Its first and last transaction are
seen by the end offsets of its state topic; how far it had read at the first one, its metrics say.
Afterwards the bars are read back: the trades counted in them must be all that there were.
quixstreams takes its turn on the same topic of trades, on the same broker.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from bench import quixstreams
from bench.calculation import Calculation, Service
from bench.environments import Missing, python_of
from bench.figures import Figure, find, ratio
from bench.machine import load as load_average
from bench.processes import Failed, cpu_seconds
from bench.topics import Topics
from bench.trades import EXCHANGE, PARTITIONS, Load, fill
from confluent_kafka import Consumer, KafkaError, TopicPartition

from collector_core.codec import decode
from collector_core.events import Bar
from collector_runtime.kafka.topology import STATE

__all__ = [
    "CLOSED",
    "CORE",
    "CPU",
    "GOAL",
    "MEMORY",
    "RATE",
    "STEADY",
    "Figures",
    "Measured",
    "run",
]

CPU: Final = "CPU µs/trade"
RATE: Final = "trades/s"
CORE: Final = "trades/s of a core"
MEMORY: Final = "MB per 1,000 states"
STEADY: Final = "CPU ms/s per 1,000 states"
GOAL: Final = 150_000
"""Trades a second of one core, closed values."""
_PACE: Final = GOAL // 500
_QUIET: Final = 1.5
"""Seconds without a transaction after which there will be no more: more than a checkpoint's."""
_POLL: Final = 0.02
_START: Final = 60.0
_TIMEOUT: Final = 240.0


class _Case(NamedTuple):
    name: str
    calculation: Calculation


_INTERVALS: Final = ("1s", "1m", "5m")
CLOSED: Final = _Case("closed values", Calculation(_INTERVALS))
_LIVE: Final = _Case("closed and live values (1 s)", Calculation(_INTERVALS, live="1"))


_KINDS: Final = {
    "state": "last price kept",
    "mean": "running mean kept and published",
}
"""What the peer does: see its program."""


class _Moment(NamedTuple):
    at: float
    cpu: float
    rows: int


class Measured(NamedTuple):
    cpu: float
    """µs a trade."""
    rate: float
    """Trades a second."""
    memory: float
    """MB of the process at the end."""
    grown: float
    """MB beyond what it had before it read."""
    written: float
    """Rows out for each trade in."""


def run(bootstrap: str, runs: int, *, quick: bool, say: Callable[[str], None]) -> list[Figure]:
    """Return the figures of the service, and of quixstreams beside it."""
    load = Load(100 if quick else 500, 1_500 if quick else 2_000, _PACE, "keyed")
    figures = Figures(load)
    python = ""
    try:
        python = python_of(quixstreams.PEER, install=not quick)
    except Missing as reason:
        for kind in _KINDS:
            figures.failed(figures.peer(kind), str(reason))
    for number in range(runs):
        # the peer before ours and after it in turn
        for case in (CLOSED, _LIVE) if number % 2 else (_LIVE, CLOSED):
            say(f"run {number + 1} of {runs}: indicator service, {case.name}")
            at, prefix = load_average(), f"bench-i{number}-{len(case.name)}"
            fill(bootstrap, prefix, load)
            state = Topics(bootstrap, [f"{prefix}.{STATE}"], partitions=PARTITIONS)
            try:
                if python and case is CLOSED and number % 2:
                    _beside(python, bootstrap, prefix, figures)
                figures.add(case, _measure(bootstrap, prefix, load, case, state), at)
                if python and case is CLOSED and not number % 2:
                    _beside(python, bootstrap, prefix, figures)
            except (Failed, OSError) as error:
                figures.failed(figures.name(case), str(error))
            finally:
                state.delete(prefix)
    return figures.all()


class Figures:
    """What is reported, by case."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._found: list[Figure] = []
        for case in (CLOSED, _LIVE):
            for quantity in (CPU, RATE, CORE, STEADY, MEMORY):
                self._found.append(Figure("service", self.name(case), quantity))
        for kind in _KINDS:
            name = self.peer(kind)
            self._found += [Figure("service", name, quantity) for quantity in (CPU, RATE, CORE)]

    def name(self, case: _Case) -> str:
        """Return how a case is called in the tables."""
        intervals, indicators = len(case.calculation.intervals), len(case.calculation.indicators)
        return (
            f"{self._load.symbols} symbols, {intervals} intervals, {indicators} indicators, "
            f"{case.name}"
        )

    def peer(self, kind: str) -> str:
        """Return how the peer is called that does so much."""
        return f"quixstreams 3.28.1, {self._load.symbols} symbols, {_KINDS[kind]}"

    def add(self, case: _Case, done: Measured, at: float) -> None:
        """Take a run of ours."""
        name = self.name(case)
        thousands = case.calculation.states(self._load.symbols) / 1_000
        steady = done.cpu * self._load.symbols * self._load.pace / 1_000 / thousands
        self._add(name, CPU, done.cpu, at, f"{done.written:.3f} rows out for each trade in")
        self._add(name, RATE, done.rate, at)
        self._add(name, CORE, 1e6 / done.cpu, at, f"goal {GOAL:,}" if case is CLOSED else "")
        self._add(name, STEADY, steady, at, f"at {self._load.pace:g} trades/s of each symbol")
        note = f"{done.memory:.0f} MB in all, {done.grown:.0f} of them since it read nothing"
        self._add(name, MEMORY, done.memory / thousands, at, note)

    def add_peer(self, kind: str, done: tuple[float, float, int], at: float) -> None:
        """Take a run of the peer."""
        name, (cpu, rate, rows) = self.peer(kind), done
        self._add(name, CPU, cpu, at, f"over {rows:,} rows")
        self._add(name, RATE, rate, at)
        self._add(name, CORE, 1e6 / cpu, at)

    def failed(self, name: str, reason: str) -> None:
        """Say why a run of a case gave no figures."""
        for figure in self._found:
            if figure.subject == name:
                figure.failure = reason

    def all(self) -> list[Figure]:
        """Return all of them, those of the peer as ratios to ours."""
        ours = self.name(CLOSED)
        for figure in self._found:
            if figure.subject != ours and figure.quantity not in {MEMORY, STEADY}:
                ratio(figure, find(self._found, ours, figure.quantity))
        return self._found

    def _add(self, name: str, quantity: str, value: float, at: float, note: str = "") -> None:
        figure = find(self._found, name, quantity)
        if figure is not None:
            figure.values.append(value)
            figure.load = max(figure.load, at, load_average())
            figure.note = note or figure.note


def _beside(python: str, bootstrap: str, prefix: str, figures: Figures) -> None:
    topic, rows = f"{prefix}.trade.{EXCHANGE}", 100_000
    for kind in _KINDS:
        at = load_average()
        try:
            done = quixstreams.measure(python, bootstrap, topic, kind, rows)
        except Failed as error:
            figures.failed(figures.peer(kind), str(error))
        else:
            figures.add_peer(kind, done, at)


def _measure(bootstrap: str, prefix: str, load: Load, case: _Case, state: Topics) -> Measured:
    outputs = [f"{prefix}.{channel}.{EXCHANGE}" for channel in ("bar", "indicator")]
    total = load.symbols * load.trades
    # made here, as its offsets are watched from before the service starts
    state.create()
    base = state.count()
    with Service(case.calculation, bootstrap, prefix, load.layout) as service:
        first, last, empty = _watch(service, state, base)
        if last.rows != total + load.symbols:
            raise Failed(f"expected {total + load.symbols} rows read, was {last.rows}")
        if aborts := service.metric("collector_indicator_aborts_total"):
            raise Failed(f"expected no transaction given up, was {aborts:g}")
        memory = service.memory()
        written = service.metric("collector_indicator_rows_out_total")
    _check_bars(bootstrap, outputs[0], load, case.calculation.intervals)
    trades = last.rows - first.rows
    if trades <= 0 or last.at <= first.at:
        raise Failed(f"expected several transactions to measure between, was {first} and {last}")
    return Measured(
        (last.cpu - first.cpu) / trades * 1e6,
        trades / (last.at - first.at),
        memory,
        memory - empty,
        written / total,
    )


def _watch(service: Service, state: Topics, base: int) -> tuple[_Moment, _Moment, float]:
    """Return how things stood after the first and the last transaction, and the memory before."""
    first = last = None
    empty = 0.0
    seen, deadline = base, time.monotonic() + _START
    while True:
        count = state.count()
        now = time.perf_counter()
        if count != seen:
            seen = count
            rows = _rows_in(service) if first is None else 0
            last = _Moment(now, cpu_seconds(service.pid), rows)
            if first is None:
                first, deadline = last, time.monotonic() + _TIMEOUT
        elif first is None:
            empty = service.memory()
        elif last is not None and now - last.at > _QUIET:
            return first, last._replace(rows=_rows_in(service)), empty
        service.check()
        if time.monotonic() > deadline:
            raise Failed(f"expected transactions to begin and end in time, was {seen - base} rows")
        time.sleep(_POLL)


def _rows_in(service: Service) -> int:
    return round(service.metric("collector_indicator_rows_in_total"))


def _check_bars(bootstrap: str, topic: str, load: Load, intervals: tuple[str, ...]) -> None:
    """Read the bars; each interval's must hold all trades of each symbol.

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
    left, deadline = set(range(PARTITIONS)), time.monotonic() + _TIMEOUT
    try:
        consumer.assign([TopicPartition(topic, number, 0) for number in left])
        while left:
            if time.monotonic() > deadline:
                raise Failed(f"expected to read the bars in time, was without {sorted(left)[:3]}")
            for message in consumer.consume(5_000, 0.2):
                error, value = message.error(), message.value()
                if error is not None:
                    if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  # librdkafka's name
                        raise Failed(f"expected rows of {topic}, was {error}")
                    left.discard(message.partition() or 0)
                elif value is not None and isinstance(row := decode(value), Bar) and row.closed:
                    counted.setdefault((row.symbol, row.interval), {})[row.ordinal] = (
                        row.trade_count
                    )
    finally:
        consumer.close()
    sums = {key: sum(bars.values()) for key, bars in counted.items()}
    wanted = {(name, interval): load.trades for name in load.names() for interval in intervals}
    if sums != wanted:
        wrong = {key: sums.get(key) for key in wanted if sums.get(key) != load.trades}
        raise Failed(f"expected {load.trades} trades in the bars of each, was {wrong}")
