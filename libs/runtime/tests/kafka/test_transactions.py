from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from collector_core.errors import BrokerError, FencedError
from collector_runtime.kafka.connection import KafkaSettings, reader_config
from collector_runtime.kafka.ports import free_ports
from collector_runtime.kafka.restore import read_to_end
from collector_runtime.kafka.transactions import OutRow, TransactionalProducer, verdict
from collector_testkit.broker import Broker

from .conftest import Write

broker_marker = pytest.mark.broker


def rows(topic: str, *texts: str) -> list[OutRow]:
    return [OutRow(topic, 0, b"k", text.encode()) for text in texts]


def committed(settings: KafkaSettings, topic: str) -> list[str]:
    found: list[str] = []
    read_to_end(settings, topic, 0, lambda _, value: found.append((value or b"").decode()))
    return found


def client_threads() -> int:
    """Return the number of librdkafka's threads in this process."""
    names = (task / "comm" for task in Path("/proc/self/task").iterdir())
    return sum(name.read_text().startswith("rdk:") for name in names)


# --- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KafkaError(KafkaError._TIMED_OUT, retriable=True), "retry"),
        (KafkaError(KafkaError._TIMED_OUT), "destroy"),
        (KafkaError(KafkaError._FENCED, fatal=True), "fenced"),
        (KafkaError(KafkaError.INVALID_PRODUCER_EPOCH, txn_requires_abort=True), "fenced"),
        (KafkaError(KafkaError._STATE), "destroy"),
        (KafkaError(KafkaError.MSG_SIZE_TOO_LARGE, txn_requires_abort=True), "destroy"),
        (KafkaError(KafkaError._TRANSPORT, retriable=True, txn_requires_abort=True), "destroy"),
        (KafkaError(KafkaError._TRANSPORT, fatal=True, retriable=True), "destroy"),
    ],
)
def test_every_error_has_one_verdict(error: KafkaError, expected: str) -> None:
    assert expected == verdict(error)


def test_opening_without_a_broker_is_bounded() -> None:
    settings = KafkaSettings(f"127.0.0.1:{free_ports()[0]}")
    with pytest.raises(BrokerError, match="expected x to init, was"):
        TransactionalProducer.open(settings, "x", timeout=0.3)


# --- commit and abort ------------------------------------------------------------------------


@broker_marker
def test_a_transaction_is_seen_once_it_is_committed(
    settings: KafkaSettings, prefix: str, make: Callable[..., None]
) -> None:
    make(f"{prefix}.a", f"{prefix}.b")
    producer = TransactionalProducer.open(settings, prefix)
    assert producer.write([*rows(f"{prefix}.a", "1", "2"), *rows(f"{prefix}.b", "3")]) == 3
    assert producer.write(rows(f"{prefix}.a", "4")) == 1
    assert producer.write([]) == 0
    producer.begin()
    producer.produce(rows(f"{prefix}.a", "open")[0])
    assert committed(settings, f"{prefix}.a") == ["1", "2", "4"]
    assert committed(settings, f"{prefix}.b") == ["3"]
    producer.commit()
    assert committed(settings, f"{prefix}.a") == ["1", "2", "4", "open"]
    producer.close()


@broker_marker
def test_an_aborted_transaction_is_never_seen(
    settings: KafkaSettings, prefix: str, make: Callable[..., None]
) -> None:
    make(prefix)
    producer = TransactionalProducer.open(settings, prefix)
    producer.begin()
    producer.produce(rows(prefix, "aborted")[0])
    producer.abort()
    producer.write(rows(prefix, "committed"))
    assert committed(settings, prefix) == ["committed"]
    producer.begin()
    producer.produce(rows(prefix, "closed over")[0])
    producer.close(5)
    assert producer.closed
    assert committed(settings, prefix) == ["committed"]


