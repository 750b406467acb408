"""Chande's momentum oscillator, as sums of gains and losses."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from collector_indicators.ohlcv import Ohlcv

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Return gains less losses in percent of both."""
    closes = [Fraction(bar.close) for bar in bars]
    for i in range(len(closes)):
        if i < period:
            yield {"cmo": None}
            continue
        window = closes[i - period : i + 1]
        changes = [b - a for a, b in pairwise(window)]
        gains = sum((change for change in changes if change > 0), Fraction(0))
        losses = -sum((change for change in changes if change < 0), Fraction(0))
        both = gains + losses
        yield {"cmo": (gains - losses) / both * 100 if both else Fraction(0)}


ORACLES = (
    Oracle("cmo:14", lambda bars: reference(bars, 14), scale=100),
    Oracle("cmo:1", lambda bars: reference(bars, 1), scale=100),
)
