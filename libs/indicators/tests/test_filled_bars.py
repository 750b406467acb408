"""Bars that close when they are full, against a plain reading of their rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_core.errors import NumberError, SettingsError
from collector_core.events import Bar, Event, Indicator, Trade
from collector_indicators.fill import Fill
from collector_indicators.partial_bar import time_of

from .rows import SECOND, at, calculation, clock, continued, feed, status, trade
from .test_determinism import trade_logs


def bars(rows: list[Event], *, closed: bool = True) -> list[Bar]:
    return [row for row in rows if isinstance(row, Bar) and row.closed is closed]


def indicators(rows: list[Event]) -> list[Indicator]:
    return [row for row in rows if isinstance(row, Indicator)]


def test_a_count_of_trades_closes_a_bar_at_once() -> None:
    made = calculation("trades:3", "rsi:2")
    assert feed(made, trade(1, "10", "2"), trade(2, "12", "1", "sell")) == []
    rows = made.feed(trade(3, "11", "0.50"))
    assert [type(row) for row in rows] == [Bar, Indicator]
    [bar] = bars(list(rows))
    assert (bar.bar_kind, bar.size, bar.interval, bar.ordinal) == ("trades", "3", None, 0)
    assert (bar.open, bar.high, bar.low, bar.close) == ("10", "12", "10", "11")
    assert (bar.volume, bar.quote_volume, bar.buy_volume) == ("3.50", "37.50", "2.50")
    assert (bar.open_time, bar.close_time, bar.trade_count) == (at(1), at(3) + 1, 3)
    assert (bar.revision, bar.incomplete) == (0, False)
    [rsi] = indicators(list(rows))
    assert (rsi.input, rsi.interval, rsi.open_time) == ("bar:trades", "3", at(1))
    [again] = bars(feed(made, *(trade(4 + n) for n in range(3))))
    assert again.ordinal == 1


@pytest.mark.parametrize(
    ("size", "filled"),
    [("volume:2.5", [["1", "1", "1"], ["7"], ["2.4", "0.1"]]), ("quote:25", [["1", "1", "1"]])],
)
def test_the_trade_that_fills_a_bar_belongs_to_it_whole(size: str, filled: list[list[str]]) -> None:
    made = calculation(size, "")
    log = [trade(n, "10", amount) for n, amount in enumerate(a for part in filled for a in part)]
    got = bars(feed(made, *log))
    assert [bar.trade_count for bar in got] == [len(part) for part in filled]
    with localcontext() as context:
        context.prec = 50
        assert [Decimal(bar.volume) for bar in got] == [sum(map(Decimal, part)) for part in filled]


def test_bars_of_one_moment_open_at_different_times() -> None:
    got = bars(feed(calculation("trades:1", ""), *(trade(5, str(n)) for n in range(1, 4))))
    assert [bar.open_time - at(5) for bar in got] == [0, 1, 2]
    assert all(bar.close_time > bar.open_time for bar in got)


def test_a_late_trade_goes_into_the_bar_that_held_its_time() -> None:
    made = calculation("trades:2", "rsi:2", horizon=2)
    feed(made, *(trade(n, str(10 + n)) for n in range(6)))
    assert feed(made, trade(2.5, "99")) == []
    rows = feed(made, clock(6))
    [revised] = bars(rows)
    assert (revised.ordinal, revised.revision, revised.trade_count) == (1, 1, 3)
    assert (revised.open, revised.high, revised.close) == ("12", "99", "13")
    # the indicators from that bar on, and no other bar
    assert [(row.open_time, row.revision) for row in indicators(rows)] == [(at(2), 1), (at(4), 1)]
    # beyond the horizon it is counted; where the next bar ends does not change
    assert feed(made, trade(0.5)) == []
    assert (made.late, made.dropped) == ({"trades:2": 1}, {"trades:2": 1})
    assert [bar.ordinal for bar in bars(feed(made, trade(7), trade(8)))] == [3]


def test_a_revised_bar_is_given_out_before_another_one_ends_its_time() -> None:
    made = calculation("trades:2", "rsi:2", horizon=1)
    feed(made, trade(0), trade(1), trade(5))
    assert feed(made, trade(0.5)) == []
    # earlier than the last trade, not than the open bar, which it fills
    rows = bars(feed(made, trade(4)))
    assert [(bar.ordinal, bar.revision, bar.trade_count) for bar in rows] == [(0, 1, 3), (1, 0, 2)]


def test_live_rows_show_the_open_bar() -> None:
    made = calculation("trades:3", "rsi:2", live_every=SECOND)
    rows = feed(made, trade(0.5, "10"), trade(1.5, "11"), trade(2.5, "12"))
    assert [(bar.ordinal, bar.trade_count, bar.close) for bar in bars(rows, closed=False)] == [
        (0, 1, "10"),
        (0, 2, "11"),
    ]
    assert [bar.trade_count for bar in bars(rows)] == [3]
    # nothing is open: nothing to show
    assert feed(made, clock(3.5), clock(4.5)) == []


def test_a_gap_marks_the_bar_that_would_have_held_what_is_missing() -> None:
    made = calculation("trades:2", "")
    log = [trade(0), trade(1), status("gap", 3, 4), trade(5), trade(6), trade(7), trade(8)]
    rows = feed(made, *log)
    assert [bar.incomplete for bar in bars(rows)] == [False, True, False]


def test_an_ordered_backfill_keeps_bars_whole() -> None:
    plain, filled = calculation("trades:3,10s", "rsi:2"), calculation("trades:3,10s", "rsi:2")
    trades = [trade(n, str(10 + n), id=str(n)) for n in range(12)]
    expected = feed(plain, *trades, clock(30))
    fetched = [trade(n, str(10 + n), id=str(n), backfilled=True) for n in range(4, 9)]
    got = feed(filled, *trades[:4], status("gap", 4, None))
    got += feed(filled, *fetched)
    # what is full waits until it is known whether all came
    assert len(bars(got)) == 1
    got += feed(filled, status("backfilled", 4, 8), *trades[9:], clock(30))

    def told(rows: list[Event]) -> list[tuple[object, ...]]:
        return [
            (b.bar_kind, b.ordinal, b.open, b.close, b.volume, b.incomplete) for b in bars(rows)
        ]

    assert sorted(told(expected)) == sorted(told(got))
    assert not any(bar.incomplete for bar in bars(got) if bar.bar_kind == "trades")


@dataclass
class PlainBar:
    trades: list[Trade] = field(default_factory=list)


def plain_bars(log: list[Event], size: Fill, horizon: int) -> tuple[list[PlainBar], int]:
    """Return closed bars, and how many trades were too late, by the rules word for word."""
    closed: list[PlainBar] = []
    current, ends, dropped, full = PlainBar(), None, 0, Decimal(0)
    starts: list[int] = []
    for row in log:
        time = time_of(row) if isinstance(row, Trade) else None
        if time is None or not isinstance(row, Trade):
            continue
        if ends is not None and time < ends:
            reach = range(max(0, len(closed) - horizon), len(closed))
            place = max((n for n in reach if starts[n] <= time), default=None)
            if place is None:
                dropped += 1
            else:
                closed[place].trades.append(row)
            continue
        current.trades.append(row)
        price, amount = Decimal(row.price), Decimal(row.amount)
        full += {"trades": Decimal(1), "volume": amount, "quote": price * amount}[size.kind]
        if full >= size.amount:
            times = [t for t in map(time_of, current.trades) if t is not None]
            starts.append(min(times))
            ends = max(times)
            closed.append(current)
            current, full = PlainBar(), Decimal(0)
    return closed, dropped


@given(
    log=trade_logs(gaps=False),
    text=st.sampled_from(["trades:1", "trades:4", "volume:2.5", "quote:2500.25"]),
    horizon=st.integers(0, 3),
)
def test_bars_are_what_the_rules_say(log: list[Event], text: str, horizon: int) -> None:
    made = calculation(text, "", horizon=horizon)
    fill = Fill.parse(text)
    assert fill is not None
    # the last row lets what a late trade changed come out
    rows = bars(feed(made, *log, clock(100_000)))
    with localcontext() as context:
        context.prec = 200
        expected, dropped = plain_bars(log, fill, horizon)
        last = {row.ordinal: row for row in rows}
        assert sorted(last) == list(range(len(expected)))
        assert made.dropped == {text: dropped}
        for ordinal, plain in enumerate(expected):
            row, trades = last[ordinal], plain.trades
            prices = [Decimal(one.price) for one in trades]
            amounts = [Decimal(one.amount) for one in trades]
            assert row.trade_count == len(trades)
            assert Decimal(row.volume) == sum(amounts)
            assert Decimal(row.quote_volume) == sum(
                price * amount for price, amount in zip(prices, amounts, strict=True)
            )
            assert (Decimal(row.high), Decimal(row.low)) == (max(prices), min(prices))
            # in order of time, and of equal times in order of arrival
            ordered = sorted(trades, key=lambda one: time_of(one) or 0)
            assert (row.open, row.close) == (ordered[0].price, ordered[-1].price)


def test_sizes_that_the_state_does_not_have_begin_here() -> None:
    old = calculation("trades:2", "")
    feed(old, trade(0), trade(1), trade(2))
    new = calculation("10s,trades:2,volume:2", "rsi:2")
    new.restore(old.open_state(), old.closed_state())
    assert new.begins
    rows = bars(feed(new, trade(3), trade(4), clock(20)))
    assert [(bar.bar_kind, bar.ordinal, bar.trade_count) for bar in rows[:2]] == [
        ("trades", 1, 2),
        ("volume", 0, 2),
    ]
    again = continued(new)
    assert not again.begins


def test_a_bad_number_is_named() -> None:
    for text, numbers in [
        ("volume:1", ("1", "x")),
        ("quote:1", ("1e", "1")),
        ("quote:1", ("1", "NaN")),
    ]:
        with pytest.raises(NumberError, match="expected a decimal price and amount, was"):
            feed(calculation(text, ""), trade(0, *numbers))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ticks:5", "expected trades, volume or quote before the colon, was 'ticks:5'"),
        ("trades:0", "expected a count such as trades:100, was 'trades:0'"),
        ("trades:1.5", "expected a count"),
        ("volume:2.50", "expected a positive number such as volume:2.5, without zeros"),
        ("volume:0", "expected a positive number"),
        ("quote:-1", "expected a positive number"),
        ("quote:1e5", "expected a positive number"),
        ("quote:", "expected a positive number"),
    ],
)
def test_a_size_that_is_none_is_named(text: str, expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        calculation(text)


def test_candles_have_no_sizes() -> None:
    with pytest.raises(SettingsError, match="expected an interval of candles, was 'trades:5'"):
        calculation("trades:5", input="candle")


@pytest.mark.parametrize("text", ["trades:1", "volume:0.001", "volume:10", "quote:100000.5"])
def test_a_size_is_written_as_it_was_read(text: str) -> None:
    fill = Fill.parse(text)
    assert fill is not None
    assert fill.text == text
    assert fill.amount > 0
