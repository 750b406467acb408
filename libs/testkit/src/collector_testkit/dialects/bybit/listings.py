"""Symbols of the simulated Bybit: grids as ``instruments-info`` has them, prices of about 2026."""

from __future__ import annotations

from typing import Final

from collector_testkit.market import Listing

__all__ = ["CATALOGUE", "QUOTES", "SYMBOLS"]

CATALOGUE: Final = (
    Listing("BTC/USDT", "84250.0", "0.1", "0.000001", "0.05", "5"),
    Listing("ETH/USDT", "2710.50", "0.01", "0.00001", "0.8", "5"),
    Listing("SOL/USDT", "131.20", "0.01", "0.0001", "12", "5"),
    Listing("XRP/USDT", "1.9420", "0.0001", "0.01", "900", "5"),
    Listing("DOGE/USDT", "0.12450", "0.00001", "0.1", "9000", "5"),
    Listing("BTC/USDC", "84250.0", "0.1", "0.000001", "0.02", "5"),
    Listing("ETH/BTC", "0.032170", "0.000001", "0.00001", "0.6", "0.000065"),
)
QUOTES: Final = {
    "USDT": Listing("X/USDT", "1.2500", "0.0001", "0.01", "400", "5", orders=150),
    "USDC": Listing("X/USDC", "1.2500", "0.0001", "0.01", "400", "5", orders=150),
    "EUR": Listing("X/EUR", "1.0800", "0.0001", "0.01", "300", "5", orders=150),
    "BTC": Listing("X/BTC", "0.00001250", "0.00000001", "0.01", "40", "0.0001", orders=150),
}
SYMBOLS: Final = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT", "ETH/BTC")
