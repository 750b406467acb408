"""Symbols of the simulated Kraken: its ticks and least amounts, prices of about 2026."""

from __future__ import annotations

from typing import Final

from collector_testkit.market import Listing

__all__ = ["CATALOGUE", "QUOTES", "SYMBOLS"]

_LOT: Final = "0.00000001"
CATALOGUE: Final = (
    Listing("BTC/USD", "84250.0", "0.1", _LOT, "0.05", "0.5"),
    Listing("ETH/USD", "2710.40", "0.01", _LOT, "0.9", "0.5"),
    Listing("SOL/USD", "131.20", "0.01", _LOT, "12", "0.5"),
    Listing("XRP/USD", "1.94200", "0.00001", _LOT, "900", "0.5"),
    # Kraken's old code of it is XDG
    Listing("DOGE/USD", "0.1245000", "0.0000001", _LOT, "9000", "0.5"),
    Listing("BTC/EUR", "72610.0", "0.1", _LOT, "0.05", "0.45"),
    # a thin market: its book has fewer levels than are subscribed
    Listing("ETH/BTC", "0.03217", "0.00001", _LOT, "0.6", "0.00002", orders=24),
)
QUOTES: Final = {
    "USD": Listing("X/USD", "1.2500", "0.0001", _LOT, "400", "0.5", orders=150),
    "EUR": Listing("X/EUR", "1.0800", "0.0001", _LOT, "400", "0.45", orders=150),
    "USDT": Listing("X/USDT", "1.2500", "0.0001", _LOT, "400", "0.5", orders=60),
    "BTC": Listing("X/BTC", "0.0000150", "0.0000001", _LOT, "900", "0.00002", orders=24),
}
SYMBOLS: Final = ("BTC/USD", "ETH/USD", "XRP/USD", "DOGE/USD", "ETH/BTC")
