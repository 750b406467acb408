"""Bybit spot."""

from typing import Final

from collector_exchanges.bybit.adapter import BybitAdapter

__all__ = ["ADAPTER"]

ADAPTER: Final = BybitAdapter
