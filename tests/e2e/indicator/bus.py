"""An installation on the test's broker: inputs written, processes run, outputs read."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from time import monotonic
from typing import TypeVar
from urllib.request import urlopen

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from collector_core.codec import decode, encode
from collector_core.errors import BrokerError, CodecError
from collector_core.events import Event, Trade
from collector_core.records import CatalogEntry
from collector_core.topics import Layout, Topics, key_of
from collector_indicators.engine import create
from collector_indicators.settings import CalculationSettings
from collector_runtime.kafka.catalog import entries_of, follow_catalog, publish_catalog
from collector_runtime.kafka.child import Child
from collector_runtime.kafka.connection import (
    KafkaSettings,
    client_config,
    producer_config,
    reader_config,
)
from collector_runtime.kafka.ports import free_ports
from collector_runtime.kafka.provisioner import Provisioner
from collector_runtime.kafka.topology import Topology

Rows = dict[tuple[str, str, bytes], list[bytes]]
"""Values in order, by channel, symbol and key."""
Place = tuple[str, int]
Pair = tuple[bytes, bytes]
T = TypeVar("T")
SERVICE = ("-m", "collector_indicator")
"""Python's arguments for the service itself."""


def eventually(probe: Callable[[], T], within: float, what: str) -> T:
    """Return what ``probe`` returns once that is true."""
    deadline = monotonic() + within
    pause = threading.Event()
    while not (found := probe()):
        if monotonic() > deadline:
            raise AssertionError(f"expected {what} within {within:g} s")
        pause.wait(0.05)
    return found


class Process:
    """A process of the service, and its health port."""

    def __init__(self, child: Child, port: int) -> None:
        self.child = child
        self._address = f"http://127.0.0.1:{port}"

    def ready(self) -> bool:
        """Tell whether it says that it does its work."""
        try:
            return bool(self._get("/readyz"))
        except (OSError, HTTPException):
            # not listening yet, or 503, or it dies while it answers
            return False

    def metric(self, name: str) -> float:
        """Return the sum of a metric's samples; 0 while there is none."""
        found = re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", self._get("/metrics"), re.MULTILINE)
        return sum(map(float, found))

    def end(self) -> None:
        """End it by SIGTERM, and see it end cleanly."""
        said = self.child.output()
        self.child.stop()
        assert self.child.returncode == 0, said

    def _get(self, path: str) -> str:
        with urlopen(self._address + path, timeout=5) as answer:
            return str(answer.read().decode())


