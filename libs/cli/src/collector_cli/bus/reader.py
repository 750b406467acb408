"""Reads the topics that a choice names, and those that turn up in the catalogue meanwhile.

Works in both layouts: the catalogue says in which topic and partition a symbol's rows are. Rows of
one partition come in order; between partitions there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from collector_cli.bus.choice import APART, Choice
from collector_cli.bus.start import Start
from collector_core.records import CatalogEntry
from collector_core.topics import Topics, stream_key
from collector_runtime.clock import monotonic
from collector_runtime.kafka.catalog import follow_catalog
from collector_runtime.kafka.connection import KafkaSettings, reach, reader_config, wrap

__all__ = ["BusReader"]

_BATCH: Final = 5_000
_CATALOG_EVERY: Final = 0.25
"""Seconds between two looks at the catalogue: a new symbol is read well within a second."""
_TIMEOUT: Final = 10.0


class BusReader:
    """A read_committed reader of many topics. Calls block.

    Args:
        settings: where Kafka is.
        topics: names and layout.
        choice: what is wanted.
        start: where the topics begin that are there now; later ones are read from their first row.
        complain: is told of a topic that the catalogue names and that is not there, and when all
            brokers are gone (they are waited for).

    Raises:
        BrokerError: Kafka does not answer, or has no catalogue.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        topics: Topics,
        choice: Choice,
        start: Start,
        complain: Callable[[str], None],
    ) -> None:
        reach(settings)
        self._topics = topics
        self._choice = choice
        self._complain = complain
        self._since = start if isinstance(start, int) else 0
        # what is read: topic and partition -> keys of the wanted symbols, None for all of them
        self._places: dict[tuple[str, int], set[bytes] | None] = {}
        # places whose last row, as of some moment, was read
        self._ended: set[tuple[str, int]] = set()
        self._catalog = follow_catalog(settings, topics)
        self._next_look = 0.0
        # all brokers are gone, and it was said
        self._alone = False
        self._servers = settings.bootstrap_servers
        try:
            config = reader_config(settings) | {"error_cb": self._on_error}
            self._consumer = Consumer(config)
            self._catalog.load()
            self._assign(self._new(self._catalog.rows.values()), start)
        except BaseException:
            self._catalog.close()
            raise

    @property
    def nothing(self) -> str | None:
        """What to tell a user while no topic is wanted; None once one is."""
        if self._places:
            return None
        known = sorted({entry.exchange for entry in self._catalog.rows.values()})
        return (
            "expected topics of what was asked for, was none in the catalogue yet; it has "
            f"those of {', '.join(known) or 'no exchange'}"
        )

    @property
    def ended(self) -> bool:
        """Whether every topic was read to an end that it had meanwhile."""
        return len(self._ended) == len(self._places)

    def read(self, timeout: float) -> list[Message]:
        """Return the wanted rows that come within ``timeout`` seconds; they all have a value.

        Raises:
            BrokerError: a topic may not be read, or rows were removed before they were read.
        """
        self._look()
        found = []
        for message in self._consumer.consume(_BATCH, timeout):
            failure = message.error()
            place = (message.topic() or "", message.partition() or 0)
            if failure is None:
                self._alone = False
                if self._wanted(place, message):
                    found.append(message)
            elif failure.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's name
                self._ended.add(place)
            elif failure.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                self._complain(f"{place[0]} stands in the catalogue and is not there")
                self._ended.add(place)
            elif not failure.retriable():
                raise wrap(failure, f"read {place[0]}")
        return found

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()
        self._catalog.close()

    def __enter__(self) -> BusReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _wanted(self, place: tuple[str, int], message: Message) -> bool:
        if message.value() is None:
            return False
        if self._since and message.timestamp()[1] * 1_000 + 999 < self._since:
            # brokers differ in what they find for a time after the last row
            return False
        keys = self._places.get(place)
        if keys is None:
            return True
        # exchange|symbol, and more behind another | where a row has a name of its own
        return b"|".join((message.key() or b"").split(b"|", 2)[:2]) in keys

    def _on_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN and not self._alone:  # noqa: SLF001 - librdkafka's name
            self._alone = True
            self._complain(f"expected a Kafka broker at {self._servers}, was none; waiting for it")

    def _look(self) -> None:
        now = monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _CATALOG_EVERY
        entries = [change.record for change in self._catalog.poll() if change.record is not None]
        self._assign(self._new(entries), "earliest")

    def _new(self, entries: Iterable[CatalogEntry]) -> list[tuple[str, int]]:
        new = []
        for entry in entries:
            if self._choice.takes(entry.channel, entry.exchange, entry.symbol):
                key = stream_key(entry.exchange, entry.symbol).encode()
                new += self._add(entry.topic, entry.partition, key)
            if self._choice.takes_exchange(entry.exchange):
                # their topics do not depend on a symbol, so the catalogue does not have them
                for channel in self._choice.channels & APART:
                    topic = f"{self._topics.prefix}.{channel}.{entry.exchange}"
                    for symbol in self._choice.symbols or {""}:
                        key = stream_key(entry.exchange, symbol).encode()
                        new += self._add(topic, 0, key)
        return new

    def _add(self, topic: str, partition: int, key: bytes) -> list[tuple[str, int]]:
        place = (topic, partition)
        new = [] if place in self._places else [place]
        if not self._choice.symbols:
            self._places[place] = None
        else:
            keys = self._places.setdefault(place, set())
            if keys is not None:
                keys.add(key)
        return new

    def _assign(self, places: list[tuple[str, int]], start: Start) -> None:
        if not places:
            return
        try:
            self._consumer.incremental_assign(self._offsets(places, start))
        except KafkaException as error:
            raise wrap(error, "read the topics of the catalogue") from error

    def _offsets(self, places: list[tuple[str, int]], start: Start) -> list[TopicPartition]:
        if isinstance(start, str):
            offset = OFFSET_BEGINNING if start == "earliest" else OFFSET_END
            return [TopicPartition(topic, partition, offset) for topic, partition in places]
        wanted = [TopicPartition(topic, partition, start // 1_000) for topic, partition in places]
        found: list[TopicPartition] = self._consumer.offsets_for_times(wanted, timeout=_TIMEOUT)
        return found
