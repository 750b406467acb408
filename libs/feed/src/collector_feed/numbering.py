"""Epoch and sequence numbers: by them a reader proves that it missed nothing.

A stream is (publisher, channel, exchange, symbol). Its rows carry the publisher's start time and
a counter without holes. The first row after a restart is ``started`` and names where the rows
before it ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import force_setattr

from collector_core.events import (
    Bar,
    Book,
    Candle,
    Clock,
    Depth,
    Event,
    Indicator,
    Instrument,
    Status,
    Ticker,
    Trade,
    stamp,
)
from collector_core.topics import Address, Topics, stream_key

__all__ = ["Numbering", "Stream", "channel_of", "started"]

_CHANNELS: Final[dict[type[Event], str]] = {
    Trade: "trade",
    Clock: "trade",
    Ticker: "ticker",
    Book: "book",
    Depth: "depth",
    Candle: "candle",
    Bar: "bar",
    Indicator: "indicator",
    Instrument: "instrument",
}


_PLAIN_KEYS: Final = frozenset({"trade", "ticker", "book", "depth", "instrument"})


def channel_of(event: Event) -> str:
    """Return the channel in whose topic an event travels."""
    return event.channel if isinstance(event, Status) else _CHANNELS[type(event)]


class Stream:
    """One stream's counter and where its rows go."""

    __slots__ = ("channel", "exchange", "key", "partition", "partitions", "seq", "symbol", "topic")

    def __init__(self, channel: str, exchange: str, symbol: str, address: Address) -> None:
        self.channel = channel
        self.exchange = exchange
        self.symbol = symbol
        self.topic, self.partition, self.partitions = address
        # key of the rows, where it has no more in it than the stream; else each has its own
        self.key = stream_key(exchange, symbol).encode() if channel in _PLAIN_KEYS else None
        # number of the last row
        self.seq = 0


class Numbering:
    """Stamps the rows of one exchange, in the order in which they are published.

    Args:
        epoch: start time of the publisher, in microseconds.
        topics: names and layout of the topics.
    """

    def __init__(self, epoch: int, topics: Topics) -> None:
        self.epoch = epoch
        self._topics = topics
        # last seq of each stream that was closed
        self._ended: dict[tuple[str, str], int] = {}
        # channel -> symbol -> stream; the types of a channel share its streams
        self._by_channel: dict[str, dict[str, Stream]] = {}
        # type of an event -> symbol -> stream, for the publisher's hot path
        self.routes: dict[type[Event], dict[str, Stream]] = {
            kind: self._by_channel.setdefault(channel, {}) for kind, channel in _CHANNELS.items()
        }

    def stamp(self, event: Event) -> Stream:
        """Stamp an event as the next row of its stream; return the stream.

        Raises:
            KeyError: no such stream is open; a ``Status`` always goes by ``stamp_in``.
        """
        stream = self.routes[type(event)][event.symbol]
        stream.seq = seq = stream.seq + 1
        # what collector_core.events.stamp does, without the call
        force_setattr(event, "epoch", self.epoch)
        force_setattr(event, "seq", seq)
        return stream

    def stamp_in(self, event: Event, stream: Stream) -> None:
        """Stamp an event as the next row of a given stream."""
        stream.seq += 1
        stamp(event, self.epoch, stream.seq)

    def find(self, channel: str, symbol: str) -> Stream | None:
        """Return an open stream."""
        return self._by_channel.get(channel, {}).get(symbol)

    def close(self, channel: str, symbol: str) -> None:
        """Take no more rows of a stream; opened again, it counts on, for its epoch is the same."""
        stream = self._by_channel.get(channel, {}).pop(symbol, None)
        if stream is not None:
            self._ended[channel, symbol] = stream.seq

    def open(self, channel: str, exchange: str, symbol: str) -> Stream:
        """Return a stream, opened if it is new."""
        streams = self._by_channel.setdefault(channel, {})
        stream = streams.get(symbol)
        if stream is None:
            address = self._topics.address(channel, exchange, symbol)
            stream = streams[symbol] = Stream(channel, exchange, symbol, address)
            stream.seq = self._ended.pop((channel, symbol), 0)
        return stream

    def counts(self) -> Iterator[tuple[str, int]]:
        """Return channel and rows so far of every stream, closed ones among them."""
        for stream in self.streams():
            yield stream.channel, stream.seq
        for (channel, _), seq in self._ended.items():
            yield channel, seq

    def streams(self) -> Iterator[Stream]:
        """Return every open stream."""
        for streams in self._by_channel.values():
            yield from streams.values()


def started(stream: Stream, previous: tuple[int, int] | None, receive_time: int | None) -> Status:
    """Return the row that opens a stream, naming epoch and last ``seq`` before it, or null."""
    return Status(
        exchange=stream.exchange,
        symbol=stream.symbol,
        exchange_time=None,
        receive_time=receive_time,
        epoch=0,
        seq=0,
        state="started",
        channel=stream.channel,
        previous_epoch=None if previous is None else previous[0],
        previous_seq=None if previous is None else previous[1],
    )
