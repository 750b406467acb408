"""OKX spot."""

from typing import Final

from collector_exchanges.okx.adapter import OkxAdapter

__all__ = ["ADAPTER"]

ADAPTER: Final = OkxAdapter
