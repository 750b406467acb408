"""Which rows are wanted, and in which topics they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self, TypeAlias, get_args

from collector_core.errors import SettingsError
from collector_core.events import Channel
from collector_core.records import CatalogEntry
from collector_core.symbols import split
from collector_core.topics import PER_EXCHANGE, Topics

__all__ = ["Names", "Selection", "Stream", "stream_of"]

Names: TypeAlias = str | Sequence[str] | None
"""One name, several, or None for all that there are."""

_CHANNELS: Final[frozenset[str]] = frozenset(get_args(Channel))


class Stream(NamedTuple):
    """A channel of one symbol, and the partition that holds its rows."""

    channel: str
    exchange: str
    symbol: str | None
    """None for a topic that has all symbols of an exchange (status, instrument)."""
    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Selection:
    """What a subscription is for; None stands for all.

    Make one with ``of``, which checks.
    """

    channels: frozenset[str]
    exchanges: frozenset[str] | None
    symbols: frozenset[str] | None

    def __str__(self) -> str:
        parts = (self.channels, self.exchanges, self.symbols)
        return " of ".join("/".join(sorted(part)) for part in reversed(parts) if part)

    @classmethod
    def of(cls, channel: str | Sequence[str], exchange: Names, symbol: Names) -> Self:
        """Return a selection.

        Raises:
            SettingsError: a channel that there is none of, or nothing is selected.
            SymbolError: a symbol that is not ``BASE/QUOTE``.
        """
        channels = _names(channel, "channel") or frozenset()
        unknown = sorted(channels - _CHANNELS)
        if unknown:
            known = ", ".join(sorted(_CHANNELS))
            raise SettingsError(f"expected a channel of {known}, was {unknown[0]!r}")
        symbols = _names(symbol, "symbol")
        for name in symbols or ():
            split(name)
        return cls(channels, _names(exchange, "exchange"), symbols)

    def wants(self, entry: CatalogEntry) -> bool:
        """Tell whether an entry of the catalogue is for rows that are wanted."""
        return (
            entry.channel in self.channels
            and (self.exchanges is None or entry.exchange in self.exchanges)
            and (self.symbols is None or entry.symbol in self.symbols)
        )

    def wants_key(self, key: bytes | None) -> bool:
        """Tell whether a row's key, ``exchange|symbol…``, names a symbol that is wanted."""
        if self.symbols is None:
            return True
        parts = (key or b"").split(b"|", 2)
        return len(parts) > 1 and parts[1].decode() in self.symbols

    def streams(
        self, entries: Iterable[CatalogEntry], topics: Mapping[str, int], prefix: str
    ) -> set[Stream]:
        """Return where the wanted rows are: as the catalogue says, else by the naming rule.

        Args:
            entries: the catalogue.
            topics: every topic of the cluster, with its number of partitions.
            prefix: of this installation.
        """
        listed = list(entries)
        found = {stream_of(entry) for entry in listed if self.wants(entry)}
        found = {stream for stream in found if stream.partition < topics.get(stream.topic, 0)}
        exchanges = self.exchanges
        if exchanges is None:
            exchanges = frozenset(entry.exchange for entry in listed)
        names = Topics(prefix)
        for exchange in exchanges:
            for channel in self.channels:
                if channel in PER_EXCHANGE:
                    topic = f"{prefix}.{channel}.{exchange}"
                    if topic in topics:
                        found.add(Stream(channel, exchange, None, topic, 0))
                    continue
                for symbol in self.symbols or ():
                    found |= _by_name(names, channel, exchange, symbol, topics)
        return found

    def missing(self, streams: Iterable[Stream]) -> str | None:
        """Return the first thing that was named and of which there is no stream, or None."""
        held = list(streams)
        if not held:
            return str(self)
        for channel in sorted(self.channels - {stream.channel for stream in held}):
            return f"channel {channel}"
        for exchange in sorted((self.exchanges or frozenset()) - {s.exchange for s in held}):
            return f"exchange {exchange}"
        # a topic of a whole exchange may have rows of any symbol
        if self.symbols and all(stream.symbol is not None for stream in held):
            for symbol in sorted(self.symbols - {stream.symbol for stream in held}):
                return f"symbol {symbol}"
        return None


def stream_of(entry: CatalogEntry) -> Stream:
    """Return the stream of an entry of the catalogue."""
    symbol = None if entry.channel in PER_EXCHANGE else entry.symbol
    return Stream(entry.channel, entry.exchange, symbol, entry.topic, entry.partition)


def _by_name(
    names: Topics, channel: str, exchange: str, symbol: str, topics: Mapping[str, int]
) -> set[Stream]:
    topic = names.address(channel, exchange, symbol).topic
    if topic in topics:
        return {Stream(channel, exchange, symbol, topic, 0)}
    keyed = f"{names.prefix}.{channel}.{exchange}"
    if keyed in topics:
        rule = Topics(names.prefix, "keyed", topics[keyed])
        place = rule.address(channel, exchange, symbol).partition
        return {Stream(channel, exchange, symbol, keyed, place)}
    return set()


def _names(given: Names, what: str) -> frozenset[str] | None:
    if given is None:
        return None
    names = frozenset([given]) if isinstance(given, str) else frozenset(given)
    if not names or "" in names:
        raise SettingsError(f"expected at least one {what}, was {given!r}")
    return names
