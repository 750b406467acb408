"""The worker within the test's own process, where its state can be looked at."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from collector_core.codec import decode
from collector_core.errors import StateError
from collector_core.events import Trade
from collector_indicator.settings import IndicatorSettings
from collector_indicator.sources import Source, shard_of
from collector_indicator.state_rows import key_of_state
from collector_indicator.worker import Worker
from collector_runtime import metrics
from collector_runtime.kafka.transactions import TransactionalProducer

from .bus import Bus, eventually
from .conftest import MakeBus
from .market import Market
from .scenario import BARS, CANDLES, INDICATORS, SYMBOLS, complete, feed, markets_of, open_all

pytestmark = [pytest.mark.broker, pytest.mark.e2e]


def worker_of(bus: Bus, *, rebuild: bool = False) -> Worker:
    return Worker(
        IndicatorSettings.load(
            kafka_bootstrap_servers=bus.settings.bootstrap_servers,
            topic_prefix=bus.topics.prefix,
            topic_layout=bus.topics.layout,
            topic_partitions=bus.topics.partitions,
            topic_replicas=1,
            shards=8,
            bar_intervals=BARS,
            candle_intervals=CANDLES,
            indicators=INDICATORS,
            checkpoint=0.3,
            rebuild=rebuild,
        )
    )


@contextmanager
def running(bus: Bus, *, rebuild: bool = False) -> Iterator[Worker]:
    """Run a worker on a thread for the length of a block."""
    worker = worker_of(bus, rebuild=rebuild)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            worker.run()
        except BaseException as error:  # noqa: BLE001  # raised again below
            failures.append(error)

    thread = threading.Thread(target=run, name="worker")
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(20)
    assert not thread.is_alive()
    assert failures == []


def ready(worker: Worker) -> bool:
    return worker.readiness() is None


def bars(bus: Bus, symbol: str) -> int:
    [rows] = bus.read([("bar", "binance", symbol)]).values()
    return len(rows)


def last_trade(rows: list[tuple[bytes, bytes]]) -> Trade:
    return [event for _, value in rows if isinstance(event := decode(value), Trade)][-1]


@pytest.mark.parametrize("layout", ["symbol", "keyed"])
def test_two_workers_share_and_one_leaves(make_bus: MakeBus, layout: str) -> None:
    bus = make_bus(layout)
    open_all(bus, SYMBOLS)
    markets = markets_of(SYMBOLS)
    with running(bus) as first:
        assert first.readiness() == "has not joined its group yet"
        eventually(lambda: ready(first), 60, "readiness")
        feed(bus, markets, 200)
        with running(bus) as second:
            eventually(lambda: ready(second) and len(second.counters.restores) == 4, 60, "a half")
            feed(bus, markets, 200)
            complete(bus, SYMBOLS)
        assert second.readiness() == "is stopping"
        eventually(lambda: len(first.counters.restores) == 8, 60, "the whole")
        feed(bus, markets, 200)
        complete(bus, SYMBOLS)
        eventually(lambda: ready(first), 60, "readiness")
    assert first.counters.commits > 0
    assert first.counters.aborts == 0


def test_a_worker_that_is_fenced_while_it_holds_the_lease(make_bus: MakeBus) -> None:
    bus = make_bus()
    open_all(bus, SYMBOLS)
    markets = markets_of(SYMBOLS)
    with running(bus) as worker:
        feed(bus, markets, 200)
        complete(bus, SYMBOLS)
        for shard in range(8):
            # as a zombie does that inits late
            name = f"{bus.topics.prefix}.indicator.{shard}"
            TransactionalProducer.open(bus.settings, name).close()
        feed(bus, markets, 200)
        complete(bus, SYMBOLS)
        eventually(lambda: ready(worker), 60, "readiness")
    assert worker.counters.aborts > 0


def test_numbers_that_are_none_and_input_that_is_gone(make_bus: MakeBus) -> None:
    bus = make_bus()
    [symbol] = symbols = SYMBOLS[:1]
    open_all(bus, symbols)
    market = Market("binance", symbol, 3)
    feed(bus, [market], 300)
    with running(bus):
        complete(bus, symbols)
        stream = "trade", "binance", symbol
        [trades] = bus.read([stream]).values()
        bus.write_raw(*stream, trades[0][1].replace(b'"price":"', b'"price":"x'))
        feed(bus, [market], 100)
        complete(bus, symbols)
    before = bars(bus, symbol)
    feed(bus, [market], 400)
    [trades] = bus.read([stream]).values()
    bus.forget(*stream, len(trades) - 50)
    with running(bus) as worker:
        eventually(lambda: bars(bus, symbol) > before, 60, "bars beyond")
        eventually(lambda: ready(worker), 60, "readiness")


def test_numbers_too_large_for_any_calculation_halt_their_input_alone(make_bus: MakeBus) -> None:
    bus = make_bus()
    symbols = SYMBOLS[:2]
    open_all(bus, symbols)
    markets = markets_of(symbols)
    feed(bus, markets, 100)
    with running(bus) as worker:
        complete(bus, symbols)
        [trades] = bus.read([("trade", "binance", symbols[0])]).values()
        # in bounds by itself, and by its value; the sum of eleven is not
        large = msgspec.structs.replace(last_trade(trades), price="0.01", amount="9" * 99)
        bus.write(("trade", large) for _ in range(11))
        feed(bus, markets, 100)
        complete(bus, symbols[1:])
        eventually(
            lambda: (worker.readiness() or "").startswith("halted by a number in 1 inputs"),
            20,
            "a word of what is halted",
        )
        names = {sample.definition for sample in worker.counters.samples()}
        assert metrics.SHARDS in names


def test_state_of_another_version_is_refused_until_a_rebuild_is_allowed(make_bus: MakeBus) -> None:
    bus = make_bus()
    [symbol] = symbols = SYMBOLS[:1]
    open_all(bus, symbols)
    market = Market("binance", symbol, 4)
    feed(bus, [market], 300)
    with running(bus):
        complete(bus, symbols)
    before = bars(bus, symbol)
    topic = f"{bus.topics.prefix}.trade.binance.{symbol.replace('/', '-')}"
    source = Source("trade", "binance", topic, 0, frozenset(symbols), keyed=False)
    key = key_of_state(topic, 0, "binance", symbol, "open")
    bus.write_state(shard_of(source, 8), key, msgspec.msgpack.encode((99, {})))
    with pytest.raises(StateError) as raised:
        worker_of(bus).run()
    assert str(raised.value) == (
        f"state of {topic} [0]: open state: expected version 1, was 99 (COLLECTOR_REBUILD=true "
        f"builds it anew from the rows that the topic still has)"
    )
    assert bars(bus, symbol) == before
    feed(bus, [market], 300)
    with running(bus, rebuild=True) as worker:
        eventually(lambda: bars(bus, symbol) > before, 60, "bars beyond")
        eventually(lambda: ready(worker), 60, "readiness")
    # its state is of this version now
    with running(bus) as worker:
        eventually(lambda: ready(worker), 60, "readiness")
