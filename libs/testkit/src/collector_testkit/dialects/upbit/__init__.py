"""Upbit (Korea), as its clients see it."""

from __future__ import annotations

from collector_testkit.dialects.upbit.dialect import UpbitDialect

__all__ = ["DIALECT"]

DIALECT = UpbitDialect
