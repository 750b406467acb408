"""Bars from trades: what closes when, with which numbers, and what late trades do."""

from __future__ import annotations

import pytest

from collector_core.errors import NumberError
from collector_core.events import Bar, Event, Indicator, Ticker

from .rows import MINUTE, SECOND, at, calculation, clock, feed, trade


def bars(rows: list[Event]) -> list[Bar]:
    """Return the bar rows."""
    return [row for row in rows if isinstance(row, Bar)]


def readings(rows: list[Event], name: str) -> list[Indicator]:
    """Return the rows of one indicator."""
    return [row for row in rows if isinstance(row, Indicator) and row.name == name]


def test_a_bar_has_the_exact_numbers_of_its_trades() -> None:
    rows = feed(
        calculation(indicators=""),
        trade(0, "1"),
        trade(60, "10.50", "0.1"),
        trade(61, "11", "0.25", "sell"),
        trade(61, "9.125", "1.000", None),
        trade(119.999999, "10.5", "3"),
        trade(120.2, "12"),
    )
    # the first bar may lack what was traded before the log began
    assert [bar.incomplete for bar in bars(rows)] == [True, False]
    assert rows[1] == Bar(
        exchange="x",
        symbol="BTC/USDT",
        exchange_time=at(120.2),
        receive_time=at(120.2) + 500,
        epoch=at(0) + 500,
        seq=2,
        interval="1m",
        open_time=at(60),
        close_time=at(120),
        open="10.50",
        high="11",
        low="9.125",
        close="10.5",
        volume="4.350",
        quote_volume="44.425000",
        trade_count=4,
        closed=True,
        bar_kind="time",
        size="1m",
        ordinal=at(60) // MINUTE,
        buy_volume="3.1",
    )


def test_a_bar_closes_at_its_end_plus_the_grace() -> None:
    made = calculation(indicators="")
    assert not feed(made, trade(1), trade(60.05), trade(59.9, "7"), trade(60.099999))
    (closed,) = bars(feed(made, trade(60.1)))
    # the trade in the grace belongs to the bar before, and came after its last one
    assert (closed.low, closed.close, closed.trade_count) == ("7", "7", 2)
    (second,) = bars(feed(made, clock(121)))
    assert (second.open, second.trade_count) == ("10.0", 3)


def test_a_clock_row_closes_the_bar_of_a_quiet_symbol() -> None:
    made = calculation(indicators="")
    assert not feed(made, trade(30), clock(60))
    (closed,) = bars(feed(made, clock(61)))
    assert (closed.open_time, closed.receive_time) == (at(0), at(61) + 700)
    assert closed.closed


