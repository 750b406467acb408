"""Processes that die, or hang and come back."""

from __future__ import annotations

import pytest

from .bus import Process, eventually
from .conftest import MakeBus
from .scenario import OPTIONS, SYMBOLS, complete, feed, markets_of, open_all

pytestmark = [pytest.mark.broker, pytest.mark.e2e]


def shards(process: Process) -> float:
    """Return how many shards a process holds and has restored; 0 while it is not ready."""
    return process.metric("collector_indicator_shards") if process.ready() else 0


@pytest.mark.parametrize("layout", ["symbol", "keyed"])
def test_an_heir_goes_on_after_a_kill(make_bus: MakeBus, layout: str) -> None:
    # as many shards as a keyed topic has partitions, so that each process has inputs
    bus = make_bus(layout, **OPTIONS, COLLECTOR_SHARDS="4")
    open_all(bus, SYMBOLS)
    markets = markets_of(SYMBOLS)
    with bus.process() as first, bus.process() as heir:
        eventually(lambda: shards(first) == shards(heir) == 2, 60, "two shards each")
        feed(bus, markets, 400)
        eventually(lambda: bus.published("binance", SYMBOLS), 60, "rows")
        first.child.kill()
        feed(bus, markets, 400)
        eventually(lambda: shards(heir) == 4, 60, "the heir to have all shards")
        complete(bus, SYMBOLS)
        heir.end()


def test_a_process_that_hung_finds_itself_replaced(make_bus: MakeBus) -> None:
    bus = make_bus(**OPTIONS)
    open_all(bus, SYMBOLS)
    markets = markets_of(SYMBOLS)
    with bus.process() as zombie:
        eventually(zombie.ready, 60, "the first to be ready")
        feed(bus, markets, 200)
        eventually(lambda: bus.published("binance", SYMBOLS), 60, "rows")
        with bus.process() as heir:
            # in the middle of its work: rows read and not committed
            feed(bus, markets, 200)
            zombie.child.pause()
            feed(bus, markets, 200)
            eventually(
                lambda: shards(heir) == 8,
                30,
                "the heir to have all shards",
            )
            complete(bus, SYMBOLS)
            zombie.child.resume()
            feed(bus, markets, 200)
            complete(bus, SYMBOLS)
            eventually(
                lambda: shards(zombie) == 4,
                30,
                "the first to have shards again",
            )
            feed(bus, markets, 200)
            complete(bus, SYMBOLS)
            heir.end()
        zombie.end()
