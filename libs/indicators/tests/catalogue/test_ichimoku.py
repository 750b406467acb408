"""Hosoda's lines and spans, from the extremes of slices."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import talib

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Array, Columns, Expected, Oracle
from .series import SERIES

__all__ = ["ORACLES"]


def middle(bars: list[Ohlcv], last: int, length: int) -> Fraction | None:
    """Return the middle of ``length`` bars until ``bars[last]``; None if there are fewer."""
    if last + 1 < length:
        return None
    window = bars[last + 1 - length : last + 1]
    highest, lowest = max(bar.high for bar in window), min(bar.low for bar in window)
    return (Fraction(highest) + Fraction(lowest)) / 2


def reference(bars: list[Ohlcv], conversion: int, base: int, span: int) -> Iterator[Expected]:
    """Return the lines of each bar, and the spans of the bar ``base`` - 1 before it."""
    for i, bar in enumerate(bars):
        drawn = i - (base - 1)
        fast, slow = middle(bars, drawn, conversion), middle(bars, drawn, base)
        yield {
            "conversion": middle(bars, i, conversion),
            "base": middle(bars, i, base),
            "span_a": None if fast is None or slow is None else (fast + slow) / 2,
            "span_b": middle(bars, drawn, span),
            "lagging": Fraction(bar.close),
        }


def by_talib(c: Columns) -> dict[str, Array]:
    """Return TA-Lib's middle prices, moved 25 places where they are spans."""

    def ahead(values: Array) -> Array:
        return np.concatenate([np.full(25, np.nan), values])[: len(values)]

    conversion, base = talib.MIDPRICE(c.high, c.low, 9), talib.MIDPRICE(c.high, c.low, 26)
    return {
        "conversion": conversion,
        "base": base,
        "span_a": ahead((conversion + base) / 2),
        "span_b": ahead(talib.MIDPRICE(c.high, c.low, 52)),
    }


ORACLES = (
    Oracle("ichimoku:9:26:52", lambda bars: reference(bars, 9, 26, 52), talib=by_talib),
    Oracle("ichimoku:7:1:3", lambda bars: reference(bars, 7, 1, 3)),
    Oracle("ichimoku:2:9:4", lambda bars: reference(bars, 2, 9, 4)),
)


def test_spans_drawn_ahead_follow_from_rows() -> None:
    # what the class says: (conversion + base) / 2, and the middle of donchian:52
    indicator = parse_choice("ichimoku").create()
    donchian = parse_choice("donchian:52").create()
    ahead: list[tuple[float | None, float | None]] = []
    for bar in SERIES["random"]:
        values = indicator.update(bar)
        fast, slow = values["conversion"], values["base"]
        span_a = None if fast is None or slow is None else (fast + slow) / 2
        ahead.append((span_a, donchian.update(bar)["middle"]))
        if len(ahead) > 25:
            assert (values["span_a"], values["span_b"]) == ahead[-26]
