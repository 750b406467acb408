"""Reads a partition to its end, from which a restart rebuilds its state, or a span of it.

The end is the uncached watermark of that moment (under read_committed the last stable offset; the
cached one is the high watermark) and is reached when the broker says so (PARTITION_EOF): the last
records may be markers of transactions, which no row tells about.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from collector_core.errors import BrokerError
from collector_runtime.kafka.connection import KafkaSettings, reader_config, transient, wrap
from collector_runtime.kafka.watermark import watermarks

__all__ = ["read_span", "read_to_end"]

_BATCH: Final = 2_000
"""Rows a call: more would hold the interpreter's lock for long (16 ms at 100,000)."""
_WAIT: Final = 0.02
"""Seconds a call waits for its batch, which it does to the last even at the partition's end."""


def read_to_end(
    settings: KafkaSettings,
    topic: str,
    partition: int,
    visit: Callable[[bytes, bytes | None], None],
    *,
    timeout: float = 60.0,
) -> int:
    """Give every committed row to ``visit`` as key and value, oldest first.

    A null value is a tombstone. After ``init_transactions`` nothing of an earlier owner can be
    added any more, so what is read is the state. Blocks: run it on a thread.

    Returns:
        The offset after the last record.

    Raises:
        BrokerError: the topic is missing, or its end was not reached within ``timeout`` seconds.
    """
    at = TopicPartition(topic, partition, OFFSET_BEGINNING)
    return _read(settings, at, None, visit, timeout)


def read_span(
    settings: KafkaSettings,
    topic: str,
    partition: int,
    begin: int,
    end: int,
    visit: Callable[[bytes, bytes | None], None],
    *,
    timeout: float = 60.0,
) -> None:
    """Give the committed rows from offset ``begin`` to before ``end`` to ``visit``, oldest first.

    What retention has removed of them is left out. Blocks: run it on a thread.

    Raises:
        BrokerError: the topic is missing, or was not read within ``timeout`` seconds.
    """
    _read(settings, TopicPartition(topic, partition, begin), end, visit, timeout)


def _read(
    settings: KafkaSettings,
    at: TopicPartition,
    until: int | None,
    visit: Callable[[bytes, bytes | None], None],
    timeout: float,
) -> int:
    where = f"{at.topic} [{at.partition}]"
    deadline = time.monotonic() + timeout
    consumer = Consumer(reader_config(settings))
    try:
        try:
            low, high = watermarks(consumer, at, timeout)
            end = high if until is None else min(until, high)
            if at.offset != OFFSET_BEGINNING:
                at.offset = max(at.offset, low)
                if at.offset >= end:
                    return end
            consumer.assign([at])
        except KafkaException as error:
            raise wrap(error, f"read {where}") from error
        while True:
            for message in consumer.consume(_BATCH, _WAIT):
                failure, offset = message.error(), message.offset() or 0
                if failure is None:
                    if until is not None and offset >= until:
                        return offset
                    visit(message.key() or b"", message.value())
                elif failure.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's name
                    if not transient(failure):
                        raise wrap(failure, f"read {where}")
                elif offset >= end:
                    return offset
            if time.monotonic() > deadline:
                raise BrokerError(
                    f"expected to reach offset {end} of {where} within {timeout:g} s, was not there"
                )
    finally:
        consumer.close()
