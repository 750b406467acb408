"""An installation on the test's broker: inputs written, processes run, outputs read."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import TypeVar

from confluent_kafka import Producer

from collector_core.codec import decode, encode
from collector_core.errors import BrokerError
from collector_core.events import Event
from collector_core.topics import Layout, Topics, key_of
from collector_indicators.engine import create
from collector_indicators.settings import CalculationSettings
from collector_runtime.kafka.catalog import entries_of, publish_catalog
from collector_runtime.kafka.child import Child
from collector_runtime.kafka.connection import KafkaSettings, producer_config
from collector_runtime.kafka.provisioner import Provisioner
from collector_runtime.kafka.restore import read_to_end
from collector_runtime.kafka.topology import Topology

Rows = dict[tuple[str, str, bytes], list[bytes]]
"""Values in order, by channel, symbol (or exchange, where a topic has several) and key."""
T = TypeVar("T")


def eventually(probe: Callable[[], T], within: float, what: str) -> T:
    """Return what ``probe`` returns once that is true."""
    deadline = monotonic() + within
    pause = threading.Event()
    while not (found := probe()):
        if monotonic() > deadline:
            raise AssertionError(f"expected {what} within {within:g} s")
        pause.wait(0.05)
    return found


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
            "COLLECTOR_HEALTH_PORT": "0",
            **(options or {}),
        }
        Provisioner(self.settings).ensure(self._topology.bus())

    # --- inputs ---------------------------------------------------------------------------------

    def open(self, channel: str, exchange: str, symbols: Iterable[str]) -> None:
        """Make input topics and their catalogue entries."""
        streams = [(channel, exchange, symbol) for symbol in symbols]
        Provisioner(self.settings).ensure(self._topology.streams(streams))
        publish_catalog(self.settings, self.topics, entries_of(self.topics, streams))

    def write(self, rows: Iterable[tuple[str, Event]]) -> None:
        """Write events, each with its channel, and wait for their delivery."""
        failures: list[str] = []
        for channel, event in rows:
            address = self.topics.address(channel, event.exchange, event.symbol)
            self._producer.produce(
                address.topic,
                encode(event),
                key_of(event).encode(),
                address.partition,
                on_delivery=lambda error, _: error and failures.append(error.str()),
            )
            self._producer.poll(0)
        assert self._producer.flush(20) == 0
        assert failures == []

    # --- processes ------------------------------------------------------------------------------

    def start(self, slot: int | None = None, **options: str) -> Child:
        """Start a process of the service; a slot is its name in the group."""
        named = {} if slot is None else {"COLLECTOR_INSTANCE_ID": f"slot-{slot}"}
        return Child(
            [sys.executable, "-m", "collector_indicator"], self._environment | named | options
        )

    @contextmanager
    def process(self, slot: int | None = None, **options: str) -> Iterator[Child]:
        """Run a process of the service for the length of a block."""
        child = self.start(slot, **options)
        try:
            yield child
        except BaseException:
            sys.stderr.write(child.output())
            raise
        finally:
            child.stop()

    # --- outputs --------------------------------------------------------------------------------

    def read(self, channel: str, exchange: str, symbol: str) -> list[tuple[bytes, bytes]]:
        """Return the committed rows of the partition that a stream is in; none without a topic."""
        address = self.topics.address(channel, exchange, symbol)
        rows: list[tuple[bytes, bytes]] = []
        try:
            read_to_end(
                self.settings,
                address.topic,
                address.partition,
                lambda key, value: rows.append((key, value or b"")),
            )
        except BrokerError as error:
            if "Unknown" not in str(error):
                raise
        return rows

    def outputs(self, exchange: str, symbols: Iterable[str]) -> Rows:
        """Return what was published of streams, in order, by key."""
        found: Rows = {}
        for symbol in symbols:
            own = f"{exchange}|{symbol}|".encode()
            for channel in ("bar", "indicator"):
                for key, value in self.read(channel, exchange, symbol):
                    if key.startswith(own):
                        found.setdefault((channel, symbol, key), []).append(value)
        return found

    def published(self, exchange: str, symbols: Iterable[str]) -> int:
        """Return how many rows of streams are published."""
        return count(self.outputs(exchange, symbols))


def offline(
    bus: Bus, exchange: str, symbols: Iterable[str], calculations: Mapping[str, CalculationSettings]
) -> Rows:
    """Return what follows from the input topics, row by row, without any of the service's code."""
    found: Rows = {}
    for symbol in symbols:
        for channel, settings in calculations.items():
            calculation = create(exchange, symbol, settings)
            for _, value in bus.read(channel, exchange, symbol):
                row = decode(value)
                if row.symbol != symbol:
                    continue
                for output in calculation.feed(row):
                    name = type(output).__name__.lower()
                    key = name, symbol, key_of(output).encode()
                    found.setdefault(key, []).append(encode(output))
    return found


def count(rows: Rows) -> int:
    """Return the number of rows."""
    return sum(map(len, rows.values()))
