"""Symbols of the simulated Bithumb: ticks as seen, prices of about 2026."""

from __future__ import annotations

from typing import Final

from collector_testkit.market import Listing

__all__ = ["CATALOGUE", "QUOTES", "SYMBOLS"]

_LOT: Final = "0.00000001"
CATALOGUE: Final = (
    Listing("BTC/KRW", "116208000", "1000", _LOT, "0.02", "5000"),
    Listing("ETH/KRW", "3715000", "1000", _LOT, "0.4", "5000"),
    Listing("XRP/KRW", "2681", "1", _LOT, "700", "5000"),
    Listing("SOL/KRW", "181300", "100", _LOT, "5", "5000"),
    Listing("USDT/KRW", "1343", "1", _LOT, "900", "5000", orders=120),
    # a thin market: its book has fewer than the 15 levels that a frame shows
    Listing("USDC/BTC", "0.00001680", "0.00000001", _LOT, "150", "0.0001", orders=24),
)
QUOTES: Final = {
    "KRW": Listing("X/KRW", "1523", "1", _LOT, "300", "5000", orders=150),
    "BTC": Listing("X/BTC", "0.00012500", "0.00000001", _LOT, "40", "0.0001", orders=24),
}
SYMBOLS: Final = ("BTC/KRW", "ETH/KRW", "XRP/KRW", "SOL/KRW", "USDC/BTC")
