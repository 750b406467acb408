"""Turnover by volume, exact, since the day began, since a time or over the last bars."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction

import pytest

from collector_core.errors import SettingsError
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.selection import parse_choice

from .oracle import Expected, Oracle

__all__ = ["ORACLES"]

DAY = 86_400_000_000
HOUR = 3_600_000_000
NOON = "vwap:19700101T120000Z"


def reference(bars: list[Ohlcv], window: str) -> Iterator[Expected]:
    """Turnover by volume since the day began, since a time, or over the last N bars."""
    offset = {"utc": 0, "kst": 9 * HOUR}.get(window, 0)
    for i, bar in enumerate(bars):
        if window in {"utc", "kst"}:
            day = (bar.open_time + offset) // DAY
            chosen = [b for b in bars[: i + 1] if (b.open_time + offset) // DAY == day]
        elif window.endswith("Z"):
            since = datetime.strptime(window, "%Y%m%dT%H%M%S%z").timestamp() * 1_000_000
            chosen = [b for b in bars[: i + 1] if b.open_time >= since]
        else:
            chosen = bars[max(0, i + 1 - int(window)) : i + 1]
        volume = sum(Fraction(b.volume) for b in chosen)
        turnover = sum(
            Fraction(b.quote_volume)
            if b.quote_volume is not None
            else (Fraction(b.high) + Fraction(b.low) + Fraction(b.close)) / 3 * Fraction(b.volume)
            for b in chosen
        )
        exact = turnover / volume if volume else None
        yield {"vwap": exact}


ORACLES = (
    Oracle("vwap:utc", lambda bars: reference(bars, "utc"), cumulative=True),
    Oracle("vwap:kst", lambda bars: reference(bars, "kst"), cumulative=True),
    Oracle("vwap:20", lambda bars: reference(bars, "20")),
    Oracle(
        "vwap:19700101T120000Z", lambda bars: reference(bars, "19700101T120000Z"), cumulative=True
    ),
    Oracle(
        "vwap:19691231T235959Z", lambda bars: reference(bars, "19691231T235959Z"), cumulative=True
    ),
)


def bar_at(open_time: int, price: float = 2.0, volume: float = 3.0) -> Ohlcv:
    """Return a bar with one price."""
    return Ohlcv(open_time, price, price, price, price, volume, price * volume)


def warm_at(choice: str, *open_times: int) -> list[bool]:
    """Return whether values are warm over bars that open at these times, also after restores."""
    indicator, warm = parse_choice(choice).create(), []
    for i, open_time in enumerate(open_times):
        bar = bar_at(open_time)
        warm.append(indicator.warm(bar, i + 1))
        indicator.update(bar)
        restored = indicator.copy()
        assert restored.warm(bar, i + 2) == indicator.warm(bar, i + 2)
        indicator = restored
    return warm


def test_an_anchored_one_is_warm_if_all_since_its_time_was_seen() -> None:
    noon = 12 * HOUR
    assert warm_at(NOON, noon - 2, noon - 1, noon + 1, noon + DAY) == [False, False, True, True]
    assert warm_at(NOON, noon, noon + 2 * DAY) == [True, True]
    assert warm_at(NOON, noon + 1, noon + 2 * DAY) == [False, False]


def test_a_session_is_warm_if_all_since_it_began_was_seen() -> None:
    assert warm_at("vwap:utc", 1, HOUR, DAY + HOUR, DAY + 2 * HOUR) == [False, False, True, True]
    assert warm_at("vwap:utc", DAY, DAY + 1) == [True, True]


def test_an_anchored_one_is_gathered_since_its_time() -> None:
    noon, indicator = 12 * HOUR, parse_choice(NOON).create()
    times = (noon - 1, noon, noon + 5 * DAY)
    assert [None, noon, noon] == [indicator.window_start(time) for time in times]


def test_what_came_before_its_time_counts_nowhere() -> None:
    noon, indicator = 12 * HOUR, parse_choice(NOON).create()
    bars = [bar_at(0, 1e90, 1e9), bar_at(noon - 1, 5e-324), bar_at(noon, 0.1), bar_at(noon + 1)]
    got = []
    for bar in bars:
        peeked, values = indicator.peek(bar), indicator.update(bar)
        assert peeked == values
        got.append(values["vwap"])
    assert [None, None, 0.1 * 3.0 / 3.0, float((Fraction(0.1 * 3.0) + 6) / 6)] == got


@pytest.mark.parametrize(
    "window", ["20261301T000000Z", "20260230T000000Z", "20261101T240000Z", "00000101T000000Z"]
)
def test_a_time_that_no_calendar_has_is_refused(window: str) -> None:
    with pytest.raises(SettingsError, match=f"expected a time such as .*, was '{window}'"):
        parse_choice(f"vwap:{window}")


@pytest.mark.parametrize("window", ["2026-11-01", "20261101T000000", "20261101", "utcZ", "0"])
def test_what_is_neither_a_session_nor_a_time_nor_a_number_is_refused(window: str) -> None:
    with pytest.raises(SettingsError, match="parameter window"):
        parse_choice(f"vwap:{window}")


@pytest.mark.parametrize("choice", ["vwap:utc", "vwap:2", "vwap:19700101T000000Z"])
def test_a_price_beyond_all_doubles_is_none(choice: str) -> None:
    indicator = parse_choice(choice).create()
    for _ in range(2):
        bar = Ohlcv(0, 1.0, 1.0, 1.0, 1.0, 5e-324, 1e99)
        assert indicator.peek(bar) == indicator.update(bar) == {"vwap": None}
