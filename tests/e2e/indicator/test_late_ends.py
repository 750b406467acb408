"""Ends of transactions that come late or twice change no byte."""

from __future__ import annotations

from random import Random

import pytest

from collector_core.errors import BrokerError
from collector_runtime.kafka.connection import KafkaSettings
from collector_runtime.kafka.transactions import OutRow, TransactionalProducer
from collector_testkit.broker import Broker

from .bus import Bus, eventually
from .conftest import MakeBus
from .feed import Feed
from .late_ends import FENCED, LateEnds, Planned, draw
from .proxy import proxy
from .scenario import OPTIONS, SYMBOLS, complete, markets_of, open_all

pytestmark = [pytest.mark.broker, pytest.mark.e2e]

EACH = 6


def test_ends_of_transactions_come_late_or_twice(broker: Broker, make_bus: MakeBus) -> None:
    bus = make_bus(**OPTIONS, COLLECTOR_TICK="0.01")
    open_all(bus, SYMBOLS)
    ends = LateEnds(draw(EACH, Random(26)))
    feed = Feed([bus], markets_of(SYMBOLS))
    with (
        proxy(broker.bootstrap_servers, ends.serve) as address,
        bus.process(KAFKA_BOOTSTRAP_SERVERS=address) as process,
    ):
        feed.start()
        try:
            eventually(lambda: ends.done.total() == 3 * EACH, 60, "all faults")
        finally:
            feed.finish()
        complete(bus, SYMBOLS, 60)
        process.end()
    assert ends.done == {"delayed": EACH, "doubled": EACH, "severed": EACH}
    # none of them found a transaction that it could end by mistake
    assert {error for fault, error in ends.answers if fault == "severed"} <= FENCED


def test_an_end_that_the_client_would_send_again_ends_the_producer(
    broker: Broker, make_bus: MakeBus
) -> None:
    bus: Bus = make_bus()
    bus.open("trade", "binance", SYMBOLS[:1])
    topic, partition, _ = bus.topics.address("trade", "binance", SYMBOLS[0])
    name = f"{bus.topics.prefix}.tests"

    def row(value: bytes) -> list[OutRow]:
        return [OutRow(topic, partition, b"key", value)]

    ends = LateEnds([Planned("severed", 0, 0)])
    with proxy(broker.bootstrap_servers, ends.serve) as address:
        settings = KafkaSettings(address, "tests")
        producer = TransactionalProducer.open(settings, name)
        # the client would succeed at its second try
        with pytest.raises(BrokerError, match="to commit, was"):
            producer.write(row(b"1"))
        assert producer.closed
        heir = TransactionalProducer.open(settings, name)
        eventually(lambda: ends.done, 10, "the late end")
        heir.write(row(b"2"))
        heir.close()
    [(answer, _)] = ends.answers.items()
    assert answer in {("severed", code) for code in FENCED}
    assert [(b"key", b"2")] in bus.read([("trade", "binance", SYMBOLS[0])]).values()
