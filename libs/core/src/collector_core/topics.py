"""Where a row goes: topic, key and partition, by one rule that any language can follow.

Topic: ``<prefix>.<channel>.<exchange>.<BASE-QUOTE>`` in the layout ``symbol`` (one partition), or
``<prefix>.<channel>.<exchange>`` with N partitions in the layout ``keyed``, the partition being
``(murmur2(exchange|symbol) & 0x7fffffff) % N``, which is what Kafka's own default partitioner
does with that key. Only ``.`` and ``-`` separate: in a symbol every byte of its UTF-8 that is not
``A-Z``, ``a-z`` or ``0-9`` is written ``_XX`` in upper-case hexadecimal (``1INCH.X`` is
``1INCH_2EX``), so each topic reads back as exactly one symbol.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeAlias

from collector_core.errors import SymbolError
from collector_core.events import Bar, Candle, Event, Indicator, Status
from collector_core.symbols import split

__all__ = [
    "CATALOG",
    "CONTROL",
    "PER_EXCHANGE",
    "Address",
    "Layout",
    "TopicName",
    "Topics",
    "escape",
    "key_of",
    "murmur2",
    "stream_key",
    "unescape",
]

Layout: TypeAlias = Literal["symbol", "keyed"]
CATALOG: Final = "catalog"
CONTROL: Final = "control"
PER_EXCHANGE: Final = frozenset({"status", "instrument", "dead-letter"})
"""Channels that have one topic an exchange, with one partition, in both layouts."""

_MAX_TOPIC: Final = 249
_PREFIX: Final = re.compile(r"[A-Za-z0-9-]+").fullmatch
_KEPT: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


def escape(code: str) -> str:
    """Return a currency code as a part of a topic name."""
    return "".join(chr(b) if b in _KEPT else f"_{b:02X}" for b in code.encode())


def unescape(part: str) -> str:
    """Return the currency code of a part that ``escape`` made.

    Raises:
        SymbolError: ``part`` is not something that ``escape`` writes.
    """
    try:
        raw = re.sub(r"_([0-9A-F]{2})", lambda m: chr(int(m[1], 16)), part).encode("latin-1")
        code = raw.decode()
    except UnicodeError:
        code = ""
    if not code or escape(code) != part:
        raise SymbolError(f"expected an escaped currency code, was {part!r}")
    return code


def murmur2(data: bytes) -> int:
    """Return Kafka's 32-bit murmur2 hash (org.apache.kafka.common.utils.Utils), unsigned."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * m & mask
        k = (k ^ (k >> 24)) * m & mask
        h = (h * m & mask) ^ k
    if whole < len(data):
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & mask
    h = (h ^ (h >> 13)) * m & mask
    return h ^ (h >> 15)


def stream_key(exchange: str, symbol: str) -> str:
    """Return ``exchange|symbol``, the key of trades and the text that chooses a partition."""
    return f"{exchange}|{symbol}"


def key_of(event: Event) -> str:
    """Return the key of a row, such that compaction keeps the last row of each thing it names."""
    key = f"{event.exchange}|{event.symbol}"
    match event:
        case Status():
            return f"{key}|status|{event.channel}|{event.seq}"
        case Candle():
            return f"{key}|{event.interval}|{event.open_time}"
        case Bar():
            return f"{key}|{event.bar_kind}|{event.size}|{event.ordinal}"
        case Indicator():
            return (
                f"{key}|{event.input}|{event.interval}|{event.name}|{event.params}"
                f"|{event.open_time}"
            )
        case _:
            return key


class Address(NamedTuple):
    """Topic and partition of a stream."""

    topic: str
    partition: int
    partitions: int


class TopicName(NamedTuple):
    """What a topic's name says; ``symbol`` is None for a topic of several symbols."""

    channel: str
    exchange: str
    symbol: str | None


class Topics:
    """The names of one installation: a prefix, a layout and a number of partitions.

    Args:
        prefix: first part of each name; letters, digits and ``-``.
        layout: ``symbol`` (a topic a symbol) or ``keyed`` (a topic an exchange).
        partitions: partitions of a keyed topic.

    Raises:
        ValueError: the prefix has other characters, or there is no partition.
    """

    def __init__(self, prefix: str = "md", layout: Layout = "symbol", partitions: int = 16) -> None:
        if not _PREFIX(prefix):
            raise ValueError(f"expected a prefix of letters, digits and '-', was {prefix!r}")
        if partitions < 1:
            raise ValueError(f"expected at least one partition, was {partitions}")
        self.prefix = prefix
        self.layout: Layout = layout
        self.partitions = partitions
        self.address = lru_cache(maxsize=None)(self._address)

    @property
    def catalog(self) -> str:
        """Name of the catalogue topic."""
        return f"{self.prefix}.{CATALOG}"

    @property
    def control(self) -> str:
        """Name of the topic by which symbols are added and removed."""
        return f"{self.prefix}.{CONTROL}"

    def _address(self, channel: str, exchange: str, symbol: str) -> Address:
        """Return where the rows of a stream go.

        Raises:
            SymbolError: the symbol is not ours, or the name would be too long for Kafka.
        """
        if channel in PER_EXCHANGE:
            return Address(_short(f"{self.prefix}.{channel}.{exchange}"), 0, 1)
        base, quote = split(symbol)
        if self.layout == "keyed":
            hashed = murmur2(stream_key(exchange, symbol).encode()) & 0x7FFFFFFF
            topic = _short(f"{self.prefix}.{channel}.{exchange}")
            return Address(topic, hashed % self.partitions, self.partitions)
        topic = f"{self.prefix}.{channel}.{exchange}.{escape(base)}-{escape(quote)}"
        return Address(_short(topic), 0, 1)

    def parse(self, topic: str) -> TopicName:
        """Return what a topic's name says.

        Raises:
            SymbolError: the name is not one of this installation's data topics.
        """
        parts = topic.split(".")
        if parts[0] != self.prefix or not 3 <= len(parts) <= 4 or not all(parts):
            raise SymbolError(f"expected a topic {self.prefix}.<channel>.<exchange>, was {topic!r}")
        if len(parts) == 3:
            return TopicName(parts[1], parts[2], None)
        base, dash, quote = parts[3].partition("-")
        if not dash:
            raise SymbolError(f"expected BASE-QUOTE at the end of a topic, was {topic!r}")
        symbol = f"{unescape(base)}/{unescape(quote)}"
        split(symbol)
        return TopicName(parts[1], parts[2], symbol)


def _short(topic: str) -> str:
    if len(topic) > _MAX_TOPIC:
        raise SymbolError(f"expected a topic of at most {_MAX_TOPIC} letters, was {topic!r}")
    return topic
