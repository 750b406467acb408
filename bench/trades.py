"""Trade topics of many symbols, filled before the indicator service is measured."""

from __future__ import annotations

from typing import Final, NamedTuple

from bench.processes import Failed
from bench.topics import Topics as Watched
from confluent_kafka import Producer

from collector_core.codec import encode
from collector_core.events import Clock, Trade
from collector_core.topics import Layout, Topics, stream_key
from collector_runtime.kafka.catalog import entries_of, publish_catalog
from collector_runtime.kafka.connection import KafkaSettings, producer_config
from collector_runtime.kafka.provisioner import Provisioner
from collector_runtime.kafka.topology import Topology

__all__ = [
    "EXCHANGE",
    "PARTITIONS",
    "START",
    "Load",
    "Place",
    "clock",
    "fill",
    "places",
    "prepare",
    "put",
    "trade",
]

EXCHANGE: Final = "bench"
PARTITIONS: Final = 16
"""Of a keyed topic."""
START: Final = 1_795_305_600_000_000
"""Time of the first trade: a whole day, so that runs have the same bars."""
_PAST: Final = 310_000_000
"""Microseconds after the last trade of the clock row that closes every bar, of five minutes too."""

Place = tuple[str, int, bytes]
"""Topic, partition and key."""


class Load(NamedTuple):
    """What is on the bus before the service starts."""

    symbols: int
    trades: int
    """Trades of each symbol."""
    pace: float
    """Trades of each symbol in a second of the exchange's time."""
    layout: Layout = "symbol"

    def names(self) -> list[str]:
        """Return the symbols."""
        return [f"C{number}/USDT" for number in range(self.symbols)]

    def topics(self, prefix: str) -> Topics:
        """Return the names of the topics."""
        return Topics(prefix, self.layout, PARTITIONS)

    def time(self, number: int) -> int:
        """Return the time of the trade of a number, from 0."""
        return START + round(number * 1_000_000 / self.pace)


def places(prefix: str, load: Load) -> list[Place]:
    """Return where the trades of each symbol go."""
    found = []
    for symbol in load.names():
        address = load.topics(prefix).address("trade", EXCHANGE, symbol)
        found.append((address.topic, address.partition, stream_key(EXCHANGE, symbol).encode()))
    return found


def prepare(bootstrap: str, prefix: str, load: Load, *, reports: bool) -> Producer:
    """Make the topics and the catalogue; return a producer, with reports of delivery or without."""
    kafka, topics = KafkaSettings(bootstrap, "collector-bench"), load.topics(prefix)
    topology = Topology(topics)
    streams = [("trade", EXCHANGE, symbol) for symbol in load.names()]
    Provisioner(kafka).ensure([*topology.bus(), *topology.streams(streams)])
    inputs = sorted({topic for topic, _, _ in places(prefix, load)})
    Watched(bootstrap, [topics.catalog]).await_leaders()
    Watched(bootstrap, inputs, PARTITIONS if load.layout == "keyed" else 1).await_leaders()
    publish_catalog(kafka, topics, entries_of(topics, streams))
    return Producer(
        producer_config(kafka)
        | {
            "delivery.report.only.error": not reports,
            "queue.buffering.max.messages": 200_000,
            "log_level": 3,
        }
    )


def fill(bootstrap: str, prefix: str, load: Load) -> int:
    """Make the topics and the catalogue, and write the trades, round robin over the symbols.

    Return the time of the clock row that follows, a whole second.

    Raises:
        Failed: not every row was delivered.
    """
    producer = prepare(bootstrap, prefix, load, reports=False)
    wheres, names = places(prefix, load), load.names()
    for number in range(load.trades):
        time = load.time(number)
        for index, symbol in enumerate(names):
            put(producer, wheres[index], encode(trade(symbol, number, index, time)))
    end = load.time(load.trades) + _PAST
    end -= end % 1_000_000
    for index, symbol in enumerate(names):
        put(producer, wheres[index], encode(clock(symbol, load.trades, end)))
    left = producer.flush(60)
    if left:
        raise Failed(f"expected all trades delivered, was {left} left")
    return end


def clock(symbol: str, number: int, time: int) -> Clock:
    """Return the clock row that follows ``number`` rows of a symbol."""
    return Clock(EXCHANGE, symbol, time, time, START, number + 1, time)


def trade(symbol: str, number: int, index: int, time: int) -> Trade:
    """Return a trade, the number of which is from 0; ``index`` varies the prices of symbols."""
    step = (number * 7919 + index * 104_729) % 997
    return Trade(
        EXCHANGE,
        symbol,
        time,
        time + 1_500,
        START,
        number + 1,
        str(number + 1),
        f"{600 + step // 100}.{step % 100:02d}000000",
        f"0.{number * 31 % 99_999_999 + 1:08d}",
        "buy" if number & 1 else "sell",
    )


def put(producer: Producer, place: Place, row: bytes) -> None:
    """Hand a row over, waiting for room."""
    topic, partition, key = place
    while True:
        try:
            producer.produce(topic, row, key, partition)
        except BufferError:
            producer.poll(0.05)
        else:
            return
