"""Binance spot, as its clients see it."""

from __future__ import annotations

from collector_testkit.dialects.binance.dialect import BinanceDialect

__all__ = ["DIALECT"]

DIALECT = BinanceDialect
