"""Who took more, exact."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]


def reference(bars: list[Ohlcv], period: int) -> Iterator[Expected]:
    """Return bought less sold volume by all of it."""
    for i in range(len(bars)):
        window = bars[max(0, i + 1 - period) : i + 1]
        volume = sum((Fraction(bar.volume) for bar in window), Fraction(0))
        if len(window) < period or not volume:
            yield {"trade_flow_imbalance": None}
            continue
        bought = sum((Fraction(bar.buy_volume or 0) for bar in window), Fraction(0))
        yield {"trade_flow_imbalance": (2 * bought - volume) / volume}


ORACLES = (
    Oracle("trade_flow_imbalance:1", lambda bars: reference(bars, 1), scale=1),
    Oracle("trade_flow_imbalance:20", lambda bars: reference(bars, 20), scale=1),
)


def test_a_bar_that_does_not_know_who_took_begins_the_window_anew() -> None:
    flow = parse_choice("trade_flow_imbalance:2").create()
    bought = [3.0, 1.0, None, 4.0, 0.0]
    bars = [Ohlcv(i, 1.0, 1.0, 1.0, 1.0, 4.0, buy_volume=b) for i, b in enumerate(bought)]
    found = [(flow.warm(bar, i + 1), flow.update(bar)) for i, bar in enumerate(bars)]
    assert [warm for warm, _ in found] == [False, True, False, False, True]
    values = [value["trade_flow_imbalance"] for _, value in found]
    assert values == [None, 0.0, None, None, 0.0]
