"""The broker under test, and the small things that every test here wants."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from confluent_kafka import Producer

from collector_runtime.kafka.connection import KafkaSettings, producer_config
from collector_runtime.kafka.provisioner import Provisioner
from collector_runtime.kafka.topology import Topic
from collector_testkit.broker import Broker

Write = Callable[[str, list[tuple[bytes | None, bytes | None]]], None]


@pytest.fixture
def settings(broker: Broker) -> KafkaSettings:
    return KafkaSettings(broker.bootstrap_servers, "tests")


@pytest.fixture
def make(settings: KafkaSettings) -> Callable[..., None]:
    """Create topics of one partition, or of ``partitions``."""

    def create(*names: str, partitions: int = 1, **config: str) -> None:
        named = {name.replace("_", "."): value for name, value in config.items()}
        Provisioner(settings).ensure(Topic(name, partitions, named) for name in names)

    return create


@pytest.fixture(scope="session")
def producer(broker: Broker) -> Producer:
    """One for all tests: the first row of an idempotent producer takes half a second."""
    return Producer(producer_config(KafkaSettings(broker.bootstrap_servers)))


@pytest.fixture
def write(producer: Producer) -> Write:
    """Write keys and values to partition 0 of a topic, outside of transactions."""

    def rows(topic: str, pairs: list[tuple[bytes | None, bytes | None]]) -> None:
        for key, value in pairs:
            producer.produce(topic, value, key, 0)
        assert producer.flush(10) == 0

    return rows
