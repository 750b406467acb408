"""Symbols of the simulated OKX: grids as its instruments give them, prices of about 2026."""

from __future__ import annotations

from typing import Final

from collector_testkit.market import Listing

__all__ = ["CATALOGUE", "QUOTES", "SYMBOLS"]

# the exchange states a least amount and no least value: min_notional is what its amount is worth
CATALOGUE: Final = (
    Listing("BTC/USDT", "84250", "0.1", "0.00000001", "0.05", "0.8"),
    Listing("ETH/USDT", "2710.5", "0.01", "0.000001", "0.8", "0.3"),
    Listing("SOL/USDT", "131.2", "0.01", "0.000001", "12", "1.3"),
    Listing("XRP/USDT", "1.942", "0.0001", "0.000001", "900", "2"),
    Listing("DOGE/USDT", "0.1245", "0.00001", "0.000001", "9000", "1.2"),
    Listing("BTC/USDC", "84240", "0.1", "0.00000001", "0.03", "0.8"),
    Listing("ETH/BTC", "0.03217", "0.00001", "0.000001", "0.6", "0.00003"),
)
QUOTES: Final = {
    "USDT": Listing("X/USDT", "1.25", "0.0001", "0.0001", "400", "1.2", orders=150),
    "USDC": Listing("X/USDC", "1.25", "0.0001", "0.0001", "400", "1.2", orders=150),
    "BTC": Listing("X/BTC", "0.000125", "0.00000001", "0.001", "40", "0.0001", orders=60),
    "EUR": Listing("X/EUR", "1.15", "0.001", "0.0001", "200", "1.1", orders=60),
}
SYMBOLS: Final = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT", "ETH/BTC")