@broker_marker
def test_consumed_offsets_are_committed_with_the_rows(
    settings: KafkaSettings, prefix: str, make: Callable[..., None]
) -> None:
    make(prefix)
    config = reader_config(settings) | {"group.id": prefix}
    consumer = Consumer(config)
    producer = TransactionalProducer.open(settings, prefix)
    producer.write(
        rows(prefix, "1"),
        offsets=[TopicPartition(prefix, 0, 7)],
        group=consumer.consumer_group_metadata(),
    )
    [stored] = consumer.committed([TopicPartition(prefix, 0)], timeout=10)
    assert stored.offset == 7
    consumer.close()
    producer.close()


# --- fencing ---------------------------------------------------------------------------------


@broker_marker
def test_an_heir_fences_and_ends_what_was_open(
    settings: KafkaSettings, prefix: str, make: Callable[..., None]
) -> None:
    make(prefix)
    zombie = TransactionalProducer.open(settings, prefix)
    zombie.write(rows(prefix, "1"))
    zombie.begin()
    zombie.produce(rows(prefix, "lost")[0])
    heir = TransactionalProducer.open(settings, prefix)
    assert committed(settings, prefix) == ["1"]
    heir.write(rows(prefix, "2"))
    with pytest.raises(FencedError, match=f"expected {prefix} to commit, was .*fenced"):
        zombie.commit()
    assert zombie.closed
    with pytest.raises(BrokerError, match="was closed"):
        zombie.begin()
    heir.write(rows(prefix, "3"))
    assert committed(settings, prefix) == ["1", "2", "3"]
    heir.close()


@broker_marker
def test_an_idle_zombie_is_fenced_at_its_next_transaction(
    settings: KafkaSettings, prefix: str, make: Callable[..., None]
) -> None:
    make(prefix)
    zombie = TransactionalProducer.open(settings, prefix)
    zombie.write(rows(prefix, "1"))
    heir = TransactionalProducer.open(settings, prefix)
    with pytest.raises(FencedError):
        zombie.write(rows(prefix, "late"))
    # a zombie that takes the id over again is the heir's heir
    again = TransactionalProducer.open(settings, prefix)
    with pytest.raises(FencedError):
        heir.write(rows(prefix, "late"))
    again.write(rows(prefix, "2"))
    assert committed(settings, prefix) == ["1", "2"]
    again.close()


# --- unclear ends ----------------------------------------------------------------------------


@broker_marker
def test_a_row_that_is_refused_ends_the_producer(
    settings: KafkaSettings, prefix: str, make: Callable[..., None]
) -> None:
    make(prefix, max_message_bytes="200")
    producer = TransactionalProducer.open(settings, prefix)
    with pytest.raises(BrokerError) as told:
        producer.write(rows(prefix, "small", os.urandom(200).hex()))
    assert not isinstance(told.value, FencedError)
    assert producer.closed
    assert committed(settings, prefix) == []


@broker_marker
def test_a_commit_that_gets_no_answer_ends_the_producer_in_bounded_time(
    settings: KafkaSettings,
    controlled_broker: Broker,
    prefix: str,
    make: Callable[..., None],
) -> None:
    make(prefix)
    before = client_threads()
    producer = TransactionalProducer.open(settings, prefix)
    producer.write(rows(prefix, "1"))
    controlled_broker.pause()
    with pytest.raises(BrokerError, match=r"expected .* to commit within 0(\.\d+)? s, was") as told:
        producer.write(rows(prefix, "2"), timeout=0.3)
    # the traceback is still held, and holds no reference that would keep it alive
    assert told.value.__cause__ is None
    assert producer.closed
    assert before >= client_threads()
    controlled_broker.resume()
    # what was unclear, the topic says: whole or not at all
    heir = TransactionalProducer.open(settings, prefix)
    heir.write(rows(prefix, "3"))
    assert committed(settings, prefix) in (["1", "3"], ["1", "2", "3"])
    heir.close()


