"""The input partitions that the catalogue tells of, and the shard that each belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from collector_core.errors import SymbolError
from collector_core.records import CatalogEntry
from collector_core.topics import Topics, murmur2, stream_key
from collector_indicators.plan import Plan

__all__ = ["Place", "Source", "Sources", "Stream", "outputs_of", "shard_of"]

Place = tuple[str, int]
"""Topic and partition."""
Stream = tuple[str, str, str]
"""Channel, exchange and symbol."""

_OUTPUTS: Final[Mapping[str, Sequence[str]]] = {
    "trade": ("bar", "indicator"),
    "candle": ("indicator",),
    "book": ("indicator",),
}


class Source(NamedTuple):
    """A partition to read."""

    channel: str
    exchange: str
    topic: str
    partition: int
    symbols: frozenset[str]
    """Those that the catalogue names; a keyed topic's rows may name others before it does."""
    keyed: bool
    """Whether the topic is one of several symbols."""

    @property
    def place(self) -> Place:
        """Topic and partition."""
        return self.topic, self.partition


def shard_of(source: Source, shards: int) -> int:
    """Return the shard of a partition's rows (docs/adr/0041).

    A symbol's is Kafka's own hash of its key modulo the number of shards. A keyed topic's
    partition is read by one process, so there the partition decides; both give the same number
    whenever the shards divide the partitions.
    """
    if source.keyed:
        return source.partition % shards
    [symbol] = source.symbols
    return (murmur2(stream_key(source.exchange, symbol).encode()) & 0x7FFFFFFF) % shards


def outputs_of(source: Source) -> list[Stream]:
    """Return the streams that are published from a source, as far as it names symbols."""
    return [
        (channel, source.exchange, symbol)
        for channel in _OUTPUTS[source.channel]
        for symbol in sorted(source.symbols)
    ]


class Sources:
    """The sources among the catalogue's entries.

    Args:
        topics: prefix and layout; topics of another layout are left aside, for they would give
            the same rows twice.
        plan: what is computed from which streams.
    """

    def __init__(self, topics: Topics, plan: Plan) -> None:
        self._topics = topics
        self._plan = plan
        self.by_place: dict[Place, Source] = {}

    def add(self, entry: CatalogEntry) -> Source | None:
        """Take an entry; return the source that is new or names one symbol more."""
        exchange, symbol = entry.exchange, entry.symbol
        if self._plan.settings_of(entry.channel, exchange, symbol) is None:
            return None
        try:
            address = self._topics.address(entry.channel, exchange, symbol)
        except SymbolError:
            # nobody's stream: no publisher of ours could have written it
            return None
        if (entry.topic, entry.partition) != (address.topic, address.partition):
            return None
        place = entry.topic, entry.partition
        keyed = self._topics.layout == "keyed"
        known = self.by_place.get(place)
        symbols = frozenset({symbol}) | (known.symbols if known else frozenset())
        source = Source(entry.channel, exchange, entry.topic, entry.partition, symbols, keyed)
        if source == known:
            return None
        self.by_place[place] = source
        return source
