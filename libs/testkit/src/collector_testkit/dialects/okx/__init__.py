"""OKX spot, as its clients see it."""

from __future__ import annotations

from collector_testkit.dialects.okx.dialect import OkxDialect

__all__ = ["DIALECT"]

DIALECT = OkxDialect
