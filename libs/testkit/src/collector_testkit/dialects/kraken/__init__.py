"""Kraken, as its clients see it."""

from __future__ import annotations

from collector_testkit.dialects.kraken.dialect import KrakenDialect

__all__ = ["DIALECT"]

DIALECT = KrakenDialect
