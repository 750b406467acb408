"""Listings and wildcards while an ingestor runs; what comes and goes touches no neighbour."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from collector_core.events import Instrument, Row, Status
from collector_testkit.broker import Broker
from collector_testkit.eventually import eventually
from collector_testkit.services import simulated
from tests.e2e.ingestor.controlled import PATIENCE, Controlled, epochs_whole, states

pytestmark = [pytest.mark.broker, pytest.mark.e2e]

LISTED = ",".join(f"binance:{symbol}" for symbol in ("BTC/USDT", "ETH/USDT", "ETH/BTC"))


def await_(probe: Callable[[], bool], what: str) -> None:
    eventually(probe, what, timeout=PATIENCE, pause=0.3)


def flows(bus: Controlled, symbol: str) -> bool:
    return bus.trades(symbol) > 20


def instruments(bus: Controlled, symbol: str) -> list[str]:
    rows = bus.rows(symbol, "instrument")
    return [row.state for row in rows if isinstance(row, Instrument)]


def last_status(rows: list[Row]) -> tuple[str, str | None]:
    row = rows[-1]
    assert isinstance(row, Status)
    return row.state, row.reason


def test_listings_are_followed(broker: Broker, prefix: str, tmp_path: Path) -> None:
    with simulated("binance", tmp_path, rate=100, symbols=LISTED) as exchange:
        bus = Controlled(exchange, broker, prefix, SYMBOLS="*/USDT")
        with bus.start() as service:
            for symbol in ("BTC/USDT", "ETH/USDT"):
                await_(partial(flows, bus, symbol), f"trades of {symbol}")
            # the time of the market's first trade is that of the listing, within an order's pause
            exchange.control("list", symbol="NEW/USDT")
            exchange.control("list", symbol="NEW/BTC")
            await_(lambda: bus.trades("NEW/USDT") > 20, "trades of a new listing")
            listed = bus.truth("NEW/USDT")[0].exchange_time
            known = bus.rows("NEW/USDT")[0].receive_time
            assert known is not None
            print(f"listed to started: {(known - listed) / 1e6:.1f} s")  # noqa: T201  # shown by -s
            assert instruments(bus, "NEW/USDT") == ["trading"]

            exchange.control("delist", symbol="NEW/USDT")
            await_(lambda: states(bus.rows("NEW/USDT"))[-1] == "stopped", "a stopped row")
            assert last_status(bus.rows("NEW/USDT")) == ("stopped", "delisted")
            assert instruments(bus, "NEW/USDT") == ["trading", "delisted"]
            count = bus.trades("NEW/USDT")

            exchange.control("list", symbol="NEW/USDT")
            await_(lambda: bus.trades("NEW/USDT") > count + 10, "trades after it is listed again")
            assert instruments(bus, "NEW/USDT") == ["trading", "delisted", "trading"]
            assert service.terminate() == 0
        for symbol in ("BTC/USDT", "ETH/USDT", "NEW/USDT"):
            rows = bus.rows(symbol)
            epochs_whole(rows)
            bus.whole(symbol, rows)
        for symbol in ("BTC/USDT", "ETH/USDT"):
            # nothing was said of the neighbours but their own beginning and end
            assert states(bus.rows(symbol)) == ["started", "subscribed", "stopped"]
        # what fits no pattern has no topic
        assert bus.rows("NEW/BTC") == []
        assert bus.rows("ETH/BTC") == []


def test_the_nearest_wish_counts(broker: Broker, prefix: str, tmp_path: Path) -> None:
    with simulated("binance", tmp_path, rate=100, symbols=LISTED) as exchange:
        bus = Controlled(exchange, broker, prefix, SYMBOLS="BTC/USDT")
        with bus.start() as service:
            await_(lambda: bus.trades("BTC/USDT") > 10, "trades of the settings")
            # a pattern with a channel that is not pushed, and one that matches nothing
            bus.say("*/BTC", ("trade", "ghost"))
            bus.say("*/XYZ", ("trade",))
            service.logged("pattern_matches_nothing")
            bus.say("ETH/USDT", ())
            bus.say("*/*", ("trade",))
            await_(lambda: bus.trades("ETH/BTC") > 10, "trades by the widest pattern")
            assert "expected a channel that Binance spot pushes" in service.log()
            assert bus.rows("ETH/USDT") == []

            # the nearer pattern without channels stops it, and the symbol of its own goes on
            bus.say("*/BTC", ())
            await_(lambda: states(bus.rows("ETH/BTC"))[-1] == "stopped", "the end of ETH/BTC")
            assert last_status(bus.rows("ETH/BTC")) == ("stopped", "no longer wanted")
            bus.say("*/USDT", ())
            bus.say("ETH/USDT", None)
            bus.say("ETH/USDT", ("ticker",))
            await_(lambda: len(bus.rows("ETH/USDT", "ticker")) > 2, "tickers of ETH/USDT")
            count = bus.trades("BTC/USDT")
            await_(lambda: bus.trades("BTC/USDT") > count, "further trades of BTC/USDT")

            # without its row the wider pattern counts again
            bus.say("*/BTC", None)
            count = bus.trades("ETH/BTC")
            await_(lambda: bus.trades("ETH/BTC") > count, "ETH/BTC by the wider pattern again")
            assert service.terminate() == 0
        assert states(bus.rows("BTC/USDT")) == ["started", "subscribed", "stopped"]
        bus.whole("BTC/USDT", bus.rows("BTC/USDT"))
        assert bus.rows("ETH/USDT") == []
        for symbol, channel in (("ETH/BTC", "trade"), ("ETH/USDT", "ticker")):
            epochs_whole(bus.rows(symbol, channel))


def test_rows_hold_from_the_start(broker: Broker, prefix: str, tmp_path: Path) -> None:
    with simulated("binance", tmp_path, rate=100, symbols=LISTED) as exchange:
        bus = Controlled(exchange, broker, prefix, SYMBOLS="*/USDT")
        with bus.start() as service:
            await_(lambda: bus.trades("BTC/USDT") > 5, "trades")
            bus.say("BTC/USDT", ())
            await_(lambda: states(bus.rows("BTC/USDT"))[-1] == "stopped", "a stopped row")
            assert service.terminate() == 0
        before = len(bus.rows("BTC/USDT")), bus.trades("ETH/USDT")
        with bus.start() as service:
            await_(lambda: bus.trades("ETH/USDT") > before[1] + 5, "trades of the other one")
            assert service.terminate() == 0
        # it was not begun to be stopped again
        assert len(bus.rows("BTC/USDT")) == before[0]


def test_patterns_that_match_nothing_end_the_start(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    with simulated("binance", tmp_path, symbols=LISTED) as exchange:
        bus = Controlled(exchange, broker, prefix, SYMBOLS="*/XYZ")
        with bus.start() as service:
            assert service.process.wait(30) == 2
            assert "*/XYZ" in service.log().splitlines()[-1]
