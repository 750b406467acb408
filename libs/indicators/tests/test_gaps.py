"""Gaps of a trade topic: which bars and values they mark, and what a backfill clears."""

from __future__ import annotations

import pytest

from collector_core.events import Bar, Event, Indicator

from .rows import MINUTE, at, calculation, clock, feed, status, trade


def bars(rows: list[Event]) -> list[Bar]:
    """Return the bar rows."""
    return [row for row in rows if isinstance(row, Bar)]


def readings(rows: list[Event], name: str) -> list[Indicator]:
    """Return the rows of one indicator."""
    return [row for row in rows if isinstance(row, Indicator) and row.name == name]


def incomplete(rows: list[Event]) -> list[int]:
    """Return the minutes of the bars marked incomplete, without the first."""
    return [
        (row.open_time - at(0)) // MINUTE
        for row in bars(rows)
        if row.incomplete and row.open_time > at(0)
    ]


def test_a_gap_in_ids_marks_the_bars_between_the_trades_around_it() -> None:
    made = calculation(indicators="rsi:2,vwap:1")
    rows = feed(
        made,
        *[trade(60 * i + 30) for i in range(6)],
        trade(365, "11"),
        status("gap", 7, 9),
        trade(485),
        *[trade(60 * i + 30) for i in range(9, 15)],
    )
    assert incomplete(rows) == [6, 8]
    # rsi:2 needs three bars, so the mark stays for two bars more; vwap:1 is over one
    assert [
        (row.open_time - at(0)) // MINUTE for row in readings(rows, "rsi") if row.incomplete
    ] == [0, 1, 2, 6, 8, 9, 10]
    assert [
        (row.open_time - at(0)) // MINUTE for row in readings(rows, "vwap") if row.incomplete
    ] == [0, 6, 8]


def test_a_session_stays_incomplete_until_the_next() -> None:
    hours = [trade(3600 * i + 30) for i in range(60)]
    rows = feed(
        calculation("1h", "vwap"), *hours[:30], status("gap", 7, 9), *hours[30:], clock(86400 * 3)
    )
    values = readings(rows, "vwap")
    # the first day was not seen from its start; the second has a gap after its sixth hour
    assert [row.incomplete for row in values] == [True] * 24 + [False] * 5 + [True] * 19 + [
        False
    ] * 12
    assert [row.warm for row in values] == [True] * 60


def test_a_gap_in_times_marks_the_bars_it_touches_with_or_without_trades() -> None:
    made = calculation(indicators="rsi:2")
    gap = status("gap", at(130), at(190), unit="time")
    rows = feed(
        made, trade(30), trade(90), trade(125), gap, trade(250), *[trade(330 + i) for i in range(9)]
    )
    rows += feed(made, clock(600))
    assert incomplete(rows) == [2]
    # the bar of minute 3 was lost whole; the next one says that something before it is missing
    assert [row.incomplete for row in readings(rows, "rsi")] == [True] * 3 + [True, True]


def test_a_clock_row_ends_a_gap() -> None:
    made = calculation(indicators="")
    rows = feed(made, trade(30), trade(70), status("gap", 1, 2), clock(130), trade(250), clock(400))
    assert incomplete(rows) == [1]
    assert incomplete(feed(made, trade(430), clock(600))) == []


def test_ordered_backfill_keeps_the_bars_whole() -> None:
    plain = [trade(10 * i, str(10 + i % 7), id=str(i)) for i in range(60)]
    fetched = [trade(10 * i, str(10 + i % 7), id=str(i), backfilled=True) for i in range(20, 40)]
    log = [
        *plain[:20],
        status("gap", 20, 39),
        *fetched,
        status("backfilled", 20, 39),
        *plain[40:],
        clock(900),
    ]
    rows = feed(calculation("1m,5m"), *log)
    # bars closed while fetching wait for the word that all is there
    assert incomplete(rows) == []
    straight = feed(calculation("1m,5m"), *plain, clock(900))
    assert {(row.interval, row.open_time, row.volume, row.close) for row in bars(rows)} == {
        (row.interval, row.open_time, row.volume, row.close) for row in bars(straight)
    }


@pytest.mark.parametrize(
    ("filled", "marked"), [((30, 39), [3, 5]), ((20, 29), [4, 6]), ((28, 30), [3, 4, 5, 6])]
)
def test_what_a_backfill_left_out_is_marked(filled: tuple[int, int], marked: list[int]) -> None:
    first, last = filled
    plain = [trade(10 * i, id=str(i)) for i in range(60)]
    fetched = [trade(10 * i, id=str(i), backfilled=True) for i in range(first, last + 1)]
    left = (20, first - 1) if first > 20 else (last + 1, 39)
    rows = feed(
        calculation(indicators=""),
        *plain[:20],
        status("gap", 20, 39),
        *fetched,
        status("backfilled", first, last),
        # said again by the publisher: what stays unfilled
        status("gap", *left),
        *plain[40:],
        clock(900),
    )
    assert incomplete(rows) == marked


def test_rows_fetched_late_clear_what_is_not_closed_yet() -> None:
    made = calculation("1m,5m", "", horizon=2)
    log = [trade(301), trade(302, id="1"), status("gap", 2, 2), trade(303, id="3"), trade(370)]
    rows = feed(made, *log)
    late = trade(302.5, id="2", backfilled=True)
    rows += feed(made, late, status("backfilled", 2, 2), trade(371), clock(700))
    assert [(row.interval, row.revision, row.incomplete) for row in bars(rows)] == [
        ("1m", 0, True),
        # the minute was published already and keeps its mark; it opened the log, too
        ("1m", 1, True),
        ("1m", 0, False),
        ("5m", 0, True),
    ]


def test_a_backfill_that_says_no_range_clears_nothing() -> None:
    made = calculation(indicators="")
    log = [trade(0), trade(70), status("gap", 2, 5), status("backfilled"), trade(80), clock(180)]
    assert incomplete(feed(made, *log)) == [1]


def test_status_rows_of_other_channels_or_states_mark_nothing() -> None:
    made = calculation(indicators="")
    log = [trade(0), trade(70), status("gap", 2, 5, channel="book"), status("stale"), clock(180)]
    assert incomplete(feed(made, *log)) == []


def test_an_endless_backfill_does_not_hold_bars_forever() -> None:
    made = calculation("1s", "")
    feed(made, trade(0), status("gap", 2, None))
    rows = feed(made, *[trade(i, backfilled=True) for i in range(1, 1500)])
    assert len(bars(rows)) == 1000
    assert all(bar.incomplete for bar in bars(rows))


def test_many_gaps_become_one_that_covers_them() -> None:
    made = calculation("1s,1h", "")
    rows: list[Event] = []
    for i in range(200):
        gap = status("gap", 3 * i, 3 * i + 1)
        rows += feed(made, trade(2 * i), gap, trade(2 * i + 1.9))
    # each second bar is between two gaps, and all are touched by one
    assert len(incomplete_seconds(rows)) == len(bars(rows))
    assert len(made._gaps.known) <= 64  # type: ignore[attr-defined]  # the bound itself


def incomplete_seconds(rows: list[Event]) -> list[int]:
    """Return the open times of the incomplete bars."""
    return [row.open_time for row in bars(rows) if row.incomplete]
