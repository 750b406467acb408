"""Processes that die, or hang and come back."""

from __future__ import annotations

import pytest

from .bus import eventually
from .conftest import MakeBus
from .scenario import OPTIONS, SYMBOLS, complete, feed, markets_of, open_all

pytestmark = [pytest.mark.broker, pytest.mark.e2e]


@pytest.mark.parametrize("layout", ["symbol", "keyed"])
def test_an_heir_goes_on_after_a_kill(make_bus: MakeBus, layout: str) -> None:
    bus = make_bus(layout, **OPTIONS)
    open_all(bus, SYMBOLS)
    markets = markets_of(SYMBOLS)
    with bus.process() as first, bus.process() as heir:
        eventually(lambda: first.ready() and heir.ready(), 20, "both to be ready")
        feed(bus, markets, 400)
        eventually(lambda: bus.published("binance", SYMBOLS), 20, "rows")
        first.child.kill()
        feed(bus, markets, 400)
        complete(bus, SYMBOLS)
        assert heir.metric("collector_indicator_shards") == 8
        heir.end()


def test_a_process_that_hung_finds_itself_replaced(make_bus: MakeBus) -> None:
    bus = make_bus(**OPTIONS)
    open_all(bus, SYMBOLS)
    markets = markets_of(SYMBOLS)
    with bus.process() as zombie:
        eventually(zombie.ready, 20, "the first to be ready")
        feed(bus, markets, 200)
        eventually(lambda: bus.published("binance", SYMBOLS), 20, "rows")
        with bus.process() as heir:
            # in the middle of its work: rows read and not committed
            feed(bus, markets, 200)
            zombie.child.pause()
            feed(bus, markets, 200)
            eventually(
                lambda: heir.ready() and heir.metric("collector_indicator_shards") == 8,
                30,
                "the heir to have all shards",
            )
            complete(bus, SYMBOLS)
            zombie.child.resume()
            feed(bus, markets, 200)
            complete(bus, SYMBOLS)
            eventually(
                lambda: zombie.ready() and zombie.metric("collector_indicator_shards") == 4,
                30,
                "the first to have shards again",
            )
            feed(bus, markets, 200)
            complete(bus, SYMBOLS)
            heir.end()
        zombie.end()
