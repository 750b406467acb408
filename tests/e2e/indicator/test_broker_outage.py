"""The broker is away for a while, or for good."""

from __future__ import annotations

import pytest

from collector_testkit.broker import Broker

from .bus import eventually
from .conftest import MakeBus
from .feed import Feed
from .scenario import OPTIONS, SYMBOLS, complete, feed, markets_of, open_all

pytestmark = [pytest.mark.broker, pytest.mark.e2e]


def test_a_broker_that_dies_and_comes_back(controlled_broker: Broker, make_bus: MakeBus) -> None:
    # transactions all the time, so that it dies in the middle of some
    bus = make_bus(**OPTIONS, COLLECTOR_TICK="0.01")
    open_all(bus, SYMBOLS)
    markets = markets_of(SYMBOLS)
    growing = Feed([bus], markets)
    with bus.process() as process:
        growing.start()
        try:
            eventually(lambda: bus.published("binance", SYMBOLS), 60, "rows")
            controlled_broker.stop(kill=True)
            controlled_broker.start()
            before = bus.published("binance", SYMBOLS)
            eventually(lambda: bus.published("binance", SYMBOLS) > before, 60, "rows again")
        finally:
            growing.finish()
        complete(bus, SYMBOLS, 60)
        eventually(process.ready, 60, "readiness")
        process.end()


def test_an_end_without_a_broker(controlled_broker: Broker, make_bus: MakeBus) -> None:
    bus = make_bus(**OPTIONS)
    open_all(bus, SYMBOLS)
    markets = markets_of(SYMBOLS)
    with bus.process() as process:
        eventually(process.ready, 60, "readiness")
        feed(bus, markets, 300)
        controlled_broker.pause()
        # within 10 seconds, or it is killed and its status says so
        process.end()
        controlled_broker.resume()
    with bus.process() as heir:
        complete(bus, SYMBOLS, 60)
        heir.end()
