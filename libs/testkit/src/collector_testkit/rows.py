"""Reading everything that a topic holds, for tests that compare it with the truth."""

from __future__ import annotations

import time
from collections.abc import Iterable

from confluent_kafka import Consumer, TopicPartition

from collector_core.codec import decode
from collector_core.events import Row
from collector_runtime.kafka.connection import KafkaSettings, reader_config

__all__ = ["read_events", "read_raw"]


def read_raw(
    bootstrap: str, places: Iterable[tuple[str, int]], *, timeout: float = 30.0
) -> list[tuple[bytes, bytes]]:
    """Return key and value of each committed row of (topic, partition) from beginning to end.

    Rows of one partition are in order; partitions follow one another as given.

    Raises:
        AssertionError: a partition was not read in time.
    """
    found: list[tuple[bytes, bytes]] = []
    for topic, partition in places:
        consumer = Consumer(reader_config(KafkaSettings(bootstrap)))
        consumer.assign([TopicPartition(topic, partition, 0)])
        deadline = time.monotonic() + timeout
        ended = False
        while not ended:
            for message in consumer.consume(1_000, 0.1):
                if message.error() is not None:
                    ended = True
                else:
                    found.append((message.key() or b"", message.value() or b""))
            if time.monotonic() > deadline:
                raise AssertionError(f"expected the end of {topic} within {timeout:g} s")
        consumer.close()
    return found


def read_events(bootstrap: str, topic: str, partition: int = 0) -> list[Row]:
    """Return the events of one partition, from its beginning to its end."""
    return [decode(value) for _, value in read_raw(bootstrap, [(topic, partition)])]
