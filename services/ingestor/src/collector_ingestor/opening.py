"""Opens streams: their topics, where they left off, their catalogue rows, ``started``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from collector_core.events import Instrument
from collector_core.topics import Topics
from collector_feed.numbering import Numbering, started
from collector_feed.recent_trades import TradeSeed
from collector_ingestor.seeds import Previous, previous_rows
from collector_runtime.kafka.catalog import entries_of, publish_catalog
from collector_runtime.kafka.connection import KafkaSettings
from collector_runtime.kafka.provisioner import Provisioner
from collector_runtime.kafka.publisher import Publisher
from collector_runtime.kafka.topology import Topology

__all__ = ["OWN", "Opening"]

OWN = ("status", "instrument")
"""Channels that each symbol has beside those that are wanted."""


class Opening:
    """Opens the streams of one exchange.

    Args:
        kafka: where Kafka is.
        topology: the topics as they should be.
        exchange: whose streams.
        numbering: where they are counted.
        shared: other processes publish some of the exchange's symbols.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        topology: Topology,
        exchange: str,
        numbering: Numbering,
        *,
        shared: bool,
    ) -> None:
        self._kafka = kafka
        self._topology = topology
        self._topics: Topics = topology.topics
        self._exchange = exchange
        self._numbering = numbering
        self._shared = shared
        # what is on the bus already, for the sessions: trades by symbol, candles by interval too
        self.seeds: dict[str, TradeSeed] = {}
        self.candle_seeds: dict[tuple[str, str], int] = {}
        # streams that this process had and gave to another one
        self._given: set[tuple[str, str]] = set()

    def given(self, streams: Iterable[tuple[str, str]]) -> None:
        """Note that other processes publish these from now on, until they are opened again."""
        self._given.update(streams)

    def prepare(
        self, streams: Sequence[tuple[str, str]], instruments: Mapping[str, Instrument]
    ) -> dict[tuple[str, str], Previous]:
        """Make topics and catalogue rows; return where streams left off. Blocks.

        Raises:
            BrokerError: Kafka does not do it.
        """
        named = [(channel, self._exchange, symbol) for channel, symbol in _with_own(streams)]
        Provisioner(self._kafka).ensure(self._topology.streams(named))
        venue_symbols = {
            symbol: instruments[symbol].venue_symbol
            for _, symbol in streams
            if symbol in instruments
        }
        publish_catalog(self._kafka, self._topics, entries_of(self._topics, named, venue_symbols))
        return previous_rows(
            self._kafka,
            self._topics,
            self._exchange,
            _with_own(streams),
            crowded=self._shared,
        )

    def open(
        self,
        publisher: Publisher,
        streams: Sequence[tuple[str, str]],
        previous: Mapping[tuple[str, str], Previous],
        instruments: Mapping[str, Instrument],
        now: int,
    ) -> None:
        """Open those that are not open yet, each with a ``started`` row.

        One that was given away and is taken back gets such a row too, amid its epoch.
        """
        for channel, symbol in _with_own(streams):
            if self._numbering.find(channel, symbol) is not None:
                continue
            before = previous.get((channel, symbol))
            last = None
            if before is not None:
                last = before.epoch, before.seq
                if before.trades is not None:
                    self.seeds[symbol] = before.trades
                for interval, end in before.candles.items():
                    self.candle_seeds[symbol, interval] = end
            rows = publisher.rows
            stream = publisher.open(channel, symbol, last, now)
            if publisher.rows == rows and (channel, symbol) in self._given:
                publisher.publish(started(stream, last, now))
            self._given.discard((channel, symbol))
            if channel == "instrument":
                publisher.publish(instruments[symbol])


def _with_own(streams: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    # a symbol's own streams come first: status rows go there as well
    symbols = dict.fromkeys(symbol for _, symbol in streams)
    return [*((channel, symbol) for symbol in symbols for channel in OWN), *streams]
