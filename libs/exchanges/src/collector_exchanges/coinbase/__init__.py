"""Coinbase Advanced Trade, spot."""

from typing import Final

from collector_exchanges.coinbase.adapter import CoinbaseAdapter

__all__ = ["ADAPTER"]

ADAPTER: Final = CoinbaseAdapter
