"""Kraken spot, WebSocket v2."""

from typing import Final

from collector_exchanges.kraken.adapter import KrakenAdapter

__all__ = ["ADAPTER"]

ADAPTER: Final = KrakenAdapter
