"""One reader of the bus: a consumer without a group over just the partitions that are wanted.

The catalogue is one more partition of the same consumer. Its rows are never handed out: they tell
of symbols that appeared, and those are read from their first row.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Generic, Literal, Self, TypeAlias, TypeVar, cast

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import ConsumerStoppedError, KafkaError, OffsetOutOfRangeError

from collector_client.selection import Selection, Stream, stream_of
from collector_core.codec import decode, decode_record
from collector_core.errors import BrokerError, CodecError, SettingsError, SymbolError
from collector_core.events import Clock, Event, Row, Status
from collector_core.records import CatalogEntry
from collector_core.topics import CATALOG

__all__ = ["Start", "Subscription"]

Start: TypeAlias = Literal["latest", "earliest"] | datetime | int
"""Where to begin: now, at the first row kept, or at a time (an int is microseconds)."""

Rows = TypeVar("Rows", bound=Event)

_POLL: Final = 1_000
"""Milliseconds of one wait for rows."""
_BATCH: Final = 500
_FETCH_BYTES: Final = 8 * 1024 * 1024
"""Of one answer of a broker; with aiokafka's own back-pressure the bound of memory."""


class Subscription(Generic[Rows]):
    """An asynchronous iterator of events; made by ``subscribe``.

    It connects at its first row or when it is entered, and ends with ``close``. In a loop of its
    own (``async for trade in subscribe(…)``) it closes itself when the loop is left; entered with
    ``async with`` it stays open for further loops until the block is left.

    Iterating raises:
        CodecError: a row that is no event, named by topic, partition and offset. The next loop
            goes on behind it.
        BrokerError: Kafka is unreachable, or rows were deleted before they were read.
        SymbolError: nothing is published of what was named, and ``wait`` is not set.
    """

    def __init__(
        self,
        selection: Selection,
        bootstrap_servers: str,
        *,
        prefix: str = "md",
        start: Start = "latest",
        gaps: bool = False,
        wait: bool = False,
        kafka: Mapping[str, Any] | None = None,
    ) -> None:
        self._selection = selection
        self._servers = bootstrap_servers
        self._prefix = prefix
        self._start = _checked(start)
        self._gaps = gaps
        self._wait = wait
        self._kafka = dict(kafka or {})
        self._catalog = TopicPartition(f"{prefix}.{CATALOG}", 0)
        self._consumer: AIOKafkaConsumer | None = None
        self._closed = False
        self._entered = False
        # next offset to fetch, by partition; a changed assignment begins there again
        self._positions: dict[TopicPartition, int] = {}
        self._channels: dict[TopicPartition, str] = {}
        self._streams: set[Stream] = set()
        # fetched and not yet handed out
        self._ready: deque[ConsumerRecord[bytes, bytes]] = deque()

    @property
    def streams(self) -> frozenset[Stream]:
        """What is being read; it grows when symbols appear."""
        return frozenset(self._streams)

    # --- iterating ---------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._entered = True
        await self._open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def __aiter__(self) -> AsyncIterator[Rows]:
        try:
            while not self._closed:
                try:
                    yield await self.__anext__()
                except StopAsyncIteration:
                    return
        finally:
            if not self._entered:
                await self.close()

    async def __anext__(self) -> Rows:
        """Return the next event that is wanted."""
        if self._closed:
            raise StopAsyncIteration
        await self._open()
        while True:
            while self._ready:
                event = self._event(self._ready.popleft())
                if event is not None:
                    # the channels of the selection say which types come (``subscribe``)
                    return cast("Rows", event)
            await self._fetch()

    async def close(self) -> None:
        """End the subscription; a loop that waits for rows ends as well."""
        self._closed = True
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    def _event(self, record: ConsumerRecord[bytes, bytes]) -> Row | None:
        place = TopicPartition(record.topic, record.partition)
        if record.value is None or not self._selection.wants_key(record.key):
            return None
        try:
            event = decode(record.value)
        except CodecError as error:
            raise CodecError(
                f"{record.topic}, partition {record.partition}, offset {record.offset}: {error}"
            ) from error
        if isinstance(event, Clock | Status) and not self._gaps:
            return event if self._channels[place] == "status" else None
        return event

    async def _fetch(self) -> None:
        if self._consumer is None:
            raise StopAsyncIteration
        try:
            batches = await self._consumer.getmany(timeout_ms=_POLL, max_records=_BATCH)
        except ConsumerStoppedError:
            raise StopAsyncIteration from None
        except OffsetOutOfRangeError as error:
            raise BrokerError(
                f"expected the rows from {error.args[0]}, were deleted before they were read"
            ) from error
        except KafkaError as error:
            raise BrokerError(f"expected rows of {self._servers}, was {error!r}") from error
        news: list[CatalogEntry] = []
        for place, records in batches.items():
            self._positions[place] = records[-1].offset + 1
            if place == self._catalog:
                news.extend(_entries(records))
            else:
                self._ready.extend(records)
        if news:
            await self._grow(news)

    # --- finding and assigning ---------------------------------------------------------------

    async def _open(self) -> None:
        if self._consumer is not None:
            return
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._servers,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_bytes=_FETCH_BYTES,
            **self._kafka,
        )
        self._consumer = consumer
        try:
            await consumer.start()
            await self._find(consumer)
        except KafkaError as error:
            await self.close()
            raise BrokerError(
                f"expected a Kafka broker at {self._servers}, was {error!r}"
            ) from error
        except BaseException:
            await self.close()
            raise

    async def _find(self, consumer: AIOKafkaConsumer) -> None:
        topics = await self._topics()
        start = self._start
        while self._wait and self._catalog.topic not in topics:
            await asyncio.sleep(_POLL / 1000)
            topics = await self._topics()
            # nothing was there when we came, so every row is one that appeared since
            start = "earliest"
        entries = await self._read_catalog(consumer) if self._catalog.topic in topics else []
        streams = self._selection.streams(entries, topics, self._prefix)
        missing = self._selection.missing(streams)
        if missing is not None and not self._wait:
            raise SymbolError(
                f"expected rows of {missing} on {self._servers} with prefix {self._prefix!r}, "
                f"was not published"
            )
        places = {TopicPartition(stream.topic, stream.partition) for stream in streams}
        self._positions |= await _first_offsets(consumer, places, start)
        self._take(consumer, streams)

    async def _topics(self) -> dict[str, int]:
        """Return every topic with its partitions; asking for one by name might create it."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._servers, **self._kafka)
        try:
            await admin.start()
            described = await admin.describe_topics()
        finally:
            await admin.close()
        return {topic["topic"]: len(topic["partitions"]) for topic in described}

    async def _read_catalog(self, consumer: AIOKafkaConsumer) -> list[CatalogEntry]:
        """Read the catalogue to its end, and remember where to go on."""
        place = self._catalog
        consumer.assign([place])
        end = (await consumer.end_offsets([place]))[place]
        position = (await consumer.beginning_offsets([place]))[place]
        consumer.seek(place, position)
        held: dict[bytes | None, CatalogEntry | None] = {}
        while position < end:
            batches = await consumer.getmany(place, timeout_ms=_POLL, max_records=_BATCH)
            for record in batches.get(place, ()):
                held[record.key] = _entry(record)
            # the position also passes what is no row: the ends of transactions
            position = await consumer.position(place)
        self._positions[place] = position
        return [entry for entry in held.values() if entry is not None]

    async def _grow(self, entries: list[CatalogEntry]) -> None:
        """Read what appeared, from its first row."""
        consumer = self._consumer
        new = {stream_of(entry) for entry in entries if self._selection.wants(entry)}
        new -= self._streams
        if consumer is None or not new:
            return
        places = {TopicPartition(stream.topic, stream.partition) for stream in new}
        unread = places - set(self._channels)
        try:
            self._positions |= await consumer.beginning_offsets(list(unread)) if unread else {}
        except KafkaError as error:
            raise BrokerError(f"expected the topics of {unread}, was {error!r}") from error
        self._take(consumer, new)

    def _take(self, consumer: AIOKafkaConsumer, streams: set[Stream]) -> None:
        """Read the partitions of ``streams`` as well, each from its position."""
        self._streams |= streams
        for stream in streams:
            self._channels[TopicPartition(stream.topic, stream.partition)] = stream.channel
        consumer.assign(list(self._positions))
        for place, position in self._positions.items():
            consumer.seek(place, position)


async def _first_offsets(
    consumer: AIOKafkaConsumer, places: set[TopicPartition], start: Start
) -> dict[TopicPartition, int]:
    if not places:
        return {}
    if start == "earliest":
        return dict(await consumer.beginning_offsets(list(places)))
    ends = dict(await consumer.end_offsets(list(places)))
    if start == "latest":
        return ends
    times = dict.fromkeys(places, _milliseconds(start))
    found = await consumer.offsets_for_times(times)
    return {
        place: end if (at := found.get(place)) is None else at.offset for place, end in ends.items()
    }


def _entries(records: list[ConsumerRecord[bytes, bytes]]) -> list[CatalogEntry]:
    return [entry for record in records if (entry := _entry(record)) is not None]


def _entry(record: ConsumerRecord[bytes, bytes]) -> CatalogEntry | None:
    return None if record.value is None else decode_record(record.value, CatalogEntry)


def _checked(start: Start) -> Start:
    if isinstance(start, datetime) and start.tzinfo is None:
        raise SettingsError(f"expected a start time with a time zone, was {start!r}")
    if isinstance(start, str) and start not in ("latest", "earliest"):
        raise SettingsError(f"expected start latest, earliest or a time, was {start!r}")
    return start


def _milliseconds(start: datetime | int | str) -> int:
    """Return a start time as Kafka counts."""
    match start:
        case datetime():
            return int(start.timestamp() * 1000)
        case int():
            return start // 1000
        case _:
            raise SettingsError(f"expected a time, was {start!r}")
