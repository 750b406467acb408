"""Input rows of one symbol, as raw bytes."""

from __future__ import annotations

from collector_core.codec import encode
from collector_core.events import Event, Trade
from collector_indicators.following import Following
from collector_indicators.plan import Entry, Plan
from collector_indicators.selection import parse_set
from collector_indicators.settings import CalculationSettings

START = 1_760_000_000_000_000
SECOND = 1_000_000
SETTINGS = CalculationSettings("bar", ("1s",), parse_set("rsi:2,vwap"), grace=0, live_every=None)
PLAN = Plan([Entry(Following(["*:*/USDT", "*:*/KRW", "*:*/BTC"]), SETTINGS)])


def trade(number: int, symbol: str = "BTC/USDT", price: str | None = None) -> Trade:
    """Return the trade of a number; there are two in a second."""
    time = START + number * SECOND // 2
    price = f"{100 + number % 7}.5" if price is None else price
    return Trade(
        "binance", symbol, time, time + 1, START, number + 1, str(number), price, "2", "buy"
    )


def raw(*events: Event) -> list[bytes]:
    """Return events as rows."""
    return [encode(event) for event in events]


def trades(start: int, end: int, symbol: str = "BTC/USDT") -> list[bytes]:
    """Return the trades of some numbers as rows."""
    return raw(*(trade(number, symbol) for number in range(start, end)))
