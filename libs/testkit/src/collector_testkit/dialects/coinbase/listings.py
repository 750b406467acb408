"""Symbols of the simulated Coinbase: grids of the product list, prices of about August 2026."""

from __future__ import annotations

from typing import Final

from collector_testkit.market import Listing

__all__ = ["CATALOGUE", "QUOTES", "SYMBOLS"]

_LOT: Final = "0.00000001"
CATALOGUE: Final = (
    # the deepest book of all: a subscription begins with every level of it
    Listing("BTC/USD", "65083.67", "0.01", _LOT, "0.02", "1", orders=800),
    Listing("ETH/USD", "1919.41", "0.01", _LOT, "0.4", "1", orders=600),
    Listing("SOL/USD", "91.37", "0.01", _LOT, "9", "1"),
    Listing("XRP/USD", "1.3071", "0.0001", "0.000001", "700", "1"),
    Listing("DOGE/USD", "0.08412", "0.00001", "0.1", "9000", "1"),
    Listing("BTC/EUR", "55901.2", "0.01", _LOT, "0.02", "0.84", orders=150),
    Listing("ETH/BTC", "0.02949", "0.00001", _LOT, "0.4", "0.000016", orders=80),
)
QUOTES: Final = {
    "USD": Listing("X/USD", "1.25", "0.0001", "0.01", "400", "1", orders=150),
    "EUR": Listing("X/EUR", "1.1", "0.0001", "0.01", "400", "0.84", orders=80),
    "GBP": Listing("X/GBP", "0.95", "0.0001", "0.01", "400", "0.72", orders=60),
    "USDT": Listing("X/USDT", "1.25", "0.0001", "0.01", "400", "1", orders=60),
    "BTC": Listing("X/BTC", "0.00012500", "0.00000001", "0.1", "40", "0.000016", orders=40),
}
SYMBOLS: Final = ("BTC/USD", "ETH/USD", "SOL/USD", "XRP/USD", "ETH/BTC")
