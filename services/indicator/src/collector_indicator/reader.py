"""Reads all input partitions of a process with one consumer, in runs of one partition each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import structlog
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from collector_indicator.sources import Place
from collector_runtime.kafka.connection import ClientConfig, KafkaSettings, reader_config, wrap

__all__ = ["Reader", "Run", "inputs_config"]

_GONE: Final = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})  # noqa: SLF001 - librdkafka's name

_LOG: Final = structlog.get_logger("collector.indicator")


class Run(NamedTuple):
    """Rows of one partition, in order."""

    place: Place
    last_offset: int
    values: Sequence[bytes | None]


class Reader:
    """The consumer of the inputs; one thread uses it.

    Args:
        kafka: where Kafka is.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        # offset below which rows of an assigned partition were taken already
        self._next: dict[Place, int] = {}
        # partitions whose wanted offset the broker does not have, since the last ``read``
        self.gone: list[Place] = []
        self._consumer = Consumer(inputs_config(kafka))

    def assign(self, offsets: Iterable[tuple[Place, int | None]]) -> None:
        """Read partitions too, each from an offset; None is the first row there is.

        Raises:
            BrokerError: the client refuses.
        """
        starts = dict(offsets)
        if not starts:
            return
        try:
            self._consumer.incremental_assign(
                [
                    TopicPartition(topic, partition, OFFSET_BEGINNING if start is None else start)
                    for (topic, partition), start in starts.items()
                ]
            )
        except KafkaException as error:
            raise wrap(error, f"read {len(starts)} input partitions") from error
        self._next |= {place: start or 0 for place, start in starts.items()}

    def unassign(self, places: Iterable[Place]) -> None:
        """Read partitions no longer; rows of them that were fetched are dropped.

        Raises:
            BrokerError: the client refuses.
        """
        left = [place for place in places if self._next.pop(place, None) is not None]
        if not left:
            return
        try:
            self._consumer.incremental_unassign([TopicPartition(*place) for place in left])
        except KafkaException as error:
            raise wrap(error, f"leave {len(left)} input partitions") from error

    def read(self, count: int, wait: float) -> list[Run]:
        """Return at most ``count`` rows, waiting at most ``wait`` seconds for them.

        Raises:
            BrokerError: a partition cannot be read, and not only for now.
        """
        self.gone = []
        messages = self._consumer.consume(count, wait)
        if not messages:
            return []
        if any(map(_ERROR, messages)):
            messages = self._without_errors(messages)
        topics = list(map(_TOPIC, messages))
        partitions = list(map(_PARTITION, messages))
        runs = []
        start, total = 0, len(messages)
        while start < total:
            topic, partition = topics[start], partitions[start]
            end = start + 1
            while end < total and topics[end] == topic and partitions[end] == partition:
                end += 1
            run = self._run((topic, partition), messages[start:end])
            if run is not None:
                runs.append(run)
            start = end
        return runs

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def _run(self, place: Place, messages: Sequence[Message]) -> Run | None:
        wanted = self._next.get(place)
        if wanted is None:
            return None
        if _OFFSET(messages[0]) < wanted:
            # fetched before the partition was assigned anew
            messages = [message for message in messages if _OFFSET(message) >= wanted]
            if not messages:
                return None
        last = _OFFSET(messages[-1])
        self._next[place] = last + 1
        return Run(place, last, list(map(_VALUE, messages)))

    def _without_errors(self, messages: Iterable[Message]) -> list[Message]:
        rows = []
        for message in messages:
            error = message.error()
            if error is None:
                rows.append(message)
                continue
            place = message.topic() or "", message.partition() or 0
            if error.code() in _GONE:
                if place in self._next:
                    self.gone.append(place)
            elif error.retriable() or error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                # a topic of the catalogue that is about to be, or to be no more
                _LOG.warning("input", topic=place[0], reason=error.str())
            else:
                raise wrap(error, f"read {place[0]} [{place[1]}]")
        return rows


def inputs_config(kafka: KafkaSettings) -> ClientConfig:
    """Return the configuration of the inputs' consumer."""
    return reader_config(kafka) | {
        # the end of an input means nothing to us
        "enable.partition.eof": False,
        "fetch.wait.max.ms": 50,
        # rows fetched ahead, for all partitions together
        "queued.max.messages.kbytes": 32 * 1024,
    }


# The methods as functions, so that map calls them without a frame each. Only messages with an
# error may lack a topic or an offset, and those are sorted out before.
_ERROR: Final = Message.error
_VALUE: Final = Message.value
_TOPIC: Final[Callable[[Message], str]] = Message.topic  # type: ignore[assignment]  # as above
_PARTITION: Final[Callable[[Message], int]] = Message.partition  # type: ignore[assignment]  # as above
_OFFSET: Final[Callable[[Message], int]] = Message.offset  # type: ignore[assignment]  # as above
