"""Candles, tape and the 24 h window against plain folds over all trades."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector_core.errors import SettingsError
from collector_core.intervals import close_time, open_time
from collector_testkit.market import Candle, Candles, Tape, Trade
from collector_testkit.market.candles import INTERVALS

START = 1_789_999_500_000_000
DAY = 86_400_000_000
# the pauses to the next trade, in microseconds: within a second, over several, over hours
PAUSES = st.lists(
    st.one_of(
        st.integers(1, 400_000), st.integers(1, 90_000_000), st.integers(1, 4 * 3600 * 10**6)
    ),
    min_size=1,
    max_size=80,
)


def trades_of(pauses: list[int], seed: int = 3) -> list[Trade]:
    generator = random.Random(seed)
    time, rows = START, []
    for number, pause in enumerate(pauses, 1):
        time += pause
        side = generator.choice(("buy", "sell"))
        rows.append(
            Trade("A/B", time, number, generator.randint(90, 110), generator.randint(1, 9),
                  "buy" if side == "buy" else "sell", number, 0)
        )  # fmt: skip
    return rows


def fold(trades: list[Trade], interval: str) -> list[Candle]:
    candles: dict[int, Candle] = {}
    for t in trades:
        opened = open_time(interval, t.time)
        held = candles.get(opened)
        buys = t.amount if t.side == "buy" else 0
        if held is None:
            candles[opened] = Candle(
                opened, close_time(interval, opened), t.price, t.price, t.price, t.price, t.amount,
                t.price * t.amount, 1, t.id, t.id, buys, buys * t.price, t.time,
            )  # fmt: skip
            continue
        held.high, held.low = max(held.high, t.price), min(held.low, t.price)
        held.close, held.last_id, held.last_time = t.price, t.id, t.time
        held.volume += t.amount
        held.quote += t.price * t.amount
        held.count += 1
        held.buy_volume += buys
        held.buy_quote += buys * t.price
    return list(candles.values())


@settings(max_examples=60, deadline=None)
@given(PAUSES)
def test_candles_of_every_interval_are_the_fold_of_the_trades(pauses: list[int]) -> None:
    trades = trades_of(pauses)
    candles = Candles(keep=10_000)
    for trade in trades:
        candles.add(trade)
    for interval in INTERVALS:
        expected = fold(trades, interval)
        assert candles.range(interval) == expected
        assert candles.latest(interval) == expected[-1]
        middle = expected[len(expected) // 2]
        assert candles.range(interval, middle.open_time, middle.end) == [middle]
        before = [row for row in expected if row.open_time < middle.open_time]
        found = candles.last_before(interval, middle.open_time)
        assert found == (before[-1] if before else None)


def test_only_the_newest_candles_are_kept() -> None:
    candles = Candles(keep=10)
    trades = trades_of([1_000_000] * 100)
    for trade in trades:
        candles.add(trade)
    kept = candles.range("1s")
    assert 10 <= len(kept) <= 16
    assert kept == fold(trades, "1s")[-len(kept) :]


def test_an_unknown_interval_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"expected one of 1s, 1m, .*, was '7m'"):
        Candles().range("7m")


def test_no_trade_no_candle() -> None:
    candles = Candles()
    assert candles.latest("1m") is None
    assert candles.range("1m") == []
    assert candles.last_before("1m", START) is None


@settings(max_examples=60, deadline=None)
@given(PAUSES)
def test_the_day_is_the_fold_of_its_trades_to_the_minute(pauses: list[int]) -> None:
    tape = Tape()
    assert tape.day(START) is None
    trades = trades_of(pauses)
    for index, trade in enumerate(trades):
        tape.add(trade)
        now = trade.time + 1
        # a minute leaves when all of it is older than a day
        inside = [
            t for t in trades[: index + 1] if open_time("1m", t.time) + 60 * 10**6 > now - DAY
        ]
        outside = trades[: trades.index(inside[0])]
        day = tape.day(now)
        assert day is not None
        assert (day.open, day.close) == (inside[0].price, trade.price)
        assert day.high == max(t.price for t in inside)
        assert day.low == min(t.price for t in inside)
        assert day.volume == sum(t.amount for t in inside)
        assert day.quote == sum(t.amount * t.price for t in inside)
        assert (day.trades, day.first_id, day.last_id) == (len(inside), inside[0].id, trade.id)
        assert day.previous == (outside[-1].price if outside else inside[0].price)


def test_a_minute_leaves_the_day_after_24_hours() -> None:
    tape = Tape()
    trades = trades_of([3600 * 10**6 + 1] * 60)
    for trade in trades:
        tape.add(trade)
        inside = [
            t for t in trades[: trade.id] if open_time("1m", t.time) + 60 * 10**6 > trade.time - DAY
        ]
        day = tape.day(trade.time)
        assert day is not None
        assert (day.trades, day.first_id) == (len(inside), inside[0].id)
        assert (day.high, day.low) == (
            max(t.price for t in inside),
            min(t.price for t in inside),
        )
        assert day.volume == sum(t.amount for t in inside)
        assert day.previous == trades[max(0, inside[0].id - 2)].price
    assert inside[0].id > 30


def test_the_tape_finds_trades_by_id_time_and_number() -> None:
    tape = Tape(keep=20)
    trades = trades_of([1000] * 100)
    assert (tape.last, tape.newest(5), tape.since(1)) == (None, [], [])
    for trade in trades:
        tape.add(trade)
    assert tape.last == trades[-1]
    assert tape.newest(3) == trades[-3:]
    assert tape.newest(0) == []
    assert tape.since(95, 2) == trades[94:96]
    assert tape.since(101) == []
    kept = tape.since(1)
    assert 20 <= len(kept) <= 31
    assert kept == trades[-len(kept) :]
    assert tape.between(trades[90].time, trades[93].time) == trades[90:93]
