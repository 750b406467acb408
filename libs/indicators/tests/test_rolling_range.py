"""Rolling extremes against the extremes of slices."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_indicators.rolling_range import RollingRange

# few different values, so that there are many ties
PRICES = st.one_of(st.integers(0, 5).map(float), st.floats(-1e100, 1e100, allow_nan=False))
BARS = st.lists(st.tuples(PRICES, PRICES), max_size=120)


def expected_of(bars: list[tuple[float, float]], length: int) -> tuple[float, int, float, int]:
    """Return highest high, bars since, lowest low, bars since over the last ``length`` bars."""
    highs = [high for high, _ in bars[-length:]][::-1]
    lows = [low for _, low in bars[-length:]][::-1]
    return max(highs), highs.index(max(highs)), min(lows), lows.index(min(lows))


@given(bars=BARS, length=st.integers(1, 40))
def test_extremes_and_their_ages_are_those_of_the_slice(
    bars: list[tuple[float, float]], length: int
) -> None:
    window = RollingRange()
    for i, (high, low) in enumerate(bars):
        highest, lowest = window.update(high, low, length)
        since_high, since_low = window.ages()
        assert (highest, since_high, lowest, since_low) == expected_of(bars[: i + 1], length)


@given(bars=BARS, length=st.integers(1, 40))
def test_peek_tells_what_an_update_would_and_changes_nothing(
    bars: list[tuple[float, float]], length: int
) -> None:
    window = RollingRange()
    for i, (high, low) in enumerate(bars):
        before = msgspec.msgpack.encode(window)
        assert window.peek(high, low, length) == expected_of(bars[: i + 1], length)
        assert msgspec.msgpack.encode(window) == before
        window.update(high, low, length)


@given(bars=BARS, length=st.integers(1, 40), data=st.data())
def test_it_goes_on_from_its_encoding(
    bars: list[tuple[float, float]], length: int, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(bars)))
    window = restored = RollingRange()
    for i, bar in enumerate(bars):
        if i == cut:
            restored = msgspec.msgpack.decode(msgspec.msgpack.encode(window), type=RollingRange)
        assert window.update(*bar, length) == restored.update(*bar, length) or i < cut


@pytest.mark.parametrize("step", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize("length", [1, 2, 30, 500])
def test_memory_is_bounded_by_the_window(length: int, step: float) -> None:
    window = RollingRange()
    for i in range(5_000):
        window.update(i * step, i * step, length)
        assert len(window.highs) == len(window.high_bars) <= 2 * length + 16
        assert len(window.lows) == len(window.low_bars) <= 2 * length + 16
