"""Coinone (Korea) spot."""

from typing import Final

from collector_exchanges.coinone.adapter import CoinoneAdapter

__all__ = ["ADAPTER"]

ADAPTER: Final = CoinoneAdapter
