"""Upbit (Korea) spot."""

from typing import Final

from collector_exchanges.upbit.adapter import UpbitAdapter

__all__ = ["ADAPTER"]

ADAPTER: Final = UpbitAdapter
