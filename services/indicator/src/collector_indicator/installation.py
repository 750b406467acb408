"""What all parts of a process share: settings resolved, names, and the catalogue's outputs."""

from __future__ import annotations

from collections.abc import Iterable

from collector_core.errors import SettingsError
from collector_core.records import CatalogEntry
from collector_indicator.settings import IndicatorSettings
from collector_indicator.sources import Source, Sources, Stream, outputs_of
from collector_runtime.kafka.catalog import entries_of, publish_catalog
from collector_runtime.kafka.connection import reach
from collector_runtime.kafka.provisioner import Provisioner
from collector_runtime.kafka.topology import Topology

__all__ = ["Installation"]


class Installation:
    """Names and settings of one installation, and what it must have before rows are written.

    Args:
        settings: what the operator wants.

    Raises:
        SettingsError: the address of Kafka or a retention is wrong.
    """

    def __init__(self, settings: IndicatorSettings) -> None:
        self.settings = settings
        self.kafka = settings.kafka("collector-indicator")
        self.topics = settings.topics()
        self.topology = Topology(self.topics, settings.topic_retention, settings.topic_replicas)
        self.plan = settings.calculations()
        self.state_topic = self.topology.state(settings.shards).name
        self.group = f"{self.topics.prefix}.indicator"

    def transactional_id(self, shard: int) -> str:
        """Return the producer's name of a shard."""
        return f"{self.group}.{shard}"

    def sources(self) -> Sources:
        """Return an empty collection of what is to be read."""
        return Sources(self.topics, self.plan)

    def provision(self) -> None:
        """Make the catalogue and the state topic. Blocks.

        Raises:
            BrokerError: Kafka is unreachable, or refuses.
            SettingsError: the state topic has another number of shards.
        """
        reach(self.kafka)
        shards = self.settings.shards
        state = self.topology.state(shards)
        provisioner = Provisioner(self.kafka)
        plan = provisioner.plan([*self.topology.bus(), state])
        for drift in plan.drift:
            if drift.topic == state.name:
                raise SettingsError(
                    f"expected COLLECTOR_SHARDS to be the partitions of {state.name}, "
                    f"{drift.actual}, was {shards}"
                )
        provisioner.apply(plan)

    def entries(self, sources: Iterable[Source]) -> list[CatalogEntry]:
        """Return the catalogue entries of what is published from sources."""
        streams: dict[Stream, None] = {}
        for source in sources:
            streams |= dict.fromkeys(outputs_of(source))
        return entries_of(self.topics, streams)

    def announce(self, entries: Iterable[CatalogEntry]) -> frozenset[str]:
        """Make the topics of entries, then write the entries; return the topics made. Blocks.

        Raises:
            BrokerError: Kafka refuses, or does not answer.
        """
        wanted = list(entries)
        streams = [(entry.channel, entry.exchange, entry.symbol) for entry in wanted]
        applied = Provisioner(self.kafka).ensure(self.topology.streams(streams))
        publish_catalog(self.kafka, self.topics, wanted)
        return frozenset(applied.created)