def test_a_bar_without_trades_has_no_row() -> None:
    rows = bars(feed(calculation(indicators=""), trade(30), trade(3630), clock(7200)))
    assert [bar.ordinal - at(0) // MINUTE for bar in rows] == [0, 60]


def test_a_trade_without_exchange_time_goes_by_its_receive_time() -> None:
    made = calculation(indicators="")
    rows = bars(feed(made, trade(None, received=30), trade(None, received=90), clock(600)))
    assert [bar.open_time for bar in rows] == [at(0), at(60)]


def test_a_trade_without_any_time_is_counted_and_left_out() -> None:
    made = calculation(indicators="")
    rows = bars(feed(made, trade(None), trade(30), trade(None), clock(600)))
    assert [bar.trade_count for bar in rows] == [1]
    assert made.untimed == 2  # type: ignore[attr-defined]  # of the trade calculation


def test_rows_of_other_kinds_are_counted_and_left_out() -> None:
    made = calculation()
    assert not made.feed(Ticker("x", "BTC/USDT", None, None, 1, 1))
    assert made.foreign == 1


def test_intervals_close_together_and_hold_the_same_trades() -> None:
    log = [trade(i * 7.3, str(10 + i % 5), "0.1") for i in range(200)]
    rows = bars(feed(calculation("1m,3m,5m,1h,1d,1w,1M", ""), *log, clock(40 * 86400)))
    names = ["1m", "3m", "5m", "1h", "1d", "1w", "1M"]
    counts = dict.fromkeys(names, 0)
    for bar in rows:
        counts[bar.interval or ""] += bar.trade_count
        assert bar.size == bar.interval
    assert counts == dict.fromkeys(names, 200)
    last = {bar.interval: bar for bar in rows}
    assert last["1w"].open_time == at(0)
    assert (last["1M"].open_time, last["1M"].ordinal) == (at(-12 * 86400), 53 * 12 + 10)
    assert last["1M"].close_time == at(18 * 86400)
    # at one moment, the intervals come in the order of the settings
    assert [bar.interval for bar in rows[-7:]] == names


def test_open_and_close_go_by_time_even_out_of_order() -> None:
    made = calculation(indicators="")
    log = [trade(0), trade(63, "3"), trade(61, "1"), trade(65, "5"), trade(64, "4"), trade(65, "6")]
    (_, bar) = bars(feed(made, *log, clock(121)))
    assert (bar.open, bar.high, bar.low, bar.close) == ("1", "6", "1", "6")


# --- live values ------------------------------------------------------------------------------


def test_live_rows_come_on_the_grid_as_of_before_the_row() -> None:
    made = calculation(indicators="vwap", live_every=SECOND)
    assert not feed(made, trade(0.2, "10"), trade(0.9, "20"))
    bar, value = feed(made, trade(1.5, "100"))
    assert isinstance(bar, Bar)
    assert isinstance(value, Indicator)
    assert (bar.close, bar.closed, bar.trade_count, bar.revision) == ("20", False, 2, 0)
    assert (value.values, value.closed, value.open_time) == ({"vwap": 15.0}, False, at(0))
    # the same slot, and then slots in which nothing changed since
    assert len(feed(made, clock(1.9), clock(2.0), clock(3.0), clock(9.0))) == 2
    assert bars(feed(made, trade(9.5), clock(10)))[0].trade_count == 4


def test_what_closes_comes_before_live_rows_and_is_not_repeated_live() -> None:
    made = calculation("1m,5m", "vwap", live_every=SECOND)
    feed(made, trade(0), trade(59.5))
    assert [(row.interval, row.closed) for row in bars(feed(made, trade(60.5)))] == [
        ("1m", True),
        ("5m", False),
    ]


def test_live_indicators_are_over_the_oldest_open_bar() -> None:
    made = calculation(indicators="vwap", live_every=SECOND, grace=10 * SECOND)
    feed(made, trade(58), trade(59.5, "20"))
    rows = feed(made, trade(61, "30"), trade(62))
    assert [row.open_time for row in bars(rows)] == [at(0), at(0), at(60)]
    assert [row.open_time for row in readings(rows, "vwap")] == [at(0), at(0)]


def test_without_a_grid_only_closed_rows_come() -> None:
    rows = feed(calculation(), *[trade(i) for i in range(200)])
    assert {row.closed for row in rows if isinstance(row, Bar | Indicator)} == {True}


# --- late trades ------------------------------------------------------------------------------


def test_late_trades_revise_once_for_all_that_came_together() -> None:
    made = calculation(indicators="rsi:2")
    closing = feed(made, *[trade(60 * i + 30, str(10 + i % 3)) for i in range(6)])
    assert [row.revision for row in bars(closing)] == [0] * 5
    assert not feed(made, trade(60 * 4 + 59, "50"), trade(60 * 3 + 1, "2"), trade(60 * 4 + 1, "1"))
    rows = feed(made, trade(60 * 5 + 31))
    assert [(row.ordinal - at(0) // MINUTE, row.revision) for row in bars(rows)] == [(3, 1), (4, 1)]
    revised = readings(rows, "rsi")
    assert [(row.open_time, row.revision) for row in revised] == [(at(180), 1), (at(240), 1)]
    assert [row.bars_seen for row in revised] == [4, 5]
    assert made.late == {"1m": 3}
    # what follows is computed from the revised bars: as if they had been so from the start
    straight = calculation(indicators="rsi:2")
    ordered = feed(
        straight,
        *[trade(60 * i + 30, str(10 + i % 3)) for i in range(3)],
        *[trade(181, "2"), trade(210, "10")],
        *[trade(241, "1"), trade(270, "11"), trade(299, "50")],
        *[trade(330, "12"), trade(331)],
    )
    assert [row.values for row in readings(ordered, "rsi")[3:]] == [row.values for row in revised]
    after, expected = feed(made, clock(500)), feed(straight, clock(500))
    assert [row.values for row in readings(after, "rsi")] == [
        row.values for row in readings(expected, "rsi")
    ]


def test_a_second_revision_counts_on() -> None:
    made = calculation(indicators="rsi:2")
    feed(made, *[trade(60 * i + 30) for i in range(4)])
    first = bars(feed(made, trade(150, "9"), clock(220)))
    second = bars(feed(made, trade(151, "8"), trade(221)))
    assert [[(row.revision, row.low) for row in rows] for rows in (first, second)] == [
        [(1, "9")],
        [(2, "8")],
    ]


def test_beyond_the_horizon_late_trades_are_counted_and_change_nothing() -> None:
    made = calculation("1m,1h", "rsi:2", horizon=1)
    feed(made, *[trade(60 * i + 30) for i in range(6)])
    assert not feed(made, trade(200, "1"))
    assert not feed(made, trade(331))
    assert made.dropped == {"1m": 1, "1h": 0}
    # the hour is still open and has it
    (hour,) = [row for row in bars(feed(made, clock(3601))) if row.interval == "1h"]
    assert (hour.low, hour.trade_count) == ("1", 8)


def test_with_no_horizon_every_late_trade_is_only_counted() -> None:
    made = calculation(indicators="rsi:2", horizon=0)
    feed(made, *[trade(60 * i + 30) for i in range(4)])
    assert not feed(made, trade(179.5), trade(211))
    assert made.dropped == {"1m": 1}


def test_a_late_trade_makes_the_bar_that_had_none() -> None:
    made = calculation(indicators="rsi:2,vwap")
    feed(made, trade(30), trade(90, "11"), trade(210, "12"), trade(270, "13"))
    rows = feed(made, trade(150, "99"), clock(290))
    assert [(row.ordinal - at(0) // MINUTE, row.revision) for row in bars(rows)] == [(2, 0)]
    assert [(row.open_time, row.revision, row.bars_seen) for row in readings(rows, "rsi")] == [
        (at(120), 0, 3),
        (at(180), 1, 4),
    ]


def test_revised_bars_leave_the_horizon_as_they_are() -> None:
    made = calculation(indicators="vwap:4")
    feed(made, *[trade(60 * i + 30, str(10 * i + 10)) for i in range(4)])
    feed(made, trade(150, "90", "2"))
    rows = readings(feed(made, *[trade(60 * i + 30, "40") for i in range(4, 7)]), "vwap")
    # bars of 10, 20, (30 + 2 * 90), 40; then three of 40
    assert [row.values["vwap"] for row in rows if not row.revision] == [280 / 6, 310 / 6, 330 / 6]


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["abc", "", "NaN", "Infinity", "sNaN", "9" * 700])
def test_a_number_that_is_none_is_said(text: str) -> None:
    for log in ([trade(0, text)], [trade(0), trade(1, "1", text), trade(2)]):
        with pytest.raises(NumberError, match="expected"):
            feed(calculation(live_every=SECOND, indicators="rsi"), *log, trade(70, "1"))


def test_a_number_that_is_none_is_said_among_many_trades() -> None:
    for price, amount in (("Infinity", "1"), ("1", "x"), ("9" * 600, "9" * 600)):
        log = [trade(i) for i in range(5)]
        with pytest.raises(NumberError, match="expected"):
            feed(calculation(), *log, trade(6, price, amount), trade(7), trade(70))


def test_a_number_too_large_for_products_is_said() -> None:
    with pytest.raises(NumberError, match="between -1e100 and 1e100"):
        feed(calculation(), trade(0, "1" + "0" * 100), trade(70))


def test_an_exchange_of_a_thousand_trades_a_second_is_collected_in_parts() -> None:
    made = calculation(indicators="")
    log = [trade(i / 1000, "10.5", "0.001") for i in range(5000)]
    assert not feed(made, *log)
    (bar,) = bars(feed(made, clock(61)))
    assert (bar.trade_count, bar.volume, bar.quote_volume) == (5000, "5.000", "52.5000")
