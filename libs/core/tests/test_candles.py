"""When candles without a flag close."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from collector_core.candles import GRACE, CandleCloser
from collector_core.events import Candle

MINUTE = 60_000_000


def candle(minute: int, close: str = "1", symbol: str = "A/B", interval: str = "1m") -> Candle:
    opened = minute * MINUTE
    return Candle(
        *("x", symbol, opened + 5, opened + 9, 0, 0, interval, opened, opened + MINUTE),
        *("1", "1", "1", close, "1", None, None, False),
    )


def closed(row: Candle) -> Candle:
    return replace(row, closed=True)


def test_an_open_candle_passes_through() -> None:
    closer = CandleCloser()
    assert closer.feed(candle(1)) == [candle(1)]
    assert closer.feed(candle(1, "2")) == [candle(1, "2")]


def test_a_newer_one_closes_the_last_row_of_the_older() -> None:
    closer = CandleCloser()
    closer.feed(candle(1, "1"))
    closer.feed(candle(1, "2"))
    assert closer.feed(candle(2)) == [closed(candle(1, "2")), candle(2)]


def test_a_newer_one_closes_over_a_quiet_time() -> None:
    closer = CandleCloser()
    closer.feed(candle(1))
    assert closer.feed(candle(9)) == [closed(candle(1)), candle(9)]


def test_time_closes_at_the_end_plus_the_grace_and_not_before() -> None:
    closer = CandleCloser()
    closer.feed(candle(1))
    assert closer.next_close() == 2 * MINUTE + GRACE
    assert closer.on_time(2 * MINUTE + GRACE - 1) == []
    assert closer.on_time(2 * MINUTE + GRACE) == [closed(candle(1))]
    assert closer.on_time(3 * MINUTE) == []
    assert closer.next_close() is None


def test_a_late_row_of_a_closed_candle_is_a_correction() -> None:
    closer = CandleCloser()
    closer.feed(candle(1))
    closer.feed(candle(2))
    assert closer.feed(candle(1, "7")) == [closed(candle(1, "7"))]
    assert closer.feed(candle(2, "3")) == [candle(2, "3")]


def test_a_row_older_than_the_open_one_is_closed() -> None:
    closer = CandleCloser()
    closer.feed(candle(5))
    assert closer.feed(candle(3)) == [closed(candle(3))]
    assert closer.next_close() == 6 * MINUTE + GRACE


def test_streams_do_not_close_each_other() -> None:
    closer = CandleCloser()
    closer.feed(candle(1))
    assert closer.feed(candle(2, symbol="C/D")) == [candle(2, symbol="C/D")]
    assert closer.feed(candle(2, interval="3m")) == [candle(2, interval="3m")]


def test_an_interruption_closes_nothing() -> None:
    closer = CandleCloser()
    closer.feed(candle(1, "1"))
    closer.feed(candle(2, "2"))
    closer.interrupted()
    # the trades of the outage may have changed it: its last row is no end
    assert closer.on_time(9 * MINUTE) == []
    assert closer.feed(candle(4)) == [candle(4)]
    # what was closed before stays so
    assert closer.feed(candle(1, "7")) == [closed(candle(1, "7"))]


def test_a_candle_goes_on_after_an_interruption() -> None:
    closer = CandleCloser()
    closer.feed(candle(1, "1"))
    closer.interrupted()
    assert closer.feed(candle(1, "2")) == [candle(1, "2")]
    assert closer.feed(candle(2)) == [closed(candle(1, "2")), candle(2)]


def test_a_forgotten_symbol_closes_no_more() -> None:
    closer = CandleCloser()
    closer.feed(candle(1))
    closer.feed(candle(2))
    closer.feed(candle(2, symbol="C/D"))
    closer.forget("A/B")
    assert closer.on_time(9 * MINUTE) == [closed(candle(2, symbol="C/D"))]
    assert closer.feed(candle(1)) == [candle(1)]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30))
def test_each_candle_that_was_open_is_closed_once_with_its_last_row(minutes: list[int]) -> None:
    closer = CandleCloser()
    rows = [
        row
        for number, minute in enumerate(sorted(minutes))
        for row in closer.feed(candle(minute, str(number)))
    ]
    rows += closer.on_time(100 * MINUTE)
    final = [row for row in rows if row.closed]
    assert [row.open_time // MINUTE for row in final] == sorted(set(minutes))
    for row in final:
        last = [r for r in rows if r.open_time == row.open_time and not r.closed][-1]
        assert row == closed(last)
