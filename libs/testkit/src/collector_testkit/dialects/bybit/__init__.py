"""Bybit spot, as its clients see it."""

from __future__ import annotations

from collector_testkit.dialects.bybit.dialect import BybitDialect

__all__ = ["DIALECT"]

DIALECT = BybitDialect
