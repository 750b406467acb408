"""Callbacks: who hears what, and that a bad one harms nothing but its own counters."""

from __future__ import annotations

import pytest

from collector_core.errors import SettingsError
from collector_core.events import Bar, Event, Indicator
from collector_indicators.engine import Engine
from collector_indicators.following import Following
from collector_indicators.listeners import Fault, Faults
from collector_indicators.plan import Entry, Plan

from .rows import candle, clock, trade
from .test_engine import STREAMS, chosen, of

LOG: list[Event] = [
    of(row, exchange, symbol)
    for second in range(0, 130, 3)
    for exchange, symbol in STREAMS
    for row in [trade(second, str(10 + second % 4)), clock(second + 1)]
]


def engine_of(told: list[Fault], **more: object) -> Engine:
    """Return an engine over trades with two kinds of the RSI, which tells a list of its faults."""
    settings = chosen(intervals="5s,1m", indicators="rsi:2,rsi:3,vwap")
    return Engine(settings, on_error=told.append, **more)  # type: ignore[arg-type]  # clock, slow_after


def names(rows: list[Event]) -> set[str]:
    """Return name and parameters of rows, or what else they are."""
    return {
        f"{row.name}:{row.params}" if isinstance(row, Indicator) else type(row).__name__
        for row in rows
    }


# --- who hears what -------------------------------------------------------------------------


def test_everything_is_heard_in_order_and_closed_rows_alone_by_default() -> None:
    engine = engine_of([])
    every: list[Event] = []
    closed: list[Event] = []
    engine.on("*", every.append, closed_only=False)
    engine.on("*", closed.append)
    rows = engine.feed_many(LOG)
    assert every == rows
    assert closed == [row for row in rows if isinstance(row, Bar | Indicator) and row.closed]
    assert len(closed) < len(every)


@pytest.mark.parametrize(
    ("name", "heard"),
    [
        ("rsi", {"rsi:2", "rsi:3"}),
        ("rsi:3", {"rsi:3"}),
        ("vwap", {"vwap:utc"}),
        ("vwap:utc", {"vwap:utc"}),
        ("bar", {"Bar"}),
        ("*", {"rsi:2", "rsi:3", "vwap:utc", "Bar"}),
    ],
)
def test_a_name_chooses(name: str, heard: set[str]) -> None:
    engine = engine_of([])
    rows: list[Event] = []
    engine.on(name, rows.append)
    engine.feed_many(LOG)
    assert heard == names(rows)


def test_exchange_symbol_and_interval_choose() -> None:
    engine = engine_of([])
    one: list[Event] = []
    engine.on("*", one.append, exchange="x", symbol="ETH/USDT", interval="1m")
    bars: list[Event] = []
    engine.on("bar", bars.append, interval="5s")
    rows = engine.feed_many(LOG)
    closed = [row for row in rows if isinstance(row, Bar | Indicator) and row.closed]
    assert one == [
        row for row in closed if (row.exchange, row.symbol, row.interval) == ("x", "ETH/USDT", "1m")
    ]
    assert bars == [row for row in closed if isinstance(row, Bar) and row.interval == "5s"]
    assert one != []
    assert bars != []


def test_rows_of_candles_are_heard_as_well() -> None:
    engine = Engine(chosen("candle", "1m"), on_error=print)
    heard: list[Event] = []
    engine.on("rsi", heard.append, interval="1m")
    engine.feed_many(candle(60 * i) for i in range(3))
    assert len(heard) == 3


def test_a_callback_hears_from_when_it_was_added_until_it_is_cancelled() -> None:
    engine = engine_of([])
    heard: list[Event] = []
    first = engine.feed_many(LOG[:60])
    handle = engine.on("*", heard.append, closed_only=False)
    second = engine.feed_many(LOG[60:120])
    states = [handle.active]
    for _ in range(2):
        handle.cancel()
        states.append(handle.active)
    assert states == [True, False, False]
    engine.feed_many(LOG[120:])
    assert heard == second
    assert first != []
    assert handle.calls == len(second)


def test_what_a_callback_cancels_or_adds_while_rows_are_delivered() -> None:
    engine = engine_of([])
    heard: list[Event] = []
    late: list[Event] = []

    def once(row: Event) -> None:
        handle.cancel()
        second.cancel()
        engine.on("*", late.append)
        assert row.exchange == "x"

    handle = engine.on("*", once)
    second = engine.on("*", heard.append)
    rows = [row for row in engine.feed_many(LOG) if getattr(row, "closed", False)]
    assert heard == []
    assert late == rows[1:]


