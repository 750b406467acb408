"""The detrended price oscillator, as an earlier close less a mean."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """ChartSchool: the close n / 2 + 1 bars ago less the mean of the last n."""
    closes = [Fraction(bar.close) for bar in bars]
    back = period // 2 + 1
    for i in range(len(closes)):
        if i < back or i + 1 < period:
            yield {"dpo": None}
        else:
            mean = sum(closes[i + 1 - period : i + 1], Fraction(0)) / period
            yield {"dpo": closes[i - back] - mean}


ORACLES = tuple(
    Oracle(f"dpo:{period}", lambda bars, period=period: reference(bars, period))  # type: ignore[misc]  # the default binds it
    for period in (20, 1, 2, 3, 9)
)


def test_the_close_that_counts_is_eleven_bars_old() -> None:
    dpo = parse_choice("dpo").create()
    # 1 at one bar, 0 elsewhere: it is felt by the mean for 20 bars, and as the close once
    values = []
    for i in range(60):
        close = 1.0 if i == 25 else 0.0
        values.append(dpo.update(Ohlcv(i, close, close, close, close, 1.0))["dpo"])
    expected = [None] * 19 + [0.0] * 6 + [-0.05] * 11 + [0.95] + [-0.05] * 8 + [0.0] * 15
    assert expected == values
