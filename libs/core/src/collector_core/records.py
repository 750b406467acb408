"""Rows of the topics that steer and describe the bus; they are no events of a stream."""

from __future__ import annotations

import msgspec

__all__ = ["CatalogEntry", "Control", "DeadLetter"]


class CatalogEntry(msgspec.Struct, frozen=True, tag_field="type", tag="catalog"):
    """A row of ``md.catalog`` (key: the topic, ``|`` and the symbol): where a symbol's rows are."""

    topic: str
    channel: str
    exchange: str
    symbol: str
    venue_symbol: str | None
    partition: int
    partitions: int
    schema: str
    """Name of the JSON Schema of the topic's main event type."""


class Control(msgspec.Struct, frozen=True, tag_field="type", tag="control"):
    """A row of ``md.control`` (key ``exchange|symbol``): what is wanted of a symbol.

    A tombstone (null value) gives the symbol back to the settings; empty ``channels`` stop it.
    """

    exchange: str
    symbol: str
    """``BASE/QUOTE``, or a pattern of symbols such as ``*/USDT`` (``collector_core.patterns``)."""
    channels: tuple[str, ...]
    intervals: tuple[str, ...] = ()
    """Of the candles; without any those of the ingestor's settings."""


class DeadLetter(msgspec.Struct, frozen=True, tag_field="type", tag="dead_letter"):
    """A row of ``md.dead-letter.<exchange>``: a frame that could not be read."""

    exchange: str
    connection: str
    receive_time: int | None
    error: str
    frame: bytes
    """The raw bytes, as base64 on the wire."""
