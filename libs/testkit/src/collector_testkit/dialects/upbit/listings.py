"""Symbols of the simulated Upbit: ticks of the exchange's price bands, prices of about 2026."""

from __future__ import annotations

from typing import Final

from collector_testkit.market import Listing

__all__ = ["CATALOGUE", "QUOTES", "SYMBOLS"]

_LOT: Final = "0.00000001"
CATALOGUE: Final = (
    Listing("BTC/KRW", "116539000", "1000", _LOT, "0.02", "5000"),
    Listing("ETH/KRW", "3745000", "1000", _LOT, "0.4", "5000"),
    Listing("XRP/KRW", "2683", "1", _LOT, "700", "5000"),
    Listing("DOGE/KRW", "172", "1", _LOT, "9000", "5000", orders=120),
    Listing("SOL/KRW", "181300", "100", _LOT, "5", "5000"),
    # a thin market: its book has fewer than the 30 levels that a frame shows
    Listing("ETH/BTC", "0.03213000", "0.00000001", _LOT, "0.05", "0.00005", orders=24),
    Listing("BTC/USDT", "84260", "0.01", _LOT, "0.01", "0.5", orders=60),
)
QUOTES: Final = {
    "KRW": Listing("X/KRW", "1523", "1", _LOT, "300", "5000", orders=150),
    "BTC": Listing("X/BTC", "0.00012500", "0.00000001", _LOT, "40", "0.00005", orders=24),
    "USDT": Listing("X/USDT", "1.25", "0.001", _LOT, "40", "0.5", orders=60),
}
SYMBOLS: Final = ("BTC/KRW", "ETH/KRW", "XRP/KRW", "ETH/BTC", "BTC/USDT")
