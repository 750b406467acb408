from __future__ import annotations

import pytest

from collector_indicator.settings import IndicatorSettings
from collector_runtime.kafka.child import Child

from .bus import Bus, count, eventually, offline
from .conftest import MakeBus
from .market import Market

pytestmark = [pytest.mark.broker, pytest.mark.e2e]

SYMBOLS = ["BTC/USDT", "ETH/USDT", "XRP/USDT", "SOL/USDT"]
OPTIONS = {
    "COLLECTOR_BAR_INTERVALS": "1s,3s",
    "COLLECTOR_CANDLE_INTERVALS": "1s",
    "COLLECTOR_INDICATORS": "rsi:3,macd:3:6:2,bollinger:4:2,vwap",
    "COLLECTOR_CHECKPOINT": "0.3",
}
CALCULATIONS = IndicatorSettings(
    bar_intervals=("1s", "3s"),
    candle_intervals=("1s",),
    indicators=OPTIONS["COLLECTOR_INDICATORS"],
).calculations()


def open_all(bus: Bus, symbols: list[str]) -> None:
    for channel in CALCULATIONS:
        bus.open(channel, "binance", symbols)


def feed(bus: Bus, markets: list[Market], rows: int) -> None:
    for market in markets:
        bus.write(market.rows(rows))


def markets_of(symbols: list[str]) -> list[Market]:
    return [Market("binance", symbol, seed) for seed, symbol in enumerate(symbols, 1)]


def complete(bus: Bus, symbols: list[str], within: float = 30.0) -> None:
    """Wait until as many rows are published as follow from the input, then compare them all."""
    expected = offline(bus, "binance", symbols, CALCULATIONS)
    wanted = count(expected)
    assert wanted > 0
    eventually(
        lambda: bus.published("binance", symbols) >= wanted, within, f"{wanted} rows published"
    )
    assert expected == bus.outputs("binance", symbols)


def end(child: Child) -> None:
    """End a process by SIGTERM and see it end cleanly."""
    child.stop()
    assert child.returncode == 0


def test_output_is_a_function_of_the_input(make_bus: MakeBus) -> None:
    bus = make_bus(**OPTIONS)
    open_all(bus, SYMBOLS)
    feed(bus, markets_of(SYMBOLS), 1_500)
    with bus.process() as child:
        complete(bus, SYMBOLS)
        end(child)
