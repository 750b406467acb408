"""The desired state of every topic, as data: partitions, cleanup, retention (design section 4).

The provisioner makes it so, and the Strimzi ``KafkaTopic`` objects are rendered from the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import msgspec

from collector_core.errors import SettingsError
from collector_core.topics import CATALOG, CONTROL, PER_EXCHANGE, Topics

__all__ = ["LEASE", "RETENTION", "STATE", "Cleanup", "Topic", "Topology"]

Cleanup: TypeAlias = Literal["delete", "compact", "compact,delete"]

_HOUR: Final = 3_600_000
_DAY: Final = 24 * _HOUR

RETENTION: Final[Mapping[str, int]] = MappingProxyType(
    {
        "trade": 3 * _DAY,
        "book": 6 * _HOUR,
        "ticker": _DAY,
        "depth": _DAY,
        "instrument": _DAY,
        "candle": 30 * _DAY,
        "bar": 30 * _DAY,
        "indicator": 30 * _DAY,
        "status": 14 * _DAY,
        "dead-letter": 14 * _DAY,
    }
)
"""Milliseconds for which a channel's rows are kept."""

STATE: Final = "indicator-state"
"""Channel of the indicator service's own state; one topic, a partition a shard."""
LEASE: Final = "lease"
"""Channel of the topics by which an exchange's ingestors share its symbols; they hold no rows."""

_CLEANUP: Final[Mapping[str, Cleanup]] = MappingProxyType(
    {
        "trade": "delete",
        "book": "delete",
        "ticker": "compact,delete",
        "depth": "compact,delete",
        "instrument": "compact,delete",
        "candle": "compact,delete",
        "bar": "compact,delete",
        "indicator": "compact,delete",
        "status": "delete",
        "dead-letter": "delete",
        CATALOG: "compact",
        CONTROL: "compact",
        STATE: "compact",
    }
)
_SMALL_SEGMENT: Final = 16 * 1024 * 1024


class Topic(msgspec.Struct, frozen=True, order=True):
    """One topic as it should be; ``config`` has only what differs from Kafka's defaults."""

    name: str
    partitions: int
    config: dict[str, str]
    replicas: int = -1
    """Copies of each partition; -1 takes the cluster's default."""


class Topology:
    """The topics of one installation.

    Args:
        topics: prefix, layout and partitions.
        retention: milliseconds by channel, in place of ``RETENTION``'s.
        replicas: copies of each partition; -1 takes the cluster's default.

    Raises:
        SettingsError: a retention for something that has none, or below a second.
    """

    def __init__(
        self,
        topics: Topics,
        retention: Mapping[str, int] = MappingProxyType({}),
        replicas: int = -1,
    ) -> None:
        for channel, milliseconds in retention.items():
            if channel not in RETENTION:
                raise SettingsError(
                    f"expected a retention for one of {', '.join(RETENTION)}, was {channel!r}"
                )
            if milliseconds < 1_000:
                raise SettingsError(
                    f"expected a retention of {channel} of at least 1000 ms, was {milliseconds}"
                )
        self.topics = topics
        self._retention = {**RETENTION, **retention}
        self._replicas = replicas

    def bus(self) -> list[Topic]:
        """Return the topics that every installation has: the catalogue and the control topic."""
        return [
            self._topic(self.topics.catalog, CATALOG, 1),
            self._topic(self.topics.control, CONTROL, 1),
        ]

    def exchange(self, exchange: str) -> list[Topic]:
        """Return the topics that an exchange has whatever its symbols."""
        return [
            self._topic(f"{self.topics.prefix}.{channel}.{exchange}", channel, 1)
            for channel in sorted(PER_EXCHANGE)
        ]

    def streams(self, streams: Iterable[tuple[str, str, str]]) -> list[Topic]:
        """Return the topics of (channel, exchange, symbol), each once, in order of their names.

        Raises:
            SettingsError: a channel that has no topics.
            SymbolError: a symbol is not ours.
        """
        found = {}
        for channel, exchange, symbol in streams:
            if channel not in RETENTION:
                raise SettingsError(
                    f"expected one of the channels {', '.join(RETENTION)}, was {channel!r}"
                )
            address = self.topics.address(channel, exchange, symbol)
            found[address.topic] = self._topic(address.topic, channel, address.partitions)
        return [found[name] for name in sorted(found)]

    def state(self, shards: int) -> Topic:
        """Return the indicator service's state topic; its partitions are the shards' leases."""
        return self._topic(f"{self.topics.prefix}.{STATE}", STATE, shards)

    def lease(self, exchange: str, shards: int) -> Topic:
        """Return the topic whose partitions are the shards of an exchange's symbols."""
        name = f"{self.topics.prefix}.{LEASE}.{exchange}"
        return Topic(name, shards, {"cleanup.policy": "delete"}, self._replicas)

    def _topic(self, name: str, channel: str, partitions: int) -> Topic:
        cleanup = _CLEANUP[channel]
        config: dict[str, str] = {"cleanup.policy": cleanup}
        if cleanup == "compact":
            # read whole at each start: it must stay short, and only closed segments are compacted
            config["segment.bytes"] = str(_SMALL_SEGMENT)
            config["segment.ms"] = str(_HOUR)
            config["min.cleanable.dirty.ratio"] = "0.1"
        else:
            retention = self._retention[channel]
            config["retention.ms"] = str(retention)
            # Kafka removes closed segments only, and closes one after 7 days by default
            config["segment.ms"] = str(max(min(retention // 4, _DAY), 1_000))
        return Topic(name, partitions, config, self._replicas)
