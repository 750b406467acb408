"""Binance spot."""

from typing import Final

from collector_exchanges.binance.adapter import BinanceAdapter

__all__ = ["ADAPTER"]

ADAPTER: Final = BinanceAdapter
