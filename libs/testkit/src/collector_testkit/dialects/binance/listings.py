"""Symbols of the simulated Binance: grids as ``exchangeInfo`` gives them, prices of about 2026."""

from __future__ import annotations

from typing import Final

from collector_testkit.market import Listing

__all__ = ["CATALOGUE", "QUOTES", "SYMBOLS"]

CATALOGUE: Final = (
    Listing("BTC/USDT", "84250.00", "0.01", "0.00001", "0.05", "5.00"),
    Listing("ETH/USDT", "2710.50", "0.01", "0.0001", "0.8", "5.00"),
    Listing("SOL/USDT", "131.20", "0.01", "0.001", "12", "5.00"),
    Listing("XRP/USDT", "1.9420", "0.0001", "0.1", "900", "5.00"),
    Listing("DOGE/USDT", "0.12450", "0.00001", "1", "9000", "1.00"),
    Listing("ETH/BTC", "0.03217", "0.00001", "0.0001", "0.6", "0.0001"),
    Listing("BNB/BTC", "0.009120", "0.000001", "0.001", "2", "0.0001"),
    Listing("PEPE/USDT", "0.00000712", "0.00000001", "1", "9000000", "1.00"),
)
QUOTES: Final = {
    "USDT": Listing("X/USDT", "1.2500", "0.0001", "0.1", "400", "5.00", orders=150),
    "USDC": Listing("X/USDC", "1.2500", "0.0001", "0.1", "400", "5.00", orders=150),
    "BTC": Listing("X/BTC", "0.00012500", "0.00000001", "0.1", "40", "0.0001", orders=150),
}
SYMBOLS: Final = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT", "ETH/BTC")