def test_what_a_callback_feeds_is_heard_after_what_came_before() -> None:
    engine = engine_of([])
    bars: list[Event] = []
    every: list[Event] = []

    def feed_more(row: Event) -> None:
        if row.symbol == "BTC/USDT":
            bars.extend(engine.feed_many([of(trade(0), "x", "E/F"), of(clock(100), "x", "E/F")]))

    engine.on("bar", feed_more, interval="5s")
    engine.on("*", every.append)
    outer = engine.feed_many([trade(0), clock(6)])
    assert {row.symbol for row in bars} == {"E/F"}
    closed = [r for r in [*outer, *bars] if isinstance(r, Bar | Indicator) and r.closed]
    assert every == closed


# --- bad ones -------------------------------------------------------------------------------


def test_one_that_raises_harms_no_other_and_is_told_of_each_time() -> None:
    told: list[Fault] = []
    engine, plain = engine_of(told), engine_of([])
    before: list[Event] = []
    after: list[Event] = []
    engine.on("bar", before.append)

    def bad(row: Event) -> None:
        raise ValueError(row.symbol)

    handle = engine.on("bar", bad)
    engine.on("bar", after.append)
    assert engine.feed_many(LOG) == plain.feed_many(LOG)
    assert before == after != []
    assert [fault.row for fault in told] == before
    assert [fault.times for fault in told] == list(range(1, len(before) + 1))
    assert {(fault.kind, fault.listener, str(fault.error)) for fault in told} == {
        ("error", handle, "BTC/USDT"),
        ("error", handle, "ETH/USDT"),
    }
    assert handle.errors == handle.errors_in_a_row == handle.calls == len(before)
    assert handle.last_error is told[-1].error
    assert engine.faults == Faults(errors=len(before))


def test_errors_in_a_row_begin_anew_after_a_call_that_went_well() -> None:
    engine = engine_of([])
    calls: list[Event] = []

    def first_two(row: Event) -> None:
        calls.append(row)
        if len(calls) <= 2:
            raise OSError

    handle = engine.on("bar", first_two)
    engine.feed_many(LOG)
    assert (handle.errors, handle.errors_in_a_row) == (2, 0)


def test_a_slow_one_is_told_of_with_its_time() -> None:
    told: list[Fault] = []
    now = [0.0]
    engine = engine_of(told, clock=lambda: now[0], slow_after=0.5)

    def slow(row: Event) -> None:
        now[0] += 0.75 if row.exchange == "y" else 0.5

    handle = engine.on("bar", slow, interval="1m")
    quick = engine.on("bar", list[Event]().append)
    engine.feed_many(LOG)
    assert [(fault.kind, fault.listener, fault.seconds) for fault in told] == [
        ("slow", handle, 0.75)
    ] * 2
    assert (handle.slow, handle.errors, quick.slow) == (2, 0, 0)
    assert engine.faults == Faults(slow=2)


def test_a_hook_that_raises_is_counted_and_harms_nothing() -> None:
    def hook(fault: Fault) -> None:
        raise RuntimeError(fault.kind)

    engine = Engine(chosen(), on_error=hook)

    def bad(row: Event) -> None:
        raise ValueError(row)

    engine.on("bar", bad)
    after: list[Event] = []
    engine.on("bar", after.append)
    engine.feed_many([trade(0), clock(6), clock(70)])
    assert len(after) == 2
    assert engine.faults == Faults(errors=2, unreported=2)


def test_an_interrupt_ends_the_feed_and_what_was_not_heard_is_heard_next() -> None:
    engine = engine_of([])
    heard: list[Event] = []

    def stop(row: Event) -> None:
        heard.append(row)
        if len(heard) == 1:
            raise KeyboardInterrupt

    engine.on("*", stop, closed_only=False)
    with pytest.raises(KeyboardInterrupt):
        engine.feed_many([trade(0), clock(6)])
    rows = engine_of([]).feed_many([trade(0), clock(6), trade(7), clock(70)])
    engine.feed_many([trade(7), clock(70)])
    assert heard == rows


# --- what cannot be -------------------------------------------------------------------------


def test_a_name_that_the_plan_does_not_compute_is_refused() -> None:
    engine = Engine(Plan([Entry(Following(["*:*"]), chosen(indicators="rsi:2"))]), on_error=print)
    for name in ("ema", "rsi:3", ""):
        with pytest.raises(SettingsError) as caught:
            engine.on(name, print)
        assert str(caught.value) == (
            f"expected one of what the plan computes (rsi:2, bar, *), was {name!r}"
        )


def test_a_coroutine_function_is_refused() -> None:
    async def later(row: Event) -> None:
        raise AssertionError(row)

    with pytest.raises(SettingsError, match="expected a plain function, was the coroutine funct"):
        engine_of([]).on("bar", later)


def test_callbacks_need_somebody_to_be_told() -> None:
    with pytest.raises(SettingsError, match="on_error: expected a function that is told"):
        Engine(chosen()).on("bar", print)
