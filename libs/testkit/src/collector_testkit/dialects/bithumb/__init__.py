"""Bithumb (Korea), as its clients see it."""

from __future__ import annotations

from collector_testkit.dialects.bithumb.dialect import BithumbDialect

__all__ = ["DIALECT"]

DIALECT = BithumbDialect
