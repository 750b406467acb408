from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from collector_core.errors import BrokerError
from collector_runtime.kafka import tail
from collector_runtime.kafka.connection import KafkaSettings
from collector_runtime.kafka.tail import TailRow, last_rows
from collector_runtime.kafka.transactions import OutRow, TransactionalProducer

from .conftest import Write

pytestmark = pytest.mark.broker


def values(rows: Sequence[TailRow]) -> list[bytes | None]:
    return [row.value for row in rows]


def numbered(first: int, end: int) -> list[tuple[bytes | None, bytes | None]]:
    return [(b"k", str(number).encode()) for number in range(first, end)]


def test_rows_come_newest_first_and_bounded(
    settings: KafkaSettings, prefix: str, make: Callable[..., None], write: Write
) -> None:
    make(prefix)
    write(prefix, numbered(0, 50))
    [rows] = last_rows(settings, [(prefix, 0)], 3).values()
    assert [(row.offset, row.key, row.value) for row in rows] == [
        (49, b"k", b"49"),
        (48, b"k", b"48"),
        (47, b"k", b"47"),
    ]
    assert all(row.timestamp > 1_600_000_000_000 for row in rows)


def test_short_empty_and_missing_partitions_give_what_they_have(
    settings: KafkaSettings, prefix: str, make: Callable[..., None], write: Write
) -> None:
    make(f"{prefix}.a", f"{prefix}.b", partitions=2)
    write(f"{prefix}.a", numbered(0, 2))
    places = [(f"{prefix}.a", 0), (f"{prefix}.a", 1), (f"{prefix}.b", 0), (f"{prefix}.c", 0)]
    found = last_rows(settings, places)
    assert [values(found[place]) for place in places] == [[b"1", b"0"], [], [], []]
    assert last_rows(settings, []) == {}


def test_many_partitions_are_read_with_one_consumer(
    settings: KafkaSettings, prefix: str, make: Callable[..., None], write: Write
) -> None:
    topics = [f"{prefix}.{number}" for number in range(40)]
    make(*topics)
    for topic in topics[::4]:
        write(topic, numbered(0, 5))
    found = last_rows(settings, [(topic, 0) for topic in topics])
    assert [5 if number % 4 == 0 else 0 for number in range(40)] == [
        len(found[topic, 0]) for topic in topics
    ]


def test_older_rows_are_read_only_where_the_newest_are_not_enough(
    settings: KafkaSettings, prefix: str, make: Callable[..., None], write: Write
) -> None:
    make(f"{prefix}.a", f"{prefix}.b")
    write(f"{prefix}.a", numbered(0, 100))
    write(f"{prefix}.b", [(b"k", b"wanted"), *numbered(1, 100)])
    asked = []

    def enough(rows: Sequence[TailRow]) -> bool:
        asked.append(len(rows))
        return b"wanted" in values(rows) or (rows[0].value == b"99" and len(asked) == 1)

    found = last_rows(settings, [(f"{prefix}.a", 0), (f"{prefix}.b", 0)], enough=enough)
    assert asked[:2] == [16, 16]
    assert sorted(len(rows) for rows in found.values()) == [16, 100]


def test_rows_of_open_and_aborted_transactions_are_left_out(
    settings: KafkaSettings, prefix: str, make: Callable[..., None]
) -> None:
    make(prefix)
    place = (prefix, 0)
    producer = TransactionalProducer.open(settings, prefix)
    producer.write([OutRow(prefix, 0, b"k", b"committed")])
    producer.begin()
    producer.produce(OutRow(prefix, 0, b"k", b"aborted"))
    producer.abort()
    producer.begin()
    for _ in range(20):
        producer.produce(OutRow(prefix, 0, b"k", b"open"))
    assert producer._client is not None
    assert producer._client.flush(10) == 0
    assert values(last_rows(settings, [place], 4)[place]) == [b"committed"]
    assert values(last_rows(settings, [place], 4, committed=False)[place]) == [b"open"] * 4
    producer.close(5)


def test_a_topic_with_nothing_but_an_open_transaction_has_no_rows(
    settings: KafkaSettings, prefix: str, make: Callable[..., None]
) -> None:
    make(prefix)
    producer = TransactionalProducer.open(settings, prefix)
    producer.begin()
    for _ in range(20):
        producer.produce(OutRow(prefix, 0, b"k", b"open"))
    assert producer._client is not None
    assert producer._client.flush(10) == 0
    assert {(prefix, 0): []} == last_rows(settings, [(prefix, 0)], 4)
    producer.close(5)


def test_what_is_not_read_in_time_is_an_error(
    settings: KafkaSettings,
    prefix: str,
    make: Callable[..., None],
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make(prefix)
    write(prefix, numbered(0, 5))
    # the ends are found at leisure; the deadline is over when the reading begins
    spans = partial(tail._spans, deadline=time.monotonic() + 60)
    monkeypatch.setattr(tail, "_spans", lambda *a, committed, **_: spans(*a, committed=committed))
    monkeypatch.setattr(tail, "_WAIT", 0)
    with pytest.raises(BrokerError, match=rf"was without 1, {prefix} \[0\]"):
        last_rows(settings, [(prefix, 0)], timeout=0)


def test_ends_that_are_not_told_in_time_are_an_error(
    settings: KafkaSettings,
    prefix: str,
    make: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make(prefix)
    never = {TopicPartition(prefix, 0): Future[object]()}
    monkeypatch.setattr(AdminClient, "list_offsets", lambda *_, **__: never)
    with pytest.raises(BrokerError, match=rf"find the end of {prefix} \[0\] within 0.1 s, was"):
        last_rows(settings, [(prefix, 0)], timeout=0)
