"""Trade topics of many symbols, filled before the indicator service is measured."""

from __future__ import annotations

from typing import Final, NamedTuple

from bench.processes import Failed
from bench.topics import Topics as Watched
from confluent_kafka import Producer

from collector_core.codec import encode
from collector_core.events import Clock, Trade
from collector_core.topics import Topics, stream_key
from collector_runtime.kafka.catalog import entries_of, publish_catalog
from collector_runtime.kafka.connection import KafkaSettings, producer_config
from collector_runtime.kafka.provisioner import Provisioner
from collector_runtime.kafka.topology import Topology

__all__ = ["EXCHANGE", "Load", "fill"]

EXCHANGE: Final = "bench"
_START: Final = 1_795_305_600_000_000
"""Time of the first trade: a whole day, so that runs have the same bars."""
_PAST: Final = 120_000_000
"""Microseconds after the last trade of the clock row that closes every bar."""


class Load(NamedTuple):
    """What is on the bus before the service starts."""

    symbols: int
    trades: int
    """Trades of each symbol."""
    pace: int
    """Trades of each symbol in a second of the exchange's time."""

    def names(self) -> list[str]:
        """Return the symbols."""
        return [f"C{number}/USDT" for number in range(self.symbols)]


def fill(bootstrap: str, prefix: str, load: Load) -> None:
    """Make the topics and the catalogue, and write the trades, round robin over the symbols.

    Raises:
        Failed: not every row was delivered.
    """
    kafka, topics = KafkaSettings(bootstrap, "collector-bench"), Topics(prefix)
    topology = Topology(topics)
    places = [
        (topics.address("trade", EXCHANGE, symbol).topic, stream_key(EXCHANGE, symbol).encode())
        for symbol in load.names()
    ]
    streams = [("trade", EXCHANGE, symbol) for symbol in load.names()]
    Provisioner(kafka).ensure([*topology.bus(), *topology.streams(streams)])
    Watched(bootstrap, [topics.catalog, *(place[0] for place in places)]).await_leaders()
    publish_catalog(kafka, topics, entries_of(topics, streams))
    producer = Producer(
        producer_config(kafka)
        | {
            "delivery.report.only.error": True,
            "queue.buffering.max.messages": 200_000,
            "log_level": 3,
        }
    )
    for number in range(load.trades):
        time = _START + number * 1_000_000 // load.pace
        for index, symbol in enumerate(load.names()):
            _put(producer, places[index], encode(_trade(symbol, number, index, time)))
    end = _START + load.trades * 1_000_000 // load.pace + _PAST
    for index, symbol in enumerate(load.names()):
        clock = Clock(EXCHANGE, symbol, end, end, _START, load.trades + 1, end)
        _put(producer, places[index], encode(clock))
    left = producer.flush(60)
    if left:
        raise Failed(f"expected all trades delivered, was {left} left")


def _trade(symbol: str, number: int, index: int, time: int) -> Trade:
    step = (number * 7919 + index * 104_729) % 997
    return Trade(
        EXCHANGE,
        symbol,
        time,
        time + 1_500,
        _START,
        number + 1,
        str(number + 1),
        f"{600 + step // 100}.{step % 100:02d}000000",
        f"0.{number * 31 % 99_999_999 + 1:08d}",
        "buy" if number & 1 else "sell",
    )


def _put(producer: Producer, place: tuple[str, bytes], row: bytes) -> None:
    while True:
        try:
            producer.produce(place[0], row, place[1], 0)
        except BufferError:
            producer.poll(0.05)
        else:
            return
