"""The engine: many streams, a past to warm up from, and state as bytes."""

from __future__ import annotations

from random import Random
from typing import Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector_core.codec import encode
from collector_core.errors import NumberError, StateError
from collector_core.events import Bar, Event, Ticker, Trade
from collector_indicators.engine import Engine, create
from collector_indicators.engine_state import VERSION
from collector_indicators.following import Following
from collector_indicators.plan import Entry, Plan, channel_of
from collector_indicators.selection import parse_set
from collector_indicators.settings import CalculationSettings

from .rows import SECOND, candle, clock, status, trade
from .test_determinism import candle_logs, trade_logs

STREAMS = [("x", "BTC/USDT"), ("x", "ETH/USDT"), ("y", "BTC/USDT")]


def chosen(
    input: Literal["candle", "bar"] = "bar",  # noqa: A002  # the setting's name
    intervals: str = "5s,1m",
    indicators: str = "rsi:2,vwap",
) -> CalculationSettings:
    return CalculationSettings(
        input, tuple(intervals.split(",")), parse_set(indicators), live_every=SECOND
    )


def plan() -> Plan:
    """Return two entries for trades, the first for one exchange, and one for candles."""
    return Plan(
        [
            Entry(Following(["y:*"]), chosen(intervals="20s", indicators="macd:2:3:2")),
            Entry(Following(["*:*"]), chosen()),
            Entry(Following(["x:*"]), chosen("candle", "1m,5m", "bollinger:3:2")),
        ]
    )


def of(row: Event, exchange: str, symbol: str) -> Event:
    """Return a row as one of another stream."""
    return msgspec.structs.replace(row, exchange=exchange, symbol=symbol)


@st.composite
def mixed_logs(draw: st.DrawFn) -> list[Event]:
    """Return trade and candle topics of several symbols, mixed in any way."""
    first, second, candles = draw(trade_logs()), draw(trade_logs()), draw(candle_logs())
    logs = [
        [of(row, exchange, symbol) for row in log]
        for (exchange, symbol), trades in zip(STREAMS, (first, second, first), strict=True)
        for log in (trades, candles)
    ]
    # a seed, for each choice drawn by itself would be too much to draw
    order = Random(draw(st.integers(0, 2**32)))
    mixed: list[Event] = []
    while logs := [log for log in logs if log]:
        mixed.append(order.choice(logs).pop(0))
    return mixed


# --- routing --------------------------------------------------------------------------------


@settings(deadline=None, max_examples=15)
@given(log=mixed_logs())
def test_each_stream_gives_the_rows_of_a_calculation_of_its_own(log: list[Event]) -> None:
    engine, wanted = Engine(plan()), plan()
    given_rows = engine.feed_many(log)
    for channel, exchange, symbol in engine.streams:
        computed = wanted.settings_of(channel, exchange, symbol)
        assert computed is not None
        assert channel_of(computed) == channel
        alone = create(exchange, symbol, computed)
        sources = {"candle"} if channel == "candle" else {"bar:time"}
        expected = [
            row
            for one in log
            if (one.exchange, one.symbol) == (exchange, symbol)
            and channel == ("candle" if _of_candles(one) else "trade")
            for row in alone.feed(one)
        ]
        assert expected == [
            row
            for row in given_rows
            if (row.exchange, row.symbol) == (exchange, symbol)
            and getattr(row, "input", "bar:time") in sources
        ]
    assert engine.foreign == sum(_of_candles(row) and row.exchange == "y" for row in log)


def _of_candles(row: Event) -> bool:
    return "candle" in {row.__struct_config__.tag, getattr(row, "channel", None)}


def test_rows_that_the_plan_does_not_select_are_counted_and_harm_nothing() -> None:
    engine = Engine(Plan([Entry(Following(["x:BTC/*"]), chosen())]))
    ticker = Ticker("x", "BTC/USDT", None, None, 1, 1)
    rows = [candle(0), of(trade(0), "x", "ETH/USDT"), status("gap", channel="book"), ticker]
    assert engine.feed_many(rows) == []
    assert (engine.foreign, engine.streams) == (4, ())
    assert engine.feed_many([trade(0), clock(6)]) != []
    assert engine.streams == (("trade", "x", "BTC/USDT"),)


def test_settings_alone_are_for_all_streams() -> None:
    engine = Engine(chosen())
    for exchange, symbol in STREAMS:
        assert engine.feed_many(of(row, exchange, symbol) for row in [trade(0), clock(6)])
    assert [stream[1:] for stream in engine.streams] == STREAMS


def test_rows_are_yielded_as_they_are_read() -> None:
    log = iter([trade(0), clock(6), trade(7), clock(12)])
    first = next(Engine(chosen()).run(log))
    assert isinstance(first, Bar)
    assert next(log) == trade(7)


# --- numbers --------------------------------------------------------------------------------


@pytest.mark.parametrize("price", ["x", "nan", "1e101", "-inf", ""])
def test_a_row_without_numbers_is_left_out_and_counted(price: str) -> None:
    engine, other = Engine(plan()), Engine(plan())
    good: list[Event] = [trade(0), trade(1), clock(6), candle(0)]
    bad = [trade(0.5, price), trade(0.5, "1e60", "1e60"), candle(0, price)]
    got = [engine.feed_many([*bad, row]) for row in good]
    assert got == [other.feed_many([row]) for row in good]
    assert (engine.unusable, other.unusable) == (12, 0)


