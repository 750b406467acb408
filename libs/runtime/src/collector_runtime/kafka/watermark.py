"""The end of a partition as the broker tells it, also of a topic made a moment ago."""

from __future__ import annotations

import time
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from collector_runtime.kafka.connection import transient

__all__ = ["end_offset", "watermarks"]

_PAUSE: Final = 0.05


def end_offset(consumer: Consumer, at: TopicPartition, timeout: float) -> int:
    """Return the second of ``watermarks``."""
    return watermarks(consumer, at, timeout)[1]


def watermarks(consumer: Consumer, at: TopicPartition, timeout: float) -> tuple[int, int]:
    """Return the first offset there is and the uncached end.

    The end is the last stable offset for a reader of committed rows.

    Args:
        consumer: who asks; its isolation level decides which end it is told.
        at: topic and partition.
        timeout: seconds to try for; a new topic may have no leader for a moment.

    Raises:
        KafkaException: the broker refuses, or does not answer in time.
    """
    deadline = time.monotonic() + timeout
    while True:
        left = max(0.1, deadline - time.monotonic())
        try:
            low, high = consumer.get_watermark_offsets(at, timeout=left, cached=False)
            return int(low), int(high)
        except KafkaException as error:
            if not transient(error.args[0]) or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
