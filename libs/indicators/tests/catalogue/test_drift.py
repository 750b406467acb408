"""Windows forget what has left them, to the last bit."""

from __future__ import annotations

import random

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice


def test_nothing_drifts_over_many_rows() -> None:
    # many rows, each sixth a thousand million times as large as the others
    draw = random.Random(11)
    closes = [draw.random() * (1e9 if i % 6 == 0 else 1.0) for i in range(200_000)]
    closes += [1.0 + i * 1e-9 for i in range(20)]
    long = parse_choice("bollinger:20:2").create()
    rolling = parse_choice("vwap:20").create()
    for i, close in enumerate(closes):
        bar = Ohlcv(i, close, close, close, close, 1.0 + close)
        bands, price = long.update(bar), rolling.update(bar)
    fresh = parse_choice("bollinger:20:2").create()
    fresh_rolling = parse_choice("vwap:20").create()
    for i, close in enumerate(closes[-20:]):
        bar = Ohlcv(i, close, close, close, close, 1.0 + close)
        expected, expected_price = fresh.update(bar), fresh_rolling.update(bar)
    assert expected == bands
    assert expected_price == price
