"""Output is a function of the input log alone: batches, restores and states change nothing."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal, localcontext
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector_core.codec import encode
from collector_core.errors import StateError
from collector_core.events import Bar, Event, Indicator, Trade
from collector_core.intervals import open_time
from collector_core.topics import key_of
from collector_indicators.calculation import Calculation
from collector_indicators.engine import create
from collector_indicators.partial_bar import time_of
from collector_indicators.timeframe import Timeframe

from .book_rows import book_logs, snapshot
from .rows import SECOND, at, calculation, candle, clock, continued, feed, status, trade

INTERVALS = ("5s", "20s", "1m")
GRACE = 100_000


@st.composite
def trade_logs(draw: st.DrawFn, *, gaps: bool = True) -> list[Event]:
    """Return rows of a trade topic: mostly in order, some late, with clocks and gaps."""
    log: list[Event] = []
    now, ident = draw(st.integers(0, 50)) / 10, 0
    for _ in range(draw(st.integers(0, 60))):
        now += draw(st.sampled_from([0.0, 0.0, 0.01, 0.3, 0.9, 2.0, 7.0, 45.0]))
        what = draw(st.integers(0, 19))
        if what == 0:
            log.append(clock(now))
        elif what == 1 and gaps:
            log.append(status("gap", ident + 1, ident + 3))
        elif what == 2 and gaps:
            first = draw(st.integers(max(0, ident - 2), ident + 3))
            log.append(status("backfilled", first, first + draw(st.integers(0, 3))))
        elif what == 3 and gaps:
            span = at(now - 3), at(now)
            log.append(status(draw(st.sampled_from(["gap", "backfilled"])), *span, unit="time"))
        else:
            late = draw(st.sampled_from([0.0] * 6 + [0.05, 1.0, 6.0, 30.0, 90.0]))
            ident += 1
            log.append(
                trade(
                    None if draw(st.integers(0, 40)) == 7 else max(0.0, now - late),
                    draw(st.sampled_from(["10", "10.5", "10.50", "9.125", "1000000", "0.0001"])),
                    draw(st.sampled_from(["1", "0.1", "0.00000001", "250.5"])),
                    draw(st.sampled_from(["buy", "sell", None])),
                    id=str(ident),
                    backfilled=gaps and draw(st.integers(0, 4)) == 1,
                )
            )
    return [*log, trade(now + 1), clock(now + 500)]


@st.composite
def candle_logs(draw: st.DrawFn) -> list[Event]:
    """Return rows of a candle topic: open and closed, repeated, corrected, late, with gaps."""
    log: list[Event] = []
    minute, seconds = 0, 0.0
    for _ in range(draw(st.integers(0, 50))):
        seconds += draw(st.sampled_from([0.0, 0.3, 2.0, 30.0]))
        minute += draw(st.sampled_from([0, 0, 1, 1, 3]))
        what = draw(st.integers(0, 14))
        if what == 0:
            log.append(status("gap", channel="candle"))
        elif what == 1:
            log.append(status("backfilled", 1, 2, channel="candle"))
        else:
            length = draw(st.sampled_from([1, 1, 1, 5]))
            back = draw(st.sampled_from([0, 0, 0, 0, 1, 2, 5]))
            log.append(
                candle(
                    (minute - back) // length * length * 60,
                    draw(st.sampled_from(["10", "11.5", "9"])),
                    closed=draw(st.booleans()),
                    interval=f"{length}m",
                    length=60 * length,
                    backfilled=draw(st.integers(0, 3)) == 0,
                    received=seconds + minute * 60,
                )
            )
    return log


def of_trades(live: int | None, horizon: int) -> Calculation:
    """Return a calculation over the intervals of these tests."""
    return calculation(
        ",".join(INTERVALS), "rsi:2,bollinger:3:2,vwap,vwap:3", live_every=live, horizon=horizon
    )


def of_candles(live: int | None, horizon: int) -> Calculation:
    """Return a calculation over 1m and 5m candles."""
    return calculation(
        "1m,5m", "rsi:2,macd:2:3:2,vwap", input="candle", live_every=live, horizon=horizon
    )


def of_sizes(live: int | None, horizon: int) -> Calculation:
    """Return a calculation over bars that close when they are full, and one interval."""
    sizes = "trades:3,20s,volume:2.5,quote:1000"
    return calculation(sizes, "rsi:2,vwap", live_every=live, horizon=horizon)


def of_sizes_alone(live: int | None, horizon: int) -> Calculation:
    """Return a calculation without any interval."""
    return calculation("volume:1,trades:1", "rsi:2", live_every=live, horizon=horizon)


def of_books(live: int | None, horizon: int) -> Calculation:
    """Return a calculation over books."""
    return calculation(
        "5s,1m", "spread,book_imbalance:3", input="book", live_every=live, horizon=horizon
    )


MAKERS = {
    "trades": (of_trades, trade_logs()),
    "sizes": (of_sizes, trade_logs()),
    "sizes alone": (of_sizes_alone, trade_logs()),
    "candles": (of_candles, candle_logs()),
    "books": (of_books, book_logs()),
}


@pytest.mark.parametrize("kind", MAKERS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_batches_states_and_restores_change_no_byte(kind: str, data: st.DataObject) -> None:
    make, logs = MAKERS[kind]
    log = data.draw(logs)
    live = data.draw(st.sampled_from([None, SECOND, 250_000]))
    horizon = data.draw(st.integers(0, 3))
    plain = make(live, horizon)
    expected = [encode(row) for row in feed(plain, *log)]
    # the same log in batches, its states taken after each and sometimes gone on from
    other = make(live, horizon)
    got: list[bytes] = []
    closed, index = None, 0
    while index < len(log):
        size = data.draw(st.integers(1, 9))
        got += [encode(row) for row in other.feed_many(log[index : index + size])]
        index += size
        other.next_offset = index
        open_state = other.open_state()
        if other.closed_changed:
            closed = other.closed_state()
            assert not other.closed_changed
        if data.draw(st.booleans()):
            other = create(other.exchange, other.symbol, other.settings)
            other.restore(open_state, closed)
            assert other.next_offset == index
            assert open_state == other.open_state()
            assert not other.closed_changed
    assert expected == got
    assert plain.late == other.late
    assert plain.dropped == other.dropped
    assert plain.closed_state() == other.closed_state()


@pytest.mark.parametrize("kind", MAKERS)
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_streams_count_without_holes_and_rows_are_well_formed(
    kind: str, data: st.DataObject
) -> None:
    make, logs = MAKERS[kind]
    rows = feed(make(SECOND, 2), *data.draw(logs))
    counters: dict[type, int] = defaultdict(int)
    closed: dict[str, int] = {}
    for row in rows:
        assert isinstance(row, Bar | Indicator)
        counters[type(row)] += 1
        assert row.seq == counters[type(row)]
        assert row.epoch == rows[0].epoch
        key = key_of(row)
        if row.closed:
            # each closed row of a key has a higher revision than the one before
            assert row.revision == closed.get(key, -1) + 1
            closed[key] = row.revision
        else:
            assert key not in closed
            assert row.revision == 0


@settings(deadline=None, max_examples=60)
@given(log=trade_logs(gaps=False), horizon=st.integers(0, 3))
def test_bars_are_the_exact_sums_of_the_trades_that_came_in_time(
    log: list[Event], horizon: int
) -> None:
    made = of_trades(None, horizon)
    rows = [row for row in feed(made, *log) if isinstance(row, Bar)]
    last = {(row.interval, row.open_time): row for row in rows}
    expected: dict[tuple[str, int], list[Trade]] = defaultdict(list)
    dropped = dict.fromkeys(INTERVALS, 0)
    now = None
    for row in log:
        time = time_of(row) if isinstance(row, Trade) else getattr(row, "time", None)
        if time is None:
            continue
        now = time if now is None else max(now, time)
        if not isinstance(row, Trade):
            continue
        for interval in INTERVALS:
            frame = Timeframe(interval)
            opened = open_time(interval, time)
            if opened < frame.back(open_time(interval, now - GRACE), horizon):
                dropped[interval] += 1
            else:
                expected[interval, opened].append(row)
    assert last.keys() == expected.keys()
    assert made.dropped == dropped
    for key, trades in expected.items():
        bar = last[key]
        with localcontext() as context:
            context.prec = 200
            prices = [Decimal(one.price) for one in trades]
            amounts = [Decimal(one.amount) for one in trades]
            assert Decimal(bar.volume) == sum(amounts)
            assert Decimal(bar.quote_volume) == sum(
                p * a for p, a in zip(prices, amounts, strict=True)
            )
            assert Decimal(bar.buy_volume) == sum(
                a for one, a in zip(trades, amounts, strict=True) if one.side == "buy"
            )
        by_time = sorted(trades, key=lambda one: time_of(one) or 0)
        assert (bar.open, bar.close) == (by_time[0].price, by_time[-1].price)
        assert (Decimal(bar.high), Decimal(bar.low)) == (max(prices), min(prices))
        assert bar.trade_count == len(trades)


# --- states that do not fit -----------------------------------------------------------------


ROWS: dict[str, list[Event]] = {
    "bar": [trade(60 * i) for i in range(5)],
    "candle": [candle(60 * i) for i in range(5)],
    "book": [snapshot(60 * i) for i in range(5)],
}
CHOSEN = {"bar": "rsi:2", "candle": "rsi:2", "book": "spread"}


@pytest.mark.parametrize("kind", ROWS)
def test_states_that_do_not_fit_are_refused(kind: Literal["bar", "candle", "book"]) -> None:
    def new() -> Calculation:
        return calculation(indicators=CHOSEN[kind], input=kind)

    log = ROWS[kind]
    made = new()
    feed(made, *log[:3])
    early = made.closed_state()
    feed(made, *log[3:])
    open_state, closed = made.open_state(), made.closed_state()
    other = calculation(input="bar" if kind == "candle" else "candle")
    cases = [
        (b"junk", closed, "expected one of ours"),
        (b"", closed, "expected one of ours"),
        (open_state[:-3], closed, "expected one of ours"),
        (b"\x92\x63" + open_state[2:], closed, "open state: expected version 1, was 99"),
        (open_state, b"\x92\x63" + closed[2:], "closed state: expected version 1, was 99"),
        (open_state, b"junk", "closed state: expected one of ours"),
        (open_state, None, "expected a closed state of generation"),
        (open_state, early, "expected a closed state of generation"),
        (open_state, other.closed_state(), "closed state: expected"),
        (other.open_state(), None, "open state: expected"),
    ]
    for one, two, said in cases:
        with pytest.raises(StateError, match=said):
            new().restore(one, two)
    new().restore(open_state, closed)


def test_a_new_interval_or_indicator_begins_where_the_states_end() -> None:
    old = calculation("1m,5m", "rsi:2")
    log = [trade(10 * i, str(10 + i % 7)) for i in range(100)]
    feed(old, *log[:50])
    open_state, closed = old.open_state(), old.closed_state()
    made = calculation("1m,2m", "rsi:2,vwap:1")
    made.restore(open_state, closed)
    rows = feed(made, *log[50:])
    assert {row.interval for row in rows if isinstance(row, Bar | Indicator)} == {"1m", "2m"}
    rsi = [row for row in rows if isinstance(row, Indicator) and row.name == "rsi"]
    unchanged = [
        row.values
        for row in feed(continued(old), *log[50:])
        if isinstance(row, Indicator) and row.interval == "1m"
    ]
    assert unchanged == [row.values for row in rsi if row.interval == "1m"]
    vwap = [row for row in rows if isinstance(row, Indicator) and row.name == "vwap"]
    # it took the two kept bars first
    assert next(row.bars_seen for row in vwap if row.interval == "1m") == 3
    two = [row for row in rows if isinstance(row, Bar) and row.interval == "2m"]
    # its first bar began before it did
    assert [row.incomplete for row in two] == [True] + [False] * (len(two) - 1)


def test_a_new_finer_interval_takes_none_of_the_trades_before_it() -> None:
    old = calculation("1m", "")
    feed(old, *[trade(0.3 * i) for i in range(100)])
    made = calculation("1s,1m", "")
    made.restore(old.open_state(), None)
    rows = [row for row in feed(made, trade(30.5), clock(90)) if isinstance(row, Bar)]
    assert [(row.interval, row.open_time, row.trade_count) for row in rows] == [
        ("1s", at(30), 1),
        ("1m", at(0), 101),
    ]


def test_a_wider_horizon_does_not_reach_into_what_was_settled() -> None:
    old = calculation(indicators="rsi:2", horizon=1)
    feed(old, *[trade(60 * i + 30) for i in range(6)])
    made = calculation(indicators="rsi:2", horizon=4)
    made.restore(old.open_state(), old.closed_state())
    feed(made, trade(100, "1"), trade(331))
    assert made.dropped == {"1m": 1}


def test_restoring_before_the_first_row() -> None:
    made = calculation()
    made.restore(calculation().open_state(), None)
    assert len(feed(made, trade(30), clock(61))) == 3