@broker_marker
def test_closing_does_not_wait_for_a_broker_that_is_silent(
    settings: KafkaSettings,
    controlled_broker: Broker,
    prefix: str,
    make: Callable[..., None],
) -> None:
    make(prefix)
    before = client_threads()
    producer = TransactionalProducer.open(settings, prefix)
    producer.begin()
    producer.produce(rows(prefix, "open")[0])
    controlled_broker.pause()
    producer.close(0.2)
    assert producer.closed
    assert before >= client_threads()
    producer.close()
    controlled_broker.resume()
    heir = TransactionalProducer.open(settings, prefix)
    assert committed(settings, prefix) == []
    heir.close()


@broker_marker
def test_a_full_queue_that_does_not_empty_ends_the_producer(
    settings: KafkaSettings,
    controlled_broker: Broker,
    prefix: str,
    make: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make(prefix)
    monkeypatch.setattr(
        "collector_runtime.kafka.transactions.producer_config",
        lambda _: {
            "bootstrap.servers": settings.bootstrap_servers,
            "queue.buffering.max.messages": 1,
            "logger": logging.getLogger("tests"),
        },
    )
    producer = TransactionalProducer.open(settings, prefix)
    controlled_broker.pause()
    producer.begin()
    producer.produce(rows(prefix, "1")[0])
    with pytest.raises(BrokerError, match="expected room in the queue"):
        producer.produce(rows(prefix, "2")[0], 0.1)
    assert producer.closed


# --- restoring -------------------------------------------------------------------------------


@broker_marker
def test_state_is_read_with_tombstones_and_the_offset_after_it(
    settings: KafkaSettings, prefix: str, make: Callable[..., None], write: Write
) -> None:
    make(prefix)
    write(prefix, [(b"a", b"1"), (b"b", b"2"), (b"a", None)])
    found: list[tuple[bytes, bytes | None]] = []
    assert read_to_end(settings, prefix, 0, lambda *row: found.append(row)) == 3
    assert found == [(b"a", b"1"), (b"b", b"2"), (b"a", None)]


@broker_marker
def test_the_end_is_past_the_last_marker(
    settings: KafkaSettings, prefix: str, make: Callable[..., None]
) -> None:
    make(prefix)
    assert read_to_end(settings, prefix, 0, lambda *_: None) == 0
    producer = TransactionalProducer.open(settings, prefix)
    producer.write(rows(prefix, "1", "2"))
    assert read_to_end(settings, prefix, 0, lambda *_: None) == 3
    producer.close()


@broker_marker
def test_a_partition_that_is_missing_or_not_read_in_time_is_an_error(
    settings: KafkaSettings,
    prefix: str,
    make: Callable[..., None],
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(BrokerError, match=rf"expected to read {prefix} \[0\]"):
        read_to_end(settings, prefix, 0, lambda *_: None)
    make(prefix)
    write(prefix, [(b"a", b"1")])
    ticks = iter(range(0, 10_000, 100))
    monkeypatch.setattr("collector_runtime.kafka.restore.time.monotonic", lambda: next(ticks))
    monkeypatch.setattr("collector_runtime.kafka.restore._WAIT", 0)
    with pytest.raises(BrokerError, match="expected to reach offset 1"):
        read_to_end(settings, prefix, 0, lambda *_: None, timeout=10)


@broker_marker
def test_an_error_of_the_visitor_is_the_callers(
    settings: KafkaSettings, prefix: str, make: Callable[..., None], write: Write
) -> None:
    make(prefix)
    write(prefix, [(b"a", b"1")])

    def visit(key: bytes, _: bytes | None) -> None:
        raise LookupError(key)

    with pytest.raises(LookupError, match="b'a'"):
        read_to_end(settings, prefix, 0, visit)


def test_an_exception_of_the_client_is_kept_as_the_cause() -> None:
    settings = KafkaSettings(f"127.0.0.1:{free_ports()[0]}")
    with pytest.raises(BrokerError) as told:
        read_to_end(settings, "x", 0, lambda *_: None, timeout=0.3)
    assert isinstance(told.value.__cause__, KafkaException)
