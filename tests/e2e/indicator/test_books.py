"""Indicators over books through the service: the very rows of an offline pass, whatever dies."""

from __future__ import annotations

import signal
from collections.abc import Iterable

import pytest

from collector_core.codec import decode
from collector_core.events import Indicator
from collector_core.topics import Layout
from collector_indicators.selection import parse_set
from collector_indicators.settings import CalculationSettings

from .books import BookMarket
from .bus import Bus, count, eventually, offline
from .conftest import MakeBus

pytestmark = [pytest.mark.broker, pytest.mark.e2e]

SYMBOLS = ["BTC/USDT", "ETH/USDT", "XRP/USDT"]
CHOSEN = "spread,book_imbalance:3"
CALCULATIONS = {"book": CalculationSettings("book", ("1s", "3s"), parse_set(CHOSEN))}
OPTIONS = {
    "COLLECTOR_BOOK_INTERVALS": "1s,3s",
    "COLLECTOR_BOOK_INDICATORS": CHOSEN,
    "COLLECTOR_CHECKPOINT": "0.3",
}


def feed(bus: Bus, markets: Iterable[BookMarket], rows: int) -> None:
    for market in markets:
        bus.write(market.rows(rows))


def complete(bus: Bus) -> None:
    """Wait until as much is published as follows from the input, and compare."""
    expected = offline(bus, "binance", SYMBOLS, CALCULATIONS)
    wanted = count(expected)
    eventually(lambda: bus.published("binance", SYMBOLS) >= wanted, 60, f"{wanted} rows published")
    assert expected == bus.outputs("binance", SYMBOLS)


@pytest.mark.parametrize("layout", ["symbol", "keyed"])
def test_a_kill_between_two_snapshots_changes_no_byte(make_bus: MakeBus, layout: Layout) -> None:
    bus = make_bus(layout, **OPTIONS)
    bus.open("book", "binance", SYMBOLS)
    markets = [BookMarket("binance", symbol, seed) for seed, symbol in enumerate(SYMBOLS, 1)]
    feed(bus, markets, 500)
    with bus.process(slot=1) as first:
        complete(bus)
        feed(bus, markets, 500)
        eventually(lambda: first.metric("collector_indicator_commits_total") > 1, 60, "commits")
        first.child.send(signal.SIGKILL)
    feed(bus, markets, 500)
    with bus.process(slot=1) as second:
        complete(bus)
        feed(bus, markets, 200)
        complete(bus)
        second.end()
    rows = [
        row
        for texts in bus.outputs("binance", SYMBOLS).values()
        for row in map(decode, texts)
        if isinstance(row, Indicator)
    ]
    assert {"book"} == {row.input for row in rows}
    assert {("spread", True), ("book_imbalance", True)} <= {(r.name, r.closed) for r in rows}
    spreads = [row.values["spread"] for row in rows if row.name == "spread"]
    assert all(spread is None or spread > 0 for spread in spreads)
    # the epoch of one calculation goes on over the kill
    assert len({(row.symbol, row.epoch) for row in rows}) == len(SYMBOLS)


def test_another_plan_begins_over_the_history_of_a_book(make_bus: MakeBus) -> None:
    bus = make_bus(**OPTIONS)
    bus.open("book", "binance", SYMBOLS)
    markets = [BookMarket("binance", symbol, seed) for seed, symbol in enumerate(SYMBOLS, 1)]
    feed(bus, markets, 300)
    with bus.process(COLLECTOR_BOOK_INDICATORS="spread") as first:
        eventually(lambda: bus.published("binance", SYMBOLS) > 0, 60, "rows")
        first.end()
    before = count(bus.outputs("binance", SYMBOLS))
    feed(bus, markets, 300)
    with bus.process() as second:
        expected = offline(bus, "binance", SYMBOLS, CALCULATIONS)
        newest = max(expected, key=lambda key: int(key[2].rpartition(b"|")[2]))
        eventually(lambda: newest in bus.outputs("binance", SYMBOLS), 60, "the last row")
        second.end()
    rows = bus.outputs("binance", SYMBOLS)
    new = [row for texts in rows.values() for row in map(decode, texts)]
    imbalances = [r for r in new if isinstance(r, Indicator) and r.name == "book_imbalance"]
    known = {key: decode(texts[-1]) for key, texts in expected.items()}
    assert len(new) > before
    assert imbalances
    # its values are those of one that was there from the beginning
    for row in imbalances:
        if row.closed:
            key = (
                f"binance|{row.symbol}|book|{row.interval}|{row.name}|{row.params}|{row.open_time}"
            )
            other = known["indicator", row.symbol, key.encode()]
            assert isinstance(other, Indicator)
            assert (other.values, other.bars_seen) == (row.values, row.bars_seen)
