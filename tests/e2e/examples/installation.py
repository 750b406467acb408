"""What the examples read: one symbol's topics, written by the service and by some who give up."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from uuid import uuid4

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition

from collector_core.codec import encode
from collector_core.events import Clock, Event, Indicator, Status, Trade
from collector_core.topics import key_of
from collector_indicators.plan import channel_of
from collector_indicators.plan_file import read_plan
from collector_runtime.kafka.connection import producer_config, reader_config
from tests.e2e.indicator.bus import Bus, count, eventually, offline

__all__ = ["EXCHANGE", "SYMBOL", "Installation", "seen_uncommitted"]

EXCHANGE, SYMBOL = _STREAM = "binance", "BTC/USDT"
_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
START = 1_700_000_040_000_000
"""2023-11-14T22:14:00Z in microseconds."""
_PLAN = """\
calculations:
  - symbols: ["*:*"]
    input: bar
    intervals: [1m]
    indicators: [sma:2, "macd:2:3:2", vwap]
    live: 30
"""


class Installation:
    """Topics of one symbol, and the input that is in them.

    Args:
        bootstrap_servers: where the broker is.
        folder: for the service's plan.
    """

    def __init__(self, bootstrap_servers: str, folder: Path) -> None:
        plan = folder / "plan.yaml"
        plan.write_text(_PLAN)
        self._calculations = {
            channel_of(entry.settings): entry.settings
            for entry in read_plan(_PLAN, plan.name).entries
        }
        self.bus = Bus(
            bootstrap_servers, f"t-{uuid4().hex[:12]}", options={"COLLECTOR_PLAN": str(plan)}
        )
        self.environment = {
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
            "TOPIC_PREFIX": self.bus.topics.prefix,
        }

    def topic(self, channel: str) -> str:
        """Return the name of the symbol's topic."""
        return self.bus.topics.address(channel, *_STREAM).topic

    def write(self) -> None:
        """Let the service calculate, with aborted rows before, between and behind its own."""
        for channel in ("trade", "indicator"):
            self.bus.open(channel, EXCHANGE, [SYMBOL])
        first, second = _trades()
        self.abort(START - _MINUTE)
        with self.bus.process():
            self._calculated(first)
            self.abort(START)
            self._calculated(second)
        self.abort(START + 10 * _MINUTE)

    def _calculated(self, rows: Iterable[Event]) -> None:
        self.bus.write(("trade", row) for row in rows)
        wanted = count(offline(self.bus, EXCHANGE, [SYMBOL], self._calculations))
        eventually(
            lambda: self.bus.published(EXCHANGE, [SYMBOL]) == wanted, 60, f"{wanted} rows published"
        )

    def abort(self, open_time: int) -> None:
        """Write rows that would be shown, and abort their transaction."""
        config = producer_config(self.bus.settings) | {"transactional.id": f"t-{uuid4().hex[:12]}"}
        producer = Producer(config)
        producer.init_transactions(30)
        producer.begin_transaction()
        place = self.bus.topics.address("indicator", *_STREAM)
        for row in _given_up(open_time):
            producer.produce(place.topic, encode(row), key_of(row).encode(), place.partition)
        # they are in the log, where a reader of uncommitted rows sees them
        assert producer.flush(30) == 0
        producer.abort_transaction(30)


def seen_uncommitted(installation: Installation) -> int:
    """Return how many aborted rows a reader sees that does not ask for committed ones."""
    place = installation.bus.topics.address("indicator", *_STREAM)
    consumer = Consumer(reader_config(installation.bus.settings, committed=False))
    try:
        consumer.assign([TopicPartition(place.topic, place.partition, OFFSET_BEGINNING)])
        aborted = 0
        while True:
            for message in consumer.consume(100, 1):
                error = message.error()
                if error is not None and error.code() == KafkaError._PARTITION_EOF:
                    return aborted
                assert error is None or error.retriable(), error.str()
                aborted += b'"aborted"' in (message.value() or b"")
    finally:
        consumer.close()


def _given_up(open_time: int) -> list[Event]:
    return [
        Indicator(
            *(*_STREAM, open_time, open_time, 1, number, "aborted", "2", "bar:time", "1m"),
            open_time,
            {"aborted": -1.0},
            bars_seen=9,
            warm=True,
            closed=True,
            revision=9,
        )
        for number in range(3)
    ]


def _trades() -> tuple[list[Event], list[Event]]:
    """Return trades with a gap, and one that comes late; in two parts."""
    numbers = iter(range(1, 100))

    def trade(second: int, price: str, amount: str, side: str | None) -> Trade:
        time, number = START + second * _SECOND, next(numbers)
        return Trade(
            *(*_STREAM, time, time, START, number, str(number), price, amount),
            side,  # type: ignore[arg-type]  # the literals below
        )

    first: list[Event] = [
        trade(5, "100.50", "1", "buy"),
        trade(30, "101.00000000", "0.10", "sell"),
        Status(
            *(*_STREAM, None, START + 61 * _SECOND, START, next(numbers), "gap", "trade"),
            "trades are missing",
            from_="3",
            to="3",
            count=1,
            unit="id",
        ),
        trade(61, "103", "2.5", None),
        trade(121, "104.0", "1", "buy"),
    ]
    second: list[Event] = [
        trade(115, "0.000000000000000001", "1", "sell"),
        trade(155, "105", "1", "buy"),
        trade(181, "107", "1", "buy"),
        Clock(*_STREAM, None, START + 200 * _SECOND, START, next(numbers), START + 200 * _SECOND),
        trade(241, "1", "12345678901234567890.123456789", "sell"),
    ]
    return first, second
