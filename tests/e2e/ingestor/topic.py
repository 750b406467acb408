"""The rows of one topic, read on from where the last look ended."""

from __future__ import annotations

from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from collector_core.codec import decode
from collector_core.events import Row
from collector_runtime.kafka.connection import KafkaSettings, reader_config, transient

__all__ = ["Topic"]

_WAIT: Final = 10.0
_NOT_THERE: Final = frozenset(
    {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}
)


class Topic:
    """One topic with a single partition.

    Args:
        bootstrap: the broker's address.
        name: the topic's; it need not be there yet.
    """

    def __init__(self, bootstrap: str, name: str) -> None:
        self.rows: list[Row] = []
        self._name = name
        # as many messages as are asked for are rows, not the ends between them
        self._settings = reader_config(KafkaSettings(bootstrap)) | {"enable.partition.eof": False}
        self._next = 0
        self._consumer = self._open()

    def read(self) -> list[Row]:
        """Return all rows that there are now; none while there is no such topic.

        Raises:
            AssertionError: rows that are there could not be read in time.
        """
        while (left := self._end() - self._next) > 0:
            messages = self._consumer.consume(min(left, 10_000), _WAIT)
            assert messages, f"expected {left} more rows of {self._name}, was none"
            for message in messages:
                error = message.error()
                if error is None:
                    self.rows.append(decode(message.value() or b""))
                    self._next = (message.offset() or 0) + 1
                elif error.code() not in _NOT_THERE and not transient(error):
                    raise AssertionError(f"expected rows of {self._name}, was {error}")
        return self.rows

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def _open(self) -> Consumer:
        consumer = Consumer(self._settings)
        consumer.assign([TopicPartition(self._name, 0, self._next)])
        return consumer

    def _end(self) -> int:
        try:
            ends = self._consumer.get_watermark_offsets(TopicPartition(self._name, 0), _WAIT)
        except KafkaException as error:
            code = error.args[0].code()
            if code not in _NOT_THERE and not transient(error.args[0]):
                raise
            ends = None
        if ends is None:
            # a client that saw a broker go may hold for good that it has no such partition
            self._consumer.close()
            self._consumer = self._open()
            return 0
        return int(ends[1])
