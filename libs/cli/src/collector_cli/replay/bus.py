"""Replayed rows on Kafka, with the very bytes of standard output."""

from __future__ import annotations

from typing import Final

from collector_cli.replay.destinations import Destination
from collector_core.events import Event
from collector_feed.adapter import Adapter
from collector_feed.numbering import Numbering, channel_of
from collector_runtime.kafka.catalog import entries_of, publish_catalog
from collector_runtime.kafka.connection import KafkaSettings, producer_config, reach
from collector_runtime.kafka.provisioner import Provisioner
from collector_runtime.kafka.publisher import Publisher
from collector_runtime.kafka.topology import Topology

__all__ = ["Bus"]

_DELIVERY: Final = 60.0
"""Seconds for the last rows to be delivered."""


class Bus(Destination):
    """The topics of a bus, provisioned and entered in the catalogue as symbols turn up.

    Status rows also go to ``md.status.<exchange>``, as they do live. No ``started`` row is
    written, so that the rows are those of standard output, byte for byte.

    Args:
        settings: where Kafka is.
        topology: the desired topics.
        adapter: knows the exchange's spelling of the symbols, for the catalogue.

    Raises:
        BrokerError: Kafka cannot be reached or refuses.
    """

    def __init__(self, settings: KafkaSettings, topology: Topology, adapter: Adapter) -> None:
        self._settings = settings
        self._topology = topology
        self._adapter = adapter
        self._exchange = adapter.spec.exchange
        reach(settings)
        self._provisioner = Provisioner(settings)
        self._provisioner.ensure([*topology.bus(), *topology.exchange(self._exchange)])
        self._waiting: list[Event] = []
        # (channel, symbol) of the streams that can take rows
        self._open: set[tuple[str, str]] = set()

    def begin(self, epoch: int) -> None:
        """Number the rows under an epoch."""
        self._numbering = Numbering(epoch, self._topology.topics)
        config = producer_config(self._settings)
        self._publisher = Publisher(config, self._numbering, self._exchange)

    def put(self, event: Event) -> None:
        """Take the next event; it is published with the others of its piece of input."""
        self._waiting.append(event)

    def flush(self) -> None:
        """Make the topics of new streams, then publish what waits.

        Raises:
            BrokerError: a topic could not be made.
            DeliveryError: a row could not be delivered.
        """
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        wanted = dict.fromkeys((channel_of(event), event.symbol) for event in waiting)
        new = [stream for stream in wanted if stream not in self._open]
        if new:
            self._open_streams(new)
        self._publisher.publish_all(waiting)
        self._publisher.poll()

    def finish(self) -> None:
        """Return when every row is delivered.

        Raises:
            DeliveryError: one was not.
        """
        self.flush()
        if self._open:
            self._publisher.flush(_DELIVERY)

    def summary(self) -> str:
        """Return how many rows were delivered, and to how many topics."""
        if not self._open:
            return "no rows"
        topics = {stream.topic for stream in self._numbering.streams() if stream.seq}
        return f"{self._publisher.rows:,} rows on {len(topics):,} topics, all delivered"

    def _open_streams(self, new: list[tuple[str, str]]) -> None:
        named = [(channel, self._exchange, symbol) for channel, symbol in new]
        self._provisioner.ensure(self._topology.streams(named))
        venue = {symbol: self._adapter.symbols.to_venue(symbol) for _, symbol in new}
        entries = entries_of(self._topology.topics, named, venue)
        publish_catalog(self._settings, self._topology.topics, entries)
        for channel, symbol in new:
            self._numbering.open(channel, self._exchange, symbol)
            # open already, it gets no `started` row either
            self._numbering.open("status", self._exchange, symbol)
            self._open.add((channel, symbol))
