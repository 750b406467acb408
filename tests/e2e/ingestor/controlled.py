"""An ingestor that is steered while it runs: its settings, its control rows, what is on the bus."""

from __future__ import annotations

from typing import Final

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from collector_core.codec import encode
from collector_core.events import Row, Status, Trade
from collector_core.records import Control
from collector_core.topics import Layout, Topics
from collector_testkit.broker import Broker
from collector_testkit.rows import read_events
from collector_testkit.services import Exchange, Service
from collector_testkit.truth import TruthTrade, read_truth

__all__ = ["PATIENCE", "Controlled", "current", "epochs_whole", "states"]

PATIENCE: Final = 60.0
"""Seconds that a test waits for what comes within a few where the machine is idle."""


class Controlled:
    """Ingestors of one simulated exchange, and the rows that they publish.

    Args:
        exchange: the simulated exchange.
        broker: where the topics are.
        prefix: of the topics.
        layout: of the topics.
        settings: of each ingestor, beside those that all have.
    """

    def __init__(
        self,
        exchange: Exchange,
        broker: Broker,
        prefix: str,
        layout: Layout = "symbol",
        **settings: str,
    ) -> None:
        self.exchange = exchange
        self.topics = Topics(prefix, layout, 2)
        self._bootstrap = broker.bootstrap_servers
        self._admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
        self._producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
        self._settings = {
            **exchange.settings(),
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "TOPIC_PREFIX": prefix,
            "TOPIC_LAYOUT": layout,
            "COLLECTOR_TOPIC_PARTITIONS": "2",
            "COLLECTOR_CHANNELS": "trade",
            "COLLECTOR_LISTINGS_EVERY": "1",
            **settings,
        }

    def start(self, **settings: str) -> Service:
        """Start a process."""
        return Service("collector_ingestor", {**self._settings, **settings})

    def say(self, symbol: str, channels: tuple[str, ...] | None) -> None:
        """Write the row of a symbol or pattern; None takes it away."""
        name = self.exchange.name
        row = None if channels is None else encode(Control(name, symbol, channels))
        self._producer.produce(self.topics.control, row, f"{name}|{symbol}".encode())
        assert self._producer.flush(10) == 0

    def rows(self, symbol: str, channel: str = "trade") -> list[Row]:
        """Return what a symbol's stream has so far; nothing if its topic is not there."""
        address = self.topics.address(channel, self.exchange.name, symbol)
        if address.topic not in self._admin.list_topics(timeout=10).topics:
            return []
        rows = read_events(self._bootstrap, address.topic, address.partition)
        return [row for row in rows if row.symbol == symbol]

    def trades(self, symbol: str, epoch: int | None = None) -> int:
        """Return how many trades it has, of one epoch if one is given."""
        rows = self.rows(symbol)
        return sum(isinstance(r, Trade) and epoch in {None, r.epoch} for r in rows)

    def truth(self, symbol: str) -> list[TruthTrade]:
        """Return what was traded, in order."""
        records = read_truth(self.exchange.truth)
        return [r for r in records if isinstance(r, TruthTrade) and r.symbol == symbol]

    def whole(self, symbol: str, rows: list[Row]) -> None:
        """Assert that rows are the market's trades from first to last: each once, in order."""
        order = {trade.id: place for place, trade in enumerate(self.truth(symbol))}
        places = [order[row.id or ""] for row in rows if isinstance(row, Trade)]
        assert places == list(range(places[0], places[-1] + 1)), symbol


def states(rows: list[Row]) -> list[str]:
    """Return the states of the status rows, in order."""
    return [row.state for row in rows if isinstance(row, Status)]


def epochs_whole(rows: list[Row]) -> None:
    """Assert that each publisher counts its rows of a stream from 1, without a hole."""
    by_epoch: dict[int, list[Row]] = {}
    for row in rows:
        by_epoch.setdefault(row.epoch, []).append(row)
    for own in by_epoch.values():
        assert [row.seq for row in own] == list(range(1, len(own) + 1))
        assert isinstance(own[0], Status)
        assert own[0].state == "started"


def current(rows: list[Row]) -> list[Row]:
    """Return the rows of the publisher that the last ``started`` row names, as a reader would.

    What another one adds that has not heard yet that it was replaced is left out.
    """
    found: list[Row] = []
    owner: int | None = None
    for row in rows:
        if isinstance(row, Status) and row.state == "started":
            owner = row.epoch
        if row.epoch == owner:
            found.append(row)
    return found
