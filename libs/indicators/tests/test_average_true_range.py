"""The average true range as a part of other indicators; its values are tested by the ATR."""

from __future__ import annotations

import msgspec
import pytest

from collector_indicators.average_true_range import AverageTrueRange
from collector_indicators.ohlcv import Ohlcv

BARS = [
    Ohlcv(0, 10.0, 12.0, 9.0, 11.0, 1.0),
    Ohlcv(1, 11.0, 13.0, 10.0, 10.5, 1.0),
    # opens above the high of the bar before
    Ohlcv(2, 15.0, 16.0, 14.5, 15.0, 1.0),
    # and below the low
    Ohlcv(3, 9.0, 9.5, 8.0, 9.0, 1.0),
]


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (1, [None, 3.0, 5.5, 7.0]),
        (2, [None, None, 4.25, 5.625]),
        (3, [None, None, None, 15.5 / 3]),
        (4, [None] * 4),
    ],
)
def test_true_ranges_reach_to_the_close_before(period: int, expected: list[float | None]) -> None:
    average = AverageTrueRange()
    assert [average.update(bar, period) for bar in BARS] == expected


@pytest.mark.parametrize("period", [1, 2, 3])
def test_peek_tells_what_an_update_would_and_changes_nothing(period: int) -> None:
    average = AverageTrueRange()
    for bar in BARS:
        before = msgspec.msgpack.encode(average)
        peeked = average.peek(bar, period)
        assert msgspec.msgpack.encode(average) == before
        assert average.update(bar, period) == peeked
