"""The engine of a program: iterators that lag alone, and faults in the log."""

from __future__ import annotations

import asyncio
import logging

import pytest

from collector_client import Engine
from collector_client.engine import Rows, RowStream
from collector_core.errors import SettingsError
from collector_core.events import Bar, Clock, Event, Trade
from collector_indicators.listeners import Fault, Faults
from collector_indicators.selection import parse_set
from collector_indicators.settings import CalculationSettings

SETTINGS = CalculationSettings("bar", ("1s",), parse_set("rsi:2"), live_every=None)
SECOND = 1_000_000
START = 1_700_000_000 * SECOND


def rows(first: int, count: int, symbol: str = "BTC/USDT") -> list[Event]:
    """Return a trade and a clock row for each of some seconds; each but the first closes a bar."""
    log: list[Event] = []
    for second in range(first, first + count):
        time = START + second * SECOND
        log.append(Trade("x", symbol, time, time, 1, 1, None, str(10 + second), "1", "buy"))
        log.append(Clock("x", symbol, time, time, 1, 1, time + SECOND // 2))
    return log


def bars(given: list[Event]) -> list[Bar]:
    return [row for row in given if isinstance(row, Bar)]


async def taken(stream: RowStream[Bar], count: int) -> list[Bar]:
    """Return the next rows of a stream, which must not wait for ever."""
    async with asyncio.timeout(20):
        return [await anext(stream) for _ in range(count)]


async def all_of(stream: RowStream[Rows]) -> list[Rows]:
    async with asyncio.timeout(20):
        return [row async for row in stream]


# --- iterators ------------------------------------------------------------------------------


async def test_a_loop_gets_each_row_and_ends_when_the_engine_is_closed() -> None:
    engine = Engine(SETTINGS)
    task = asyncio.create_task(all_of(engine.rows("bar")))
    given: list[Event] = []
    for row in rows(0, 50):
        given += engine.feed(row)
        await asyncio.sleep(0)
    engine.close()
    assert await task == bars(given) != []


async def test_what_comes_before_the_loop_begins_waits_for_it() -> None:
    engine = Engine(SETTINGS)
    stream = engine.rows("*", symbol="ETH/USDT")
    engine.feed_many(rows(0, 9))
    given = engine.feed_many(rows(0, 9, "ETH/USDT"))
    assert stream.waiting == len(given)
    engine.close()
    assert await all_of(stream) == given


async def test_a_slow_loop_loses_the_oldest_rows_and_harms_nobody() -> None:
    told: list[Fault] = []
    engine = Engine(SETTINGS, on_error=told.append, clock=None)
    heard: list[Event] = []
    engine.on("bar", heard.append)
    slow, quick = engine.rows("bar", limit=5), engine.rows("bar")
    given = bars(engine.feed_many(rows(0, 21)))
    assert given == heard
    assert (slow.dropped, slow.waiting, quick.dropped, quick.waiting) == (15, 5, 0, 20)
    # told once, when it began
    assert [(fault.kind, fault.times, fault.row) for fault in told] == [("lag", 1, given[5])]
    assert engine.faults == Faults(lags=1)
    assert await taken(slow, 5) == given[-5:]
    assert await taken(quick, 20) == given
    # it caught up, so the next time is another one
    engine.feed_many(rows(21, 7))
    assert [fault.times for fault in told] == [1, 2]
    assert slow.dropped == 17


async def test_a_loop_that_is_left_ends_its_stream_and_one_that_is_entered_does_not() -> None:
    engine = Engine(SETTINGS)
    left = engine.rows("bar")
    engine.feed_many(rows(0, 5))
    loop = left.__aiter__()
    await anext(loop)
    await loop.aclose()  # type: ignore[attr-defined]  # an asynchronous generator, as a loop leaves it
    assert not left.open
    async with engine.rows("bar") as entered:
        given = bars(engine.feed_many(rows(5, 5)))
        async for row in entered:
            assert row == given[0]
            break
        states = [entered.open]
        assert await taken(entered, len(given) - 1) == given[1:]
    assert [*states, entered.open] == [True, False]
    assert await all_of(entered) == []


async def test_several_tasks_share_what_one_stream_has() -> None:
    engine = Engine(SETTINGS)
    async with engine.rows("bar") as stream:
        tasks = [asyncio.create_task(taken(stream, 4)) for _ in range(2)]
        await asyncio.sleep(0)
        given = bars(engine.feed_many(rows(0, 9)))
        found = [row for task in tasks for row in await task]
    assert sorted(found, key=given.index) == given


async def test_a_closed_stream_hears_nothing_and_wakes_who_waits() -> None:
    engine = Engine(SETTINGS)
    stream = engine.rows("bar")
    task = asyncio.create_task(all_of(stream))
    await asyncio.sleep(0)
    stream.close()
    stream.close()
    engine.feed_many(rows(0, 5))
    assert await task == []
    assert stream.waiting == 0


def test_a_limit_below_one_and_an_unknown_name_are_refused() -> None:
    engine = Engine(SETTINGS)
    with pytest.raises(SettingsError, match="limit: expected at least 1 row, was 0"):
        engine.rows("bar", limit=0)
    with pytest.raises(SettingsError, match="expected one of what the plan computes"):
        engine.rows("ema")


# --- the log --------------------------------------------------------------------------------


def test_the_first_error_of_each_callback_is_logged_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = Engine(SETTINGS, clock=None)

    def broken(row: Event) -> None:
        raise ValueError(row.symbol)

    for _ in range(2):
        engine.on("bar", broken)
    engine.feed_many(rows(0, 5))
    assert engine.faults == Faults(errors=8)
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
    for record in caplog.records:
        assert record.name == "collector.engine"
        assert "broken for 'bar' raised; further errors are counted" in record.getMessage()
        assert record.exc_info is not None
        assert repr(record.exc_info[1]) == "ValueError('BTC/USDT')"
        assert record.exc_info[2] is not None


def test_the_first_slow_call_and_the_first_lag_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]

    def slow(row: Event) -> None:
        now[0] += 0.25 if row.exchange else 0

    engine = Engine(SETTINGS, clock=lambda: now[0], slow_after=0.2)
    engine.on("bar", slow)
    engine.rows("bar", limit=1)
    engine.feed_many(rows(0, 5))
    assert engine.faults == Faults(slow=4, lags=1)
    said = [
        record.getMessage().partition("slow for ")[2] or record.getMessage()
        for record in caplog.records
    ]
    assert said == [
        "'bar' took 0.250 s; further slow calls are counted",
        "an iterator over 'bar' is slower than its rows and lost the oldest; how many is counted",
    ]


def test_callbacks_are_timed_by_default() -> None:
    engine = Engine(SETTINGS, slow_after=-1)
    engine.on("bar", list[Event]().append)
    engine.feed_many(rows(0, 3))
    assert engine.faults == Faults(slow=2)
