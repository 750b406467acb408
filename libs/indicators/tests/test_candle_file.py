"""Candle files: what is read, and what is said of a wrong line."""

from __future__ import annotations

import pytest

from collector_core.codec import encode
from collector_core.errors import NumberError, SettingsError
from collector_core.events import Candle, Indicator
from collector_indicators.candle_file import infer_interval, read_candles, read_time
from collector_indicators.engine import compute
from collector_indicators.selection import parse_set

from .rows import at, calculation, candle, clock, feed

HEADER = "open_time,open,high,low,close,volume"


def test_csv_and_json_lines_give_the_same_candles() -> None:
    csv = [
        "\ufeff" + HEADER + ",quote_volume,trade_count",
        "2023-11-13T00:00:00Z,1.50,2,1,1.7,10,15.5,3",
        "",
        '2023-11-13 00:05,1.7,"2",1,1.8E-1,0,,',
    ]
    text = (
        '{"open_time": 1699833600, "open": 1.50, "high": 2, "low": "1", "close": 1.7, "volume": 10,'
        '"quote_volume": 15.5, "trade_count": 3}\n'
        '{"open_time": "1699833900000", "open": "1.7", "high": "2", "low": 1, "close": 1.8E-1,'
        '"volume": 0, "quote_volume": null, "more": [1]}\n'
    )
    lines = text.splitlines(keepends=True)
    expected = [
        Candle(
            *("file", "FILE/FILE", None, None, 0, 0, "5m", at(0), at(300)),
            *("1.50", "2", "1", "1.7", "10", "15.5", 3, True),
        ),
        Candle(
            *("file", "FILE/FILE", None, None, 0, 0, "5m", at(300), at(600)),
            *("1.7", "2", "1", "0.18", "0", None, None, True),
        ),
    ]
    assert expected == read_candles(csv)
    assert expected == read_candles(lines)
    (first, _) = read_candles(csv, exchange="x", symbol="A/B", interval="1m")
    assert (first.exchange, first.symbol, first.interval) == ("x", "A/B", "1m")


def test_our_own_rows_are_taken_as_they_are() -> None:
    rows = [candle(0), candle(300, interval="5m", length=300)]
    plain = '{"open_time":1699833600,"open":1,"high":1,"low":1,"close":1,"volume":1}'
    read = read_candles([encode(rows[0]).decode(), plain, encode(rows[1]).decode()])
    assert [read[0], read[2]] == rows
    assert read[1].interval == "1m"


@pytest.mark.parametrize("lines", [[], ["", "  \n"], [HEADER]])
def test_nothing_gives_nothing(lines: list[str]) -> None:
    assert read_candles(lines) == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1699833600", 0),
        ("1699833600.25", 0.25),
        ("1699833600000", 0),
        ("1699833600000001", 0.000001),
        ("2023-11-13", 0),
        ("2023-11-13T09:00:00+09:00", 0),
        ("2023-11-13T00:00:00.5Z", 0.5),
    ],
)
def test_times_of_each_form(text: str, seconds: float) -> None:
    assert read_time(text) == at(seconds)


@pytest.mark.parametrize(
    ("steps", "interval"),
    [
        ([1], "1s"),
        ([90], "90s"),
        ([60, 180], "1m"),
        ([900], "15m"),
        ([14400], "4h"),
        ([86400], "1d"),
        ([604800], "1w"),
        ([31 * 86400, 28 * 86400], "1M"),
        ([], "1m"),
        ([0], "1m"),
    ],
)
def test_the_interval_is_the_smallest_distance(steps: list[int], interval: str) -> None:
    times = [at(0)]
    for step in steps:
        times.append(times[-1] + step * 1_000_000)
    assert infer_interval(times) == interval


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["time,open"], "line 1: expected the columns open_time, open, high, low, close, volume"),
        ([HEADER, "1,2"], "line 2: expected 6 cells, was 2"),
        ([HEADER, "", "1,2,3,x,5,6"], "line 3: low: expected a decimal number, was 'x'"),
        ([HEADER, "1,2,3,,5,6"], "line 2: expected low, was none"),
        ([HEADER, "soon,1,2,3,4,5"], "line 2: open_time: expected a time in ISO 8601"),
        ([HEADER, "NaN,1,2,3,4,5"], "line 2: open_time: expected a time in ISO 8601"),
        ([HEADER, f"{10**18},1,2,3,4,5"], "line 2: open_time: expected a time in ISO 8601"),
        ([HEADER + ",trade_count", "1,1,2,3,4,5,many"], "line 2: trade_count: expected a whole"),
        ([HEADER + ",quote_volume", "1,1,2,3,4,5,y"], "line 2: quote_volume: expected a decimal"),
        (["{oops}"], "line 1: expected a JSON object"),
        (['{"open_time": 1}', "[]"], "line 2: expected a JSON object"),
        (['{"open_time": 1}'], "line 1: expected open, high, low, close, volume, was none"),
        ([encode(clock(0)).decode()], "line 1: expected a candle row, was a clock row"),
        (['{"type": "candle"}'], "line 1: expected a JSON object: expected an event row"),
        ([HEADER, "1.5,1,1,1,1,1", "1.7,1,1,1,1,1"], "expected rows whole seconds apart"),
    ],
)
def test_a_wrong_line_is_named(lines: list[str], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_candles(lines)
    assert said in str(caught.value)


def test_compute_gives_the_rows_of_the_live_calculation() -> None:
    log = [candle(60 * i, str(10 + i % 7)) for i in range(60)]
    chosen = "rsi:14,macd:12:26:9,bollinger:20:2,vwap"
    live = feed(calculation(indicators=chosen, input="candle", live_every=1_000_000), *log)
    assert list(compute(log, parse_set(chosen))) == [
        row for row in live if isinstance(row, Indicator) and row.closed
    ]


def test_compute_refuses_a_candle_without_numbers() -> None:
    rows = compute([candle(0), candle(60, "x")], parse_set("rsi"))
    assert next(rows).bars_seen == 1
    with pytest.raises(NumberError, match=f"was none in the candle of {candle(60).open_time}"):
        next(rows)


def test_compute_keeps_series_apart_and_takes_any_number_of_rows() -> None:
    log = [candle(0), candle(0, interval="5m", length=300), candle(60)]
    rows = list(compute(log, parse_set("rsi")))
    assert [(row.interval, row.bars_seen) for row in rows] == [("1m", 1), ("5m", 1), ("1m", 2)]
    assert list(compute([], parse_set("rsi"))) == []