class Bus:
    """One prefix on a broker.

    Args:
        bootstrap_servers: where the broker is.
        prefix: first part of the topics' names.
        layout: of all topics.
        options: environment of the service's processes, beyond what the bus says.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        prefix: str,
        layout: Layout = "symbol",
        options: Mapping[str, str] | None = None,
    ) -> None:
        self.settings = KafkaSettings(bootstrap_servers, "tests")
        self.topics = Topics(prefix, layout, 4)
        self._topology = Topology(self.topics, replicas=1)
        self._producer = Producer(producer_config(self.settings))
        self._admin = AdminClient(client_config(self.settings))
        self._environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("COLLECTOR_", "KAFKA_", "TOPIC_"))
        } | {
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
            "TOPIC_PREFIX": prefix,
            "TOPIC_LAYOUT": layout,
            "COLLECTOR_TOPIC_PARTITIONS": "4",
            "COLLECTOR_TOPIC_REPLICAS": "1",
            "COLLECTOR_SHARDS": "8",
            **(options or {}),
        }
        Provisioner(self.settings).ensure(self._topology.bus())

    # --- inputs ---------------------------------------------------------------------------------

    def open(self, channel: str, exchange: str, symbols: Iterable[str]) -> None:
        """Make input topics and their catalogue entries."""
        streams = [(channel, exchange, symbol) for symbol in symbols]
        Provisioner(self.settings).ensure(self._topology.streams(streams))
        entries = entries_of(self.topics, streams)
        eventually(lambda: self._catalogue(entries), 60, "a catalogue that can be written")

    def _catalogue(self, entries: list[CatalogEntry]) -> bool:
        try:
            publish_catalog(self.settings, self.topics, entries)
        except BrokerError:
            # a topic made a moment ago may have no leader yet
            return False
        return True

    def write(self, rows: Iterable[tuple[str, Event]]) -> None:
        """Write events, each with its channel, and wait for their delivery."""
        failures: list[str] = []

        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                failures.append(error.str())

        for channel, event in rows:
            address = self.topics.address(channel, event.exchange, event.symbol)
            self._producer.produce(
                address.topic,
                encode(event),
                key_of(event).encode(),
                address.partition,
                on_delivery=delivered,
            )
            self._producer.poll(0)
        assert self._producer.flush(20) == 0
        assert failures == []

    def write_raw(self, channel: str, exchange: str, symbol: str, value: bytes) -> None:
        """Write bytes as they are into a stream's topic."""
        topic, partition, _ = self.topics.address(channel, exchange, symbol)
        self._producer.produce(topic, value, b"raw", partition)
        assert self._producer.flush(20) == 0

    def write_state(self, shard: int, key: bytes, value: bytes) -> None:
        """Write a row of the service's state topic."""
        self._producer.produce(self._topology.state(8).name, value, key, shard)
        assert self._producer.flush(20) == 0

    def forget(self, channel: str, exchange: str, symbol: str, before: int) -> None:
        """Take rows below an offset away, as retention does."""
        place = self.topics.address(channel, exchange, symbol)[:2]
        [done] = self._admin.delete_records([TopicPartition(*place, before)]).values()
        done.result(20)

    def delete_state(self) -> None:
        """Remove the service's state topic."""
        name = self._topology.state(8).name
        [done] = self._admin.delete_topics([name]).values()
        done.result(20)
        eventually(lambda: name not in self._admin.list_topics(timeout=10).topics, 60, "no state")

    # --- processes ------------------------------------------------------------------------------

    def start(
        self, slot: int | None = None, program: Sequence[str] = SERVICE, **options: str
    ) -> Process:
        """Start a process of the service, or a program in its place; a slot is its group name."""
        [port] = free_ports()
        own = {"COLLECTOR_HEALTH_PORT": str(port)}
        if slot is not None:
            own["COLLECTOR_INSTANCE_ID"] = f"slot-{slot}"
        command = [sys.executable, *program]
        return Process(Child(command, self._environment | own | options), port)

    @contextmanager
    def process(self, slot: int | None = None, **options: str) -> Iterator[Process]:
        """Run a process of the service for the length of a block."""
        process = self.start(slot, **options)
        try:
            yield process
        except BaseException:
            sys.stderr.write(process.child.output())
            raise
        finally:
            process.child.stop()

    # --- outputs --------------------------------------------------------------------------------

    def read(
        self, streams: Iterable[tuple[str, str, str]], *, committed: bool = True
    ) -> dict[Place, list[Pair]]:
        """Return the rows of the partitions that streams are in, from the first on.

        Args:
            streams: channel, exchange and symbol of each.
            committed: without those of transactions that were cut or are open.
        """
        places = [self.topics.address(*stream)[:2] for stream in streams]
        rows: dict[Place, list[Pair]] = {place: [] for place in places}
        consumer = Consumer(reader_config(self.settings, committed=committed))
        deadline = monotonic() + 60
        try:
            # one that is not there yet has no rows; assigning it would wait in silence
            there = consumer.list_topics(timeout=10).topics
            left = {place for place in places if place[0] in there}
            consumer.assign([TopicPartition(*place, OFFSET_BEGINNING) for place in left])
            while left:
                assert monotonic() < deadline, f"expected to read all, was without {left}"
                for message in consumer.consume(1_000, 0.02):
                    error = message.error()
                    place = message.topic() or "", message.partition() or 0
                    if error is None:
                        rows[place].append((message.key() or b"", message.value() or b""))
                    elif error.code() == KafkaError._PARTITION_EOF:
                        left.discard(place)
                    else:
                        assert error.retriable(), error.str()
        finally:
            consumer.close()
        return rows

    def outputs(self, exchange: str, symbols: Iterable[str]) -> Rows:
        """Return what was published of streams, in order, by key."""
        found: Rows = {}
        streams = outputs_of(exchange, symbols)
        rows = self.read(streams)
        for channel, _, symbol in streams:
            own = f"{exchange}|{symbol}|".encode()
            for key, value in rows[self.topics.address(channel, exchange, symbol)[:2]]:
                if key.startswith(own):
                    found.setdefault((channel, symbol, key), []).append(value)
        return found

    def catalogued(self) -> set[str]:
        """Return the channels that the catalogue has."""
        with follow_catalog(self.settings, self.topics) as table:
            table.load()
            return {entry.channel for entry in table.rows.values()}

    def published(self, exchange: str, symbols: Iterable[str]) -> int:
        """Return how many rows of streams are published."""
        return count(self.outputs(exchange, symbols))

    def cut(self, exchange: str, symbols: Iterable[str]) -> int:
        """Return how many rows in the topics of streams no committed reader sees."""
        streams = outputs_of(exchange, symbols)
        written, seen = self.read(streams, committed=False), self.read(streams)
        return sum(map(len, written.values())) - sum(map(len, seen.values()))


def outputs_of(exchange: str, symbols: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return channel, exchange and symbol of what is published of symbols."""
    return [(channel, exchange, s) for s in symbols for channel in ("bar", "indicator")]


def offline(
    bus: Bus, exchange: str, symbols: Iterable[str], calculations: Mapping[str, CalculationSettings]
) -> Rows:
    """Return what follows from the input topics, row by row, without any of the service's code."""
    found: Rows = {}
    for symbol in symbols:
        for channel, settings in calculations.items():
            calculation = create(exchange, symbol, settings)
            stream = channel, exchange, symbol
            [rows] = bus.read([stream]).values()
            for _, value in rows:
                row = usable(value)
                if row is None or row.symbol != symbol:
                    continue
                for output in calculation.feed(row):
                    name = type(output).__name__.lower()
                    key = name, symbol, key_of(output).encode()
                    found.setdefault(key, []).append(encode(output))
    return found


def usable(value: bytes) -> Event | None:
    """Return the event of a row, or None if it is none, or a trade of no number."""
    try:
        row = decode(value)
    except CodecError:
        return None
    return None if isinstance(row, Trade) and not row.price[0].isdigit() else row


def count(rows: Rows) -> int:
    """Return the number of rows."""
    return sum(map(len, rows.values()))
