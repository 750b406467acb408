"""A compacted topic followed as a table: the last record of each key."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final, Generic, TypeVar

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from collector_core.codec import decode_record
from collector_core.errors import BrokerError, CodecError
from collector_core.records import CatalogEntry, Control
from collector_runtime.kafka.connection import KafkaSettings, reader_config, transient, wrap
from collector_runtime.kafka.watermark import end_offset

__all__ = ["Change", "Table"]

Record = TypeVar("Record", CatalogEntry, Control)

_BATCH: Final = 1_000
_STEP: Final = 0.05
"""Seconds a call to the client waits for a full batch, which it does to the last."""


class Change(msgspec.Struct, Generic[Record], frozen=True):
    """A row that came: a record, a row that cannot be read, or with neither a removal."""

    key: str
    record: Record | None
    error: CodecError | None = None


class Table(Generic[Record]):
    """Follows partition 0 of a topic. Calls block: poll it on a thread.

    Args:
        settings: where Kafka is.
        topic: the topic, which has one partition.
        kind: the type of its records.

    Raises:
        BrokerError: the topic is missing, or the broker does not answer in ``timeout`` seconds.
    """

    def __init__(
        self, settings: KafkaSettings, topic: str, kind: type[Record], timeout: float = 10.0
    ) -> None:
        # the last record of each key
        self.rows: dict[str, Record] = {}
        self._topic = topic
        self._kind: type[Record] = kind
        self._consumer = Consumer(reader_config(settings))
        at = TopicPartition(topic, 0, OFFSET_BEGINNING)
        try:
            # offset that was the end when we came
            self._end = end_offset(self._consumer, at, timeout)
            self._consumer.assign([at])
        except KafkaException as error:
            self._consumer.close()
            raise wrap(error, f"follow {topic}") from error
        self._complete = False

    @property
    def complete(self) -> bool:
        """Whether everything was read that stood there when the table was opened."""
        return self._complete

    def poll(self, timeout: float = 0.0) -> list[Change[Record]]:
        """Return what changed, in order, waiting at most ``timeout`` seconds for it.

        A row that cannot be read changes no record; it comes with its error, for the caller to
        say so.

        Raises:
            BrokerError: the topic was removed, or may not be read.
        """
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            changes = []
            for message in self._consumer.consume(_BATCH, max(0.0, min(_STEP, left))):
                failure = message.error()
                if failure is None:
                    changes.append(self._take(message.key() or b"", message.value()))
                elif failure.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's name
                    self._complete = self._complete or (message.offset() or 0) >= self._end
                elif not transient(failure):
                    raise wrap(failure, f"follow {self._topic}")
            if changes or left <= 0 or (self._complete and timeout == 0):
                return changes

    def load(self, timeout: float = 30.0) -> list[Change[Record]]:
        """Read everything that stood there when the table was opened, and return it as changes.

        Raises:
            BrokerError: as ``poll``, or not within ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        changes = []
        while not self._complete:
            changes += self.poll(_STEP)
            if not self._complete and time.monotonic() > deadline:
                raise BrokerError(
                    f"expected to reach offset {self._end} of {self._topic} within "
                    f"{timeout:g} s, was not there"
                )
        return changes

    def close(self) -> None:
        """Leave the broker; bounded, for there is no group to leave."""
        self._consumer.close()

    def __enter__(self) -> Table[Record]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _take(self, raw_key: bytes, value: bytes | None) -> Change[Record]:
        key = raw_key.decode(errors="replace")
        if value is None:
            self.rows.pop(key, None)
            return Change(key, None)
        try:
            record = decode_record(value, self._kind)
        except CodecError as error:
            return Change(key, None, error)
        self.rows[key] = record
        return Change(key, record)
