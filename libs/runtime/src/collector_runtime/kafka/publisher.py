"""The hot end of an ingestor: an event becomes a numbered row in librdkafka's queue.

Nothing is awaited and nothing is dropped. Every row has its delivery report, taken in librdkafka's
thread and in C; Python hears of the failures alone, and the first of them is kept for ``check``,
which ends the process. ``backlog`` tells the holder when to pause reading from the exchange.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from confluent_kafka import KafkaError, Message, Producer
from msgspec.structs import force_setattr, replace

from collector_core.codec import MAX_ROW_BYTES, encode
from collector_core.errors import DeliveryError
from collector_core.events import Event, Status
from collector_core.topics import key_of
from collector_feed.numbering import Numbering, Stream, started
from collector_runtime.kafka.connection import ClientConfig

__all__ = ["HIGH_WATER", "LOW_WATER", "QUEUE_ROWS", "Publisher"]

QUEUE_ROWS: Final = 500_000
"""Rows that librdkafka may hold; the hard bound of memory."""
HIGH_WATER: Final = 100_000
"""Rows waiting for the broker at which reading from the exchange pauses."""
LOW_WATER: Final = 20_000
"""Rows waiting at which it goes on."""

_BY_KEY: Final = -1
"""librdkafka's RD_KAFKA_PARTITION_UA: its partitioner chooses."""


class Publisher:
    """Publishes the rows of one exchange.

    Args:
        config: librdkafka's configuration of an idempotent producer.
        numbering: the streams; one that is not open takes no row.
        exchange: whose rows these are.
        delivery_timeout: seconds after which a row that was not taken counts as undeliverable.
    """

    __slots__ = (
        "_delivered",
        "_epoch",
        "_exchange",
        "_failure",
        "_numbering",
        "_produce",
        "_producer",
        "_routes",
        "foreign",
        "rows",
        "statuses",
    )

    def __init__(
        self,
        config: ClientConfig,
        numbering: Numbering,
        exchange: str,
        delivery_timeout: float = 120.0,
    ) -> None:
        self._producer = Producer(
            {
                **config,
                # reports of success are counted by librdkafka; Python is called for failures
                "delivery.report.only.error": True,
                "message.timeout.ms": round(delivery_timeout * 1000),
                "queue.buffering.max.messages": QUEUE_ROWS,
                "error_cb": self._on_error,
            }
        )
        self._produce = self._producer.produce
        self._numbering = numbering
        self._routes = numbering.routes
        self._epoch = numbering.epoch
        self._exchange = exchange
        self._failure: str | None = None
        # bound once: a method object a row, alive until its delivery, kept the collector of
        # garbage busy (docs/adr/0008)
        self._delivered = self._on_delivery
        # rows taken, for metrics; delivered are those less the backlog
        self.rows = 0
        # rows of streams that are not open: late frames of a symbol just removed
        self.foreign = 0
        # status rows by channel and state, for metrics
        self.statuses: Counter[tuple[str, str]] = Counter()

    # --- rows --------------------------------------------------------------------------------

    def publish(self, event: Event) -> None:
        """Number an event and queue its row; the hot path."""
        try:
            stream = self._routes[type(event)][event.symbol]
        except KeyError:
            self._unrouted(event)
            return
        # Numbering.stamp, without its two calls: a fifth of this method's time
        stream.seq = seq = stream.seq + 1
        force_setattr(event, "epoch", self._epoch)
        force_setattr(event, "seq", seq)
        row = encode(event)
        key = stream.key
        if key is None:
            key = key_of(event).encode()
        try:
            self._produce(stream.topic, row, key, stream.partition, self._delivered)
        except BufferError:
            self._put(stream, row, key)
        self.rows += 1

    def publish_all(self, events: Iterable[Event]) -> None:
        """Queue several rows, in order."""
        for event in events:
            self.publish(event)

    def record(self, topic: str, key: str, row: bytes | None) -> None:
        """Queue a row that belongs to no stream: dead letters, catalogue, control."""
        self._insist(topic, row, key.encode(), _BY_KEY)

    def open(
        self, channel: str, symbol: str, previous: tuple[int, int] | None, receive_time: int
    ) -> Stream:
        """Open a stream whose topic exists; its first row is ``started``."""
        stream = self._numbering.open(channel, self._exchange, symbol)
        if stream.seq == 0:
            self.publish(started(stream, previous, receive_time))
        return stream

    def close(self, channel: str, symbol: str) -> None:
        """Take no more rows of a stream."""
        self._numbering.close(channel, symbol)

    def _unrouted(self, event: Event) -> None:
        if not isinstance(event, Status):
            self.foreign += 1
            return
        self.statuses[event.channel, event.state] += 1
        if event.channel != "status":
            stream = self._numbering.find(event.channel, event.symbol)
            if stream is not None:
                self._put_status(event, stream)
            # the same again for those who watch a whole exchange; also of streams that never opened
            event = replace(event)
        everything = self._numbering.find("status", event.symbol)
        if everything is None:
            everything = self._numbering.open("status", self._exchange, event.symbol)
            self._put_status(started(everything, None, event.receive_time), everything)
        self._put_status(event, everything)

    def _put_status(self, event: Status, stream: Stream) -> None:
        self._numbering.stamp_in(event, stream)
        self._put(stream, encode(event), key_of(event).encode())
        self.rows += 1

    def _put(self, stream: Stream, row: bytes, key: bytes) -> None:
        if len(row) > MAX_ROW_BYTES:
            raise DeliveryError(
                f"expected a row of at most {MAX_ROW_BYTES} bytes for {stream.topic}, "
                f"was {len(row)}"
            )
        self._insist(stream.topic, row, key, stream.partition)

    def _insist(self, topic: str, row: bytes | None, key: bytes, partition: int) -> None:
        while True:
            try:
                self._produce(topic, row, key, partition, self._delivered)
            except BufferError:
                # past the high water and its pause: the broker is slower than what was read
                self._producer.poll(0.1)
                self.check()
            else:
                return

    # --- delivery ----------------------------------------------------------------------------

    def backlog(self) -> int:
        """Return how many rows wait for the broker."""
        return len(self._producer)

    def poll(self) -> None:
        """Take delivery reports; called when the socket is drained and by a timer.

        Raises:
            DeliveryError: a row could not be delivered.
        """
        self._producer.poll(0)
        if self._failure is not None:
            self.check()

    def check(self) -> None:
        """Raise ``DeliveryError`` if a row could not be delivered."""
        if self._failure is not None:
            raise DeliveryError(self._failure)

    def flush(self, timeout: float) -> None:
        """Wait until every row is delivered.

        Raises:
            DeliveryError: some are not within ``timeout`` seconds, or one never will be.
        """
        left = self._producer.flush(timeout)
        self.check()
        if left:
            raise DeliveryError(f"expected all rows delivered in {timeout:g} s, was {left} left")

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is not None and self._failure is None:
            self._failure = f"a row for {message.topic()} could not be delivered: {error.str()}"

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal() and self._failure is None:
            self._failure = f"the Kafka producer ended: {error.str()}"
