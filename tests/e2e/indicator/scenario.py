"""What all tests of the service compute, and of which symbols."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from collector_indicator.settings import IndicatorSettings
from collector_indicators.plan import channel_of

from .bus import Bus, count, eventually, offline
from .market import Market

SYMBOLS = ["BTC/USDT", "ETH/USDT", "XRP/USDT", "SOL/USDT"]
INDICATORS = "rsi:3,macd:3:6:2,bollinger:4:2,vwap"
BARS = ("1s", "3s", "trades:7", "quote:500000")
CANDLES = ("1s", "5s/1s")
OPTIONS = {
    "COLLECTOR_BAR_INTERVALS": ",".join(BARS),
    "COLLECTOR_CANDLE_INTERVALS": ",".join(CANDLES),
    "COLLECTOR_INDICATORS": INDICATORS,
    "COLLECTOR_CHECKPOINT": "0.3",
}
_SETTINGS = IndicatorSettings.load(
    bar_intervals=BARS, candle_intervals=CANDLES, indicators=INDICATORS
)
CALCULATIONS = {
    channel_of(entry.settings): entry.settings for entry in _SETTINGS.calculations().entries
}
"""What the service computes with these options."""


def open_all(bus: Bus, symbols: Iterable[str]) -> None:
    """Make the input topics of symbols."""
    for channel in CALCULATIONS:
        bus.open(channel, "binance", symbols)


def markets_of(symbols: Sequence[str]) -> list[Market]:
    """Return a market for each symbol, the same at each call."""
    return [Market("binance", symbol, seed) for seed, symbol in enumerate(symbols, 1)]


def feed(bus: Bus, markets: Iterable[Market], rows: int) -> None:
    """Let the input grow by ``rows`` of each market."""
    for market in markets:
        bus.write(market.rows(rows))


def complete(bus: Bus, symbols: Sequence[str], within: float = 60.0) -> int:
    """Wait until as much is published as follows from the input, compare, return how many rows."""
    expected = offline(bus, "binance", symbols, CALCULATIONS)
    wanted = count(expected)
    assert wanted > 0
    eventually(
        lambda: bus.published("binance", symbols) >= wanted, within, f"{wanted} rows published"
    )
    assert expected == bus.outputs("binance", symbols)
    return wanted
