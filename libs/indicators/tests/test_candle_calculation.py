"""Indicators over candles: closed and open rows, corrections, holes."""

from __future__ import annotations

from collector_core.events import Event, Indicator

from .rows import MINUTE, SECOND, at, calculation, candle, clock, feed, status


def values(rows: list[Event]) -> list[tuple[int, bool, int, float | None]]:
    """Return minute, closed, revision and the first value of each row."""
    return [
        (
            (row.open_time - at(0)) // MINUTE,
            row.closed,
            row.revision,
            next(iter(row.values.values())),
        )
        for row in rows
        if isinstance(row, Indicator)
    ]


def test_closed_candles_give_rows() -> None:
    rows = feed(calculation(indicators="rsi:2", input="candle"), candle(0), candle(60, "11"))
    assert rows[1] == Indicator(
        exchange="x",
        symbol="BTC/USDT",
        exchange_time=None,
        receive_time=at(120) + 500,
        epoch=at(60) + 500,
        seq=2,
        name="rsi",
        params="2",
        input="candle",
        interval="1m",
        open_time=at(60),
        values={"rsi": None},
        bars_seen=2,
        warm=False,
        closed=True,
    )


def test_open_candles_give_live_rows_on_the_grid_only() -> None:
    made = calculation(indicators="vwap:1", input="candle", live_every=SECOND)
    rows = feed(
        made,
        candle(0, "10", closed=False, received=1.1),
        candle(0, "11", closed=False, received=1.9),
        # a new slot: as of before this row
        candle(0, "12", closed=False, received=2.2),
        candle(0, "13", received=60.1),
        candle(60, "14", closed=False, received=60.2),
        # an open row of a candle that has closed says nothing
        candle(0, "99", closed=False, received=61.5),
        candle(60, "15", closed=False, received=62.5),
    )
    assert values(rows) == [
        (0, False, 0, 11.0),
        (0, False, 0, 12.0),
        (0, True, 0, 13.0),
        (1, False, 0, 14.0),
    ]


def test_a_correction_revises_and_a_repetition_does_not() -> None:
    made = calculation(indicators="vwap:2", input="candle")
    feed(made, *[candle(60 * i, str(10 + i)) for i in range(4)])
    assert feed(made, candle(120, "12")) == []
    assert values(feed(made, candle(120, "20"))) == [(2, True, 1, 15.5), (3, True, 1, 16.5)]
    assert values(feed(made, candle(240, "14"))) == [(4, True, 0, 13.5)]
    assert feed(made, candle(0, "99"), candle(180, "13")) == []
    assert made.late == {"1m": 1}
    assert made.dropped == {"1m": 1}


def test_a_candle_that_was_left_out_comes_in_before_later_ones() -> None:
    made = calculation(indicators="vwap:2", input="candle")
    feed(made, candle(0), candle(60), candle(180, "13"))
    assert values(feed(made, candle(120, "12"))) == [(2, True, 0, 11.0), (3, True, 1, 12.5)]


def test_an_older_open_row_does_not_replace_a_newer_one() -> None:
    made = calculation(indicators="vwap:1", input="candle", live_every=SECOND)
    rows = feed(
        made,
        candle(60, "10", closed=False, received=61),
        candle(0, "99", closed=False, received=61.5),
        candle(60, "11", closed=False, received=63),
    )
    assert values(rows) == [(1, False, 0, 10.0)]


def test_candles_of_other_intervals_are_left_out() -> None:
    made = calculation("5m", "vwap:1", input="candle")
    assert feed(made, candle(0), candle(60)) == []
    assert len(feed(made, candle(0, interval="5m", length=300))) == 1


def test_a_gap_marks_what_is_computed_over_a_hole() -> None:
    gap = status("gap", unit="time", channel="candle")
    log = [candle(0), gap, candle(180), candle(240), candle(300), candle(420)]
    rows = feed(calculation(indicators="bollinger:2:2,vwap:1", input="candle"), *log)
    marks = [row.incomplete for row in rows if isinstance(row, Indicator)]
    # bollinger:2 sees the hole in two rows, vwap:1 in one; a hole without a gap is a quiet market
    assert marks == [False, False, True, True, True, False, False, False, False, False]


def test_a_filled_gap_marks_nothing() -> None:
    made = calculation(indicators="vwap:1", input="candle")
    rows = feed(
        made,
        candle(0),
        status("gap", at(60), at(240), unit="time", channel="candle"),
        *[candle(60 * i, backfilled=True, received=250) for i in range(1, 4)],
        status("backfilled", at(60), at(240), unit="time", channel="candle"),
        candle(360),
    )
    assert [row.incomplete for row in rows if isinstance(row, Indicator)] == [False] * 5


def test_status_of_other_channels_and_foreign_rows_change_nothing() -> None:
    made = calculation(indicators="vwap:1", input="candle")
    rows = feed(made, candle(0), status("gap"), clock(90), candle(180))
    assert [row.incomplete for row in rows if isinstance(row, Indicator)] == [False, False]
    assert made.foreign == 1


def test_candles_without_any_receive_time_go_by_their_open_time() -> None:
    made = calculation(indicators="vwap:1", input="candle", live_every=SECOND)
    row = candle(0, closed=False)
    rows = [
        *made.feed(
            type(row)(
                **{f: getattr(row, f) for f in row.__struct_fields__} | {"receive_time": None}
            )
        ),
        *made.feed(candle(60)),
    ]
    assert values(rows) == [(0, False, 0, 10.0), (1, True, 0, 10.0)]
    assert rows[0].epoch == 0
