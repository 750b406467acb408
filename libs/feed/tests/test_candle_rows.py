"""Candles as rows, and the spans that pages are asked for."""

from __future__ import annotations

import pytest

from collector_core.errors import NumberError, SettingsError
from collector_feed.candle_rows import CandleSpan, Figures, candle, kept
from collector_feed.given import given

MINUTE = 60_000_000


def figures(opened: int, close: str = "1.50") -> Figures:
    return Figures(opened, "1", "2", "0.5", close, "1E1", quote_volume="", exchange_time=7)


def opens(span: CandleSpan, found: list[int], now: int | None) -> list[int]:
    return [row.open_time for row in span.rows("x", "A/X", map(figures, found), now)]


def test_a_candle_ends_where_the_next_one_begins_and_keeps_its_digits() -> None:
    row = candle("x", "A/X", "5m", figures(0), 9, closed=False)
    assert (row.close_time, row.close, row.volume) == (5 * MINUTE, "1.50", "10")
    assert (row.exchange_time, row.receive_time, row.quote_volume) == (7, 9, None)
    assert (row.closed, row.backfilled) == (False, False)


def test_a_figure_that_is_no_number_is_refused() -> None:
    with pytest.raises(NumberError):
        candle("x", "A/X", "1m", figures(0, "much"), None, closed=True)


def test_rows_are_those_of_the_span_that_are_closed() -> None:
    span = CandleSpan("1m", MINUTE, 4 * MINUTE, 1000)
    found = [0, MINUTE, 2 * MINUTE, 3 * MINUTE, 4 * MINUTE]
    assert opens(span, found, 4 * MINUTE - 1) == [MINUTE, 2 * MINUTE]
    assert opens(span, found, None) == [MINUTE, 2 * MINUTE, 3 * MINUTE]
    rows = span.rows("x", "A/X", map(figures, found), None)
    assert {(row.closed, row.backfilled) for row in rows} == {(True, True)}


@pytest.mark.parametrize(
    ("start", "end", "now", "until", "following"),
    [
        # the newest, without an end or with one: one page
        (None, None, 100 * MINUTE, None, None),
        (None, 50 * MINUTE, 100 * MINUTE, 50 * MINUTE, None),
        # from a start on, as far as a page goes, and on from there
        (0, None, 100 * MINUTE, 10 * MINUTE, 10 * MINUTE),
        (0, 50 * MINUTE, 100 * MINUTE, 10 * MINUTE, 10 * MINUTE),
        (0, 50 * MINUTE, None, 10 * MINUTE, 10 * MINUTE),
        # up to the end, or to the present
        (45 * MINUTE, 50 * MINUTE, 100 * MINUTE, 50 * MINUTE, None),
        (95 * MINUTE, None, 100 * MINUTE, 105 * MINUTE, None),
        (0, None, None, 10 * MINUTE, None),
    ],
)
def test_a_page_ends_after_its_intervals_and_more_follow_up_to_the_present(
    start: int | None, end: int | None, now: int | None, until: int | None, following: int | None
) -> None:
    span = CandleSpan("1m", start, end, 10)
    assert (span.until, span.following(now)) == (until, following)


def test_a_page_that_is_not_counted_in_intervals_ends_at_the_end() -> None:
    assert CandleSpan("1m", 0, 50 * MINUTE).until == 50 * MINUTE


def test_a_page_of_months_is_counted_in_the_shortest() -> None:
    assert CandleSpan("1M", 0, None, 2).until == 2 * 28 * 1440 * MINUTE


def test_an_interval_that_is_not_kept_is_refused_with_those_that_are() -> None:
    assert kept({"1m": "one"}, "1m") == "one"
    with pytest.raises(SettingsError, match="expected one of 1m, 1h as interval, as it is, was"):
        kept({"1m": 1, "1h": 60}, "7m", ", as it is")


def test_an_empty_text_is_no_number_and_zero_is_one() -> None:
    assert [given(text) for text in (None, "", "0", "1E2")] == [None, None, "0", "100"]
