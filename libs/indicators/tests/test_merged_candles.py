"""Candles of intervals that an exchange lacks, merged from smaller ones."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_core.codec import encode
from collector_core.errors import NumberError, SettingsError
from collector_core.events import Candle, Event, Indicator
from collector_core.intervals import close_time, open_time
from collector_indicators.merged_candles import MergedCandles, Source

from .rows import SECOND, calculation, candle, continued, feed, status


def minute(number: int, price: str = "10", *, closed: bool = True, volume: str = "2") -> Candle:
    row = candle(number * 60, price, closed=closed, received=number * 60 + 60)
    return msgspec.structs.replace(row, volume=volume)


def merged(text: str, *rows: Candle, horizon: int = 2) -> list[Candle]:
    candles = MergedCandles(Source.parse(text), horizon)
    return [given for row in rows for given in candles.take(row)]


def test_a_candle_is_the_exact_sum_of_its_parts() -> None:
    parts = [
        msgspec.structs.replace(
            minute(n), open=o, high=h, low=low, close=c, volume=v, quote_volume=q, trade_count=3
        )
        for n, (o, h, low, c, v, q) in enumerate(
            [
                ("10", "12", "9", "11", "0.1", "1.05"),
                ("11", "12.5", "11", "11.5", "0.2", "2.3"),
                ("11.5", "11.5", "8.75", "9", "0.30", "3"),
                ("9", "10", "9", "10", "1e-8", "0.0000001"),
                ("10", "10", "10", "10", "5", "50"),
            ]
        )
    ]
    rows = merged("5m/1m", *parts)
    assert [row.closed for row in rows] == [False] * 4 + [True]
    last = rows[-1]
    assert (last.interval, last.open, last.high, last.low, last.close) == (
        *("5m", "10", "12.5", "8.75", "10"),
    )
    assert (last.volume, last.quote_volume, last.trade_count) == ("5.60000001", "56.3500001", 15)
    assert last.open_time == parts[0].open_time
    assert last.close_time == parts[-1].close_time


def test_a_part_behind_it_closes_a_candle_whose_last_part_nobody_traded() -> None:
    rows = merged("5m/1m", minute(0), minute(3), minute(6, closed=False))
    assert [(row.closed, row.open_time // (300 * SECOND) % 12) for row in rows] == [
        (False, 0),
        (False, 0),
        (True, 0),
        (False, 1),
    ]


def test_a_figure_that_a_part_lacks_is_not_given() -> None:
    lacks = msgspec.structs.replace(minute(1), trade_count=None, quote_volume="5")
    rows = merged("5m/1m", minute(0), lacks)
    assert (rows[-1].trade_count, rows[-1].quote_volume) == (None, None)


def test_corrections_revise_within_the_horizon() -> None:
    made = calculation("5m/1m", "sma:2", input="candle", horizon=2)
    feed(made, *(minute(n, str(10 + n)) for n in range(20)))
    rows = feed(made, minute(14, "99"))
    assert [(row.open_time // (300 * SECOND) % 12, row.revision) for row in only(rows)] == [
        (2, 1),
        (3, 1),
    ]
    assert only(rows)[0].values["sma"] == (19 + 99) / 2
    assert feed(made, minute(14, "99")) == []
    assert feed(made, minute(1, "99")) == []
    assert (made.late, made.dropped) == ({"5m/1m": 1}, {"5m/1m": 1})


def test_a_gap_that_took_a_part_marks_the_candle() -> None:
    made = calculation("5m/1m,1m", "ema:2", input="candle")
    log = [*map(minute, range(7)), status("gap", channel="candle"), *map(minute, range(8, 20))]
    rows = [row for row in only(feed(made, *log)) if row.interval == "5m"]
    assert [row.incomplete for row in rows] == [False, True, True, False]
    assert [
        row.incomplete
        for row in only(
            feed(calculation("5m/1m", "ema:2", input="candle"), *map(minute, range(2, 5)))
        )
    ] == [True]


def only(rows: list[Event]) -> list[Indicator]:
    return [row for row in rows if isinstance(row, Indicator)]


@st.composite
def minutes(draw: st.DrawFn) -> list[Candle]:
    rows, number = [], draw(st.integers(0, 9))
    for _ in range(draw(st.integers(0, 40))):
        number += draw(st.sampled_from([0, 1, 1, 1, 2, 6]))
        back = draw(st.sampled_from([0, 0, 0, 0, 1, 7]))
        rows.append(
            minute(
                max(0, number - back),
                draw(st.sampled_from(["10", "11.5", "9"])),
                closed=draw(st.booleans()),
                volume=draw(st.sampled_from(["0", "0.1", "0.00000001"])),
            )
        )
    return rows


@given(log=minutes(), cut=st.integers(0, 40), live=st.sampled_from([None, SECOND]))
def test_a_restore_anywhere_changes_no_byte(log: list[Candle], cut: int, live: int | None) -> None:
    plain = calculation("5m/1m,1m", "rsi:2,vwap", input="candle", live_every=live)
    expected = feed(plain, *log)
    other = calculation("5m/1m,1m", "rsi:2,vwap", input="candle", live_every=live)
    got = feed(other, *log[:cut])
    other = continued(other)
    got += feed(other, *log[cut:])
    assert [encode(row) for row in expected] == [encode(row) for row in got]
    assert plain.open_state() == other.open_state()


def test_the_same_whatever_the_steps() -> None:
    """A day from hours that come from minutes equals what the exchange would have told."""
    random = Random(1)
    prices = [random.choice(["10", "11.5", "9"]) for _ in range(24 * 60)]
    parts = [minute(n, price) for n, price in enumerate(prices)]
    hours = [row for row in merged("1h/1m", *parts) if row.closed]
    [day] = [row for row in merged("1d/1h", *hours) if row.closed]
    assert len(hours) == 24
    assert (day.open, day.close) == (prices[0], prices[-1])
    assert (day.high, day.low) == (max(prices, key=float), min(prices, key=float))
    assert day.volume == str(2 * len(prices))


@pytest.mark.parametrize(
    ("text", "parts"), [("1w/1d", 7), ("1M/1d", 30), ("8h/1h", 8), ("90s/1s", 90)]
)
def test_weeks_and_months_hold_their_days(text: str, parts: int) -> None:
    source = Source.parse(text)
    assert source.parts is not None
    # 2023-11-01, a Wednesday; the week from Monday on
    start = open_time(source.interval, 1_698_796_800_000_000)
    rows, opened = [], start
    while opened < close_time(source.interval, start):
        end = close_time(source.parts, opened)
        rows.append(
            msgspec.structs.replace(
                minute(0), interval=source.parts, open_time=opened, close_time=end
            )
        )
        opened = end
    assert len(rows) == parts
    assert [row.closed for row in merged(text, *rows)] == [False] * (parts - 1) + [True]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10m/3m", "expected an interval and one that fills it, was '10m/3m'"),
        ("1m/1m", "expected an interval and one that fills it"),
        ("1m/5m", "expected an interval and one that fills it"),
        ("1d/1M", "expected an interval and one that fills it"),
        ("1M/1w", "expected parts that begin with the whole, was '1M/1w'"),
        ("1M/7h", "expected parts that fill a day, was '1M/7h'"),
        ("1d/1m", "expected at most 100 candles in one, was '1d/1m'"),
        ("1d/", "expected an interval such as 1s"),
        ("/1m", "expected an interval such as 1s"),
    ],
)
def test_what_cannot_be_merged_is_refused(text: str, expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        calculation(text, input="candle")


def test_an_interval_comes_from_one_source() -> None:
    with pytest.raises(SettingsError, match="intervals: expected 5m once, was"):
        calculation("5m,5m/1m", input="candle")
    with pytest.raises(SettingsError, match="expected an interval such as"):
        calculation("5m/1m", input="bar")


def test_a_bad_number_is_named() -> None:
    with pytest.raises(NumberError, match="expected a decimal number, was 'x'"):
        merged("5m/1m", minute(0, "x"))
