"""Coinone (Korea), as its clients see it."""

from __future__ import annotations

from collector_testkit.dialects.coinone.dialect import CoinoneDialect

__all__ = ["DIALECT"]

DIALECT = CoinoneDialect
