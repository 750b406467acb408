"""The rows of one topic between two places, which are offsets or times; read once, not followed.

A topic of several partitions is read one partition after the other: all rows of a symbol are in
one, in order, and between partitions there is no order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, TypeAlias

from confluent_kafka import Consumer, KafkaException, TopicPartition

from collector_core.errors import SettingsError
from collector_indicators.candle_file import read_time
from collector_runtime.kafka.connection import KafkaSettings, reach, reader_config, wrap
from collector_runtime.kafka.restore import read_span
from collector_runtime.kafka.watermark import watermarks

__all__ = ["EARLIEST", "Bound", "Offset", "parse_bound", "read_range"]

_CHUNK: Final = 100_000
"""Offsets read at a time, which bounds the memory."""
_TIMEOUT: Final = 10.0
_OFFSET: Final = "offset:"


class Offset(NamedTuple):
    """A place in a partition."""

    number: int


EARLIEST: Final = Offset(-1)
"""The first row that is kept."""
Bound: TypeAlias = Offset | int
"""An int is a time in microseconds since the epoch, compared with the rows' Kafka timestamps."""


def parse_bound(text: str, option: str) -> Bound:
    """Return the place that a text names: ``offset:17``, or a time.

    Raises:
        SettingsError: it is neither.
    """
    if text == "earliest":
        return EARLIEST
    number = text.removeprefix(_OFFSET)
    if number != text and number.isascii() and number.isdecimal():
        return Offset(int(number))
    try:
        return read_time(text)
    except ValueError as error:
        raise SettingsError(f"{option}: expected {_OFFSET}NUMBER or a time: {error}") from None


def read_range(
    settings: KafkaSettings,
    topic: str,
    begin: Bound,
    end: Bound | None,
    complain: Callable[[str], None],
) -> Iterator[bytes]:
    """Yield the values of the committed rows from ``begin`` to before ``end``.

    Args:
        settings: where Kafka is.
        topic: its whole name.
        begin: the first row is at it, or at or after that time.
        end: None for all that is there now.
        complain: is told of rows that retention has removed.

    Raises:
        BrokerError: Kafka does not answer.
        SettingsError: there is no such topic.
    """
    reach(settings)
    for partition, first, behind in _offsets(settings, topic, begin, end, complain):
        for start in range(first, behind, _CHUNK):
            values: list[bytes] = []

            def visit(_: bytes, value: bytes | None, found: list[bytes] = values) -> None:
                if value is not None:
                    found.append(value)

            read_span(settings, topic, partition, start, min(start + _CHUNK, behind), visit)
            yield from values


def _offsets(
    settings: KafkaSettings,
    topic: str,
    begin: Bound,
    end: Bound | None,
    complain: Callable[[str], None],
) -> list[tuple[int, int, int]]:
    """Return each partition with its first offset and the one behind its last."""
    found: list[tuple[int, int, int]] = []
    consumer = Consumer(reader_config(settings))
    try:
        described = consumer.list_topics(timeout=_TIMEOUT).topics.get(topic)
        if described is None:
            raise SettingsError(f"--topic: expected a topic on the bus, was {topic!r}")
        for partition in sorted(described.partitions):
            at = TopicPartition(topic, partition)
            low, high = watermarks(consumer, at, _TIMEOUT)
            first = _resolved(consumer, at, begin, high)
            behind = high if end is None else min(high, _resolved(consumer, at, end, high))
            if first < low:
                if isinstance(begin, Offset) and begin != EARLIEST:
                    complain(f"{topic} [{partition}] begins at offset {low}: rows before are gone")
                first = low
            found.append((partition, first, behind))
    except KafkaException as error:
        raise wrap(error, f"read {topic}") from error
    finally:
        consumer.close()
    return found


def _resolved(consumer: Consumer, at: TopicPartition, bound: Bound, high: int) -> int:
    if isinstance(bound, Offset):
        return bound.number
    wanted = TopicPartition(at.topic, at.partition, bound // 1_000)
    [place] = consumer.offsets_for_times([wanted], timeout=_TIMEOUT)
    # a negative number stands for the end: no row is as late
    return high if place.offset < 0 else int(place.offset)
