"""Symbols of the simulated Coinone: steps of its price bands, prices of about September 2026."""

from __future__ import annotations

from typing import Final

from collector_testkit.market import Listing

__all__ = ["CATALOGUE", "QUOTES", "SYMBOLS"]

_LOT: Final = "0.00000001"
CATALOGUE: Final = (
    Listing("BTC/KRW", "116450000", "10000", _LOT, "0.01", "5000"),
    Listing("ETH/KRW", "3745000", "1000", _LOT, "0.3", "5000"),
    Listing("XRP/KRW", "2683", "1", _LOT, "400", "5000"),
    Listing("USDT/KRW", "1382", "0.5", _LOT, "700", "5000"),
    # a market whose best prices are far apart, as a third of the exchange's are
    Listing("TNSR/KRW", "57.4", "0.05", _LOT, "2000", "5000", orders=24),
    Listing("DOGE/KRW", "171.9", "0.1", _LOT, "5000", "5000", orders=120),
    Listing("SOL/KRW", "181300", "50", _LOT, "3", "5000"),
)
QUOTES: Final = {"KRW": Listing("X/KRW", "1523", "1", _LOT, "300", "5000", orders=60)}
SYMBOLS: Final = ("BTC/KRW", "ETH/KRW", "XRP/KRW", "USDT/KRW", "TNSR/KRW")
