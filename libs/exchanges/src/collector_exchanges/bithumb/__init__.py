"""Bithumb (Korea) spot."""

from typing import Final

from collector_exchanges.bithumb.adapter import BithumbAdapter

__all__ = ["ADAPTER"]

ADAPTER: Final = BithumbAdapter