def large() -> Trade:
    """Return a trade that is in bounds by itself, and of which eleven are not."""
    return trade(7, "0.01", "9" * 99)


def test_a_sum_out_of_bounds_halts_its_stream_alone() -> None:
    engine = Engine(chosen())
    engine.feed_many([trade(0), *[large() for _ in range(11)]])
    with pytest.raises(NumberError, match=r"trade of x BTC/USDT: expected a number between"):
        engine.feed(clock(60))
    assert engine.halted == {("trade", "x", "BTC/USDT")}
    assert engine.feed_many([trade(70), clock(130)]) == []
    assert engine.unusable == 2
    others: list[Event] = [of(row, "x", "ETH/USDT") for row in [trade(0), clock(6)]]
    assert engine.feed_many(others) == Engine(chosen()).feed_many(others)
    again = Engine(chosen())
    again.restore(engine.snapshot())
    assert again.halted == engine.halted
    assert again.feed_many([trade(140), clock(200)]) == []
    assert again.unusable == 4


def test_rows_beyond_the_horizon_are_counted() -> None:
    engine = Engine(chosen())
    engine.feed_many([trade(0), trade(600), trade(1)])
    assert engine.dropped == 2


# --- a past ---------------------------------------------------------------------------------


@settings(deadline=None, max_examples=15)
@given(log=mixed_logs(), data=st.data())
def test_warming_up_gives_what_feeding_gives(log: list[Event], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(log)))
    fed, warmed = Engine(plan()), Engine(plan(), on_error=print)
    heard: list[Event] = []
    warmed.on("*", heard.append, closed_only=False)
    fed.feed_many(log[:cut])
    warmed.warm_up(log[:cut])
    assert heard == []
    assert fed.feed_many(log[cut:]) == warmed.feed_many(log[cut:]) == heard
    assert fed.snapshot() == warmed.snapshot()


# --- state ----------------------------------------------------------------------------------


@settings(deadline=None, max_examples=25)
@given(log=mixed_logs(), data=st.data())
def test_a_restore_in_the_middle_changes_no_byte(log: list[Event], data: st.DataObject) -> None:
    plain, other = Engine(plan()), Engine(plan())
    expected = [encode(row) for row in plain.feed_many(log)]
    got: list[bytes] = []
    index = 0
    while index < len(log):
        size = data.draw(st.integers(1, 40))
        got += [encode(row) for row in other.feed_many(log[index : index + size])]
        index += size
        state = other.snapshot()
        other = Engine(plan())
        other.restore(state)
        assert state == other.snapshot()
    assert expected == got
    assert plain.snapshot() == other.snapshot()
    assert (plain.foreign, plain.dropped) == (other.foreign, other.dropped)


def test_an_engine_goes_back_to_a_snapshot() -> None:
    engine = Engine(plan())
    engine.feed_many([trade(0), clock(6)])
    state = engine.snapshot()
    after = [trade(7), trade(9), of(trade(9), "x", "ETH/USDT"), clock(60)]
    first = engine.feed_many(after)
    engine.restore(state)
    assert first == engine.feed_many(after)
    assert first != []


def test_another_plan_goes_on_with_what_it_has() -> None:
    old = Engine(plan())
    log: list[Event] = [trade(5 * i, str(10 + i % 3)) for i in range(30)]
    old.feed_many([*log, of(trade(0), "x", "ETH/USDT"), candle(0)])
    only = Plan([Entry(Following(["x:BTC/*"]), chosen(intervals="5s,10s", indicators="rsi:2"))])
    new = Engine(only)
    new.restore(old.snapshot())
    assert new.streams == (("trade", "x", "BTC/USDT"),)
    # what is new began once
    again = Engine(only)
    again.restore(new.snapshot())
    more = [trade(150), clock(200)]
    assert new.feed_many(more) == again.feed_many(more)
    rows = [row for row in new.feed_many([trade(201), clock(300)]) if isinstance(row, Event)]
    assert {getattr(row, "interval", None) for row in rows} == {"5s", "10s"}


def test_states_that_do_not_fit_are_refused_and_change_nothing() -> None:
    engine = Engine(plan())
    engine.feed_many([trade(0), clock(6), candle(0)])
    state = engine.snapshot()
    kind, version, body = msgspec.msgpack.decode(state)
    assert (kind, version) == ("engine", VERSION)

    def sealed(*parts: object) -> bytes:
        return msgspec.msgpack.encode(parts)

    alone = create("x", "BTC/USDT", chosen())
    inner = body["parts"][0][1]
    of_another = state.replace(inner, b"\x92\x63" + inner[2:])
    cases = [
        (b"", "engine state: expected one of ours, was b''"),
        (b"junk", "engine state: expected one of ours"),
        (state[:-3], "engine state: expected one of ours"),
        (alone.open_state(), "engine state: expected one of ours"),
        (sealed(kind, 99, body), "expected engine version 1, was engine version 99"),
        (sealed("ledger", 1, body), "expected engine version 1, was ledger version 1"),
        (sealed(kind, 1, {}), "engine state: expected one of ours"),
        (of_another, "open state: expected version 1, was 99"),
    ]
    for wrong, said in cases:
        with pytest.raises(StateError, match=said):
            engine.restore(wrong)
        assert state == engine.snapshot()
