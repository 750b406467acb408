"""Coinbase Advanced Trade, as its clients see it."""

from __future__ import annotations

from collector_testkit.dialects.coinbase.dialect import CoinbaseDialect

__all__ = ["DIALECT"]

DIALECT = CoinbaseDialect
