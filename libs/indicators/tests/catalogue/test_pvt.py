"""The price volume trend."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from collector_indicators.ohlcv import Ohlcv

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv]) -> Iterator[Expected]:
    """Return the sum of what each bar adds, exact."""
    total = Fraction(0)
    for i, bar in enumerate(bars):
        total += term(bar, bars[i - 1] if i else None)
        yield {"pvt": total}


def term(bar: Ohlcv, before: Ohlcv | None) -> Fraction:
    """Return what a bar adds."""
    if before is None:
        return Fraction(0)
    last = Fraction(before.close)
    return (Fraction(bar.close) - last) / last * Fraction(bar.volume)


ORACLES = (
    Oracle(
        "pvt",
        reference,
        inputs=("volume",),
        cumulative=True,
    ),
)
