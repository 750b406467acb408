"""Reads a partition from its beginning to its end: what a restart rebuilds its state from.

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
from collector_runtime.kafka.watermark import end_offset

__all__ = ["read_to_end"]

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
    where = f"{topic} [{partition}]"
    deadline = time.monotonic() + timeout
    consumer = Consumer(reader_config(settings))
    try:
        at = TopicPartition(topic, partition, OFFSET_BEGINNING)
        try:
            end = end_offset(consumer, at, timeout)
            consumer.assign([at])
        except KafkaException as error:
            raise wrap(error, f"read {where}") from error
        while True:
            for message in consumer.consume(_BATCH, _WAIT):
                failure = message.error()
                if failure is None:
                    visit(message.key() or b"", message.value())
                elif failure.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's name
                    if not transient(failure):
                        raise wrap(failure, f"read {where}")
                elif (reached := message.offset() or 0) >= end:
                    return reached
            if time.monotonic() > deadline:
                raise BrokerError(
                    f"expected to reach offset {end} of {where} within {timeout:g} s, was not there"
                )
    finally:
        consumer.close()
