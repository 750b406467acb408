"""Processes that come and go in an orderly way."""

from __future__ import annotations

import pytest

from .bus import eventually
from .conftest import MakeBus
from .scenario import OPTIONS, SYMBOLS, complete, feed, markets_of, open_all

pytestmark = [pytest.mark.broker, pytest.mark.e2e]


def test_a_restart_goes_on_where_the_state_says(make_bus: MakeBus) -> None:
    bus = make_bus(**OPTIONS)
    open_all(bus, SYMBOLS)
    markets = markets_of(SYMBOLS)
    feed(bus, markets, 1_000)
    with bus.process() as first:
        complete(bus, SYMBOLS)
        first.end()
    feed(bus, markets, 1_000)
    with bus.process() as second:
        complete(bus, SYMBOLS)
        # the rows before were not read again, as all of them had been committed
        read = second.metric("collector_indicator_rows_in_total")
        assert 1_000 * len(SYMBOLS) <= read < 1_100 * len(SYMBOLS)
        second.end()


def test_two_processes_share_the_shards(make_bus: MakeBus) -> None:
    bus = make_bus(**OPTIONS)
    open_all(bus, SYMBOLS)
    markets = markets_of(SYMBOLS)
    with bus.process() as first:
        eventually(first.ready, 60, "the first to be ready")
        feed(bus, markets, 300)
        with bus.process() as second:
            eventually(
                lambda: (
                    second.ready()
                    and first.metric("collector_indicator_shards") == 4
                    and second.metric("collector_indicator_shards") == 4
                ),
                20,
                "four shards each",
            )
            feed(bus, markets, 300)
            complete(bus, SYMBOLS)
            assert first.metric("collector_indicator_commits_total") > 0
            # the second leaves; its shards come back
            second.end()
        feed(bus, markets, 300)
        complete(bus, SYMBOLS)
        eventually(lambda: first.metric("collector_indicator_shards") == 8, 60, "all shards back")
        first.end()


@pytest.mark.parametrize("layout", ["symbol", "keyed"])
def test_a_symbol_that_comes_while_running(make_bus: MakeBus, layout: str) -> None:
    bus = make_bus(layout, **OPTIONS)
    open_all(bus, SYMBOLS[:2])
    markets = markets_of(SYMBOLS)
    with bus.process() as process:
        feed(bus, markets[:2], 300)
        complete(bus, SYMBOLS[:2])
        open_all(bus, SYMBOLS[2:])
        feed(bus, markets, 300)
        complete(bus, SYMBOLS)
        process.end()


def test_the_catalogue_names_what_is_published(make_bus: MakeBus) -> None:
    bus = make_bus(**OPTIONS)
    open_all(bus, SYMBOLS[:1])
    with bus.process() as process:
        names = eventually(
            lambda: (found := bus.catalogued()) > {"bar", "indicator"} and found,
            20,
            "outputs in the catalogue",
        )
        assert {"trade", "candle", "bar", "indicator"} == names
        process.end()


def test_what_is_not_followed_is_left_alone(make_bus: MakeBus) -> None:
    bus = make_bus(**OPTIONS, COLLECTOR_FOLLOW="binance:ETH/*,upbit:*")
    open_all(bus, SYMBOLS[:2])
    feed(bus, markets_of(SYMBOLS[:2]), 300)
    with bus.process() as process:
        complete(bus, SYMBOLS[1:2])
        assert bus.published("binance", SYMBOLS[:1]) == 0
        process.end()
