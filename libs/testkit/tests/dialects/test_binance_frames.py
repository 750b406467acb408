"""Data frames of Binance, field for field, written down by the protocol note."""

from __future__ import annotations

import json
from collections.abc import Callable

from collector_testkit.dialects.desk import Desk


def subscribed(desk: Desk, *kinds: str) -> None:
    desk.connect()
    params = [f"btcusdt@{kind}" for kind in kinds]
    desk.say({"method": "SUBSCRIBE", "params": params, "id": 1})


def test_trades_and_aggregates(
    binance: Callable[..., Desk], texts: Callable[..., list[str]]
) -> None:
    desk = binance()
    subscribed(desk, "trade", "aggTrade")
    # two orders at one price and one above it: two aggregates
    for price, amount in ((8425000, 100), (8425000, 50), (8425001, 700)):
        desk.order("sell", price, amount)
    head = '"E":1795305600250,"s":"BTCUSDT"'
    tail = '"T":1795305600250,"m":false,"M":true}'
    assert texts(desk.order("buy", 8425001, 250)) == [
        f'{{"e":"trade",{head},"t":1,"p":"84250.00000000","q":"0.00100000",{tail}',
        f'{{"e":"trade",{head},"t":2,"p":"84250.00000000","q":"0.00050000",{tail}',
        f'{{"e":"trade",{head},"t":3,"p":"84250.01000000","q":"0.00100000",{tail}',
        f'{{"e":"aggTrade",{head},"a":1,"p":"84250.00000000","q":"0.00150000","f":1,"l":2,{tail}',
        f'{{"e":"aggTrade",{head},"a":2,"p":"84250.01000000","q":"0.00100000","f":3,"l":3,{tail}',
    ]
    desk.order("buy", 8424990, 10)
    [trade, _] = texts(desk.order("sell", 8424990, 10))
    assert json.loads(trade)["m"] is True


def test_book_ticker_on_each_change_of_the_touch(
    binance: Callable[..., Desk], texts: Callable[..., list[str]]
) -> None:
    desk = binance()
    subscribed(desk, "bookTicker")
    empty = '"a":"0.00000000","A":"0.00000000"'
    bid = '"s":"BTCUSDT","b":"84240.00000000","B":"0.00100000"'
    assert texts(desk.order("buy", 8424000, 100)) == [f'{{"u":1,{bid},{empty}}}']
    desk.order("sell", 8425000, 300)
    assert texts(desk.order("buy", 8423999, 100)) == []
    ask = '"a":"84250.00000000","A":"0.00301000"'
    assert texts(desk.order("sell", 8425000, 1)) == [f'{{"u":4,{bid},{ask}}}']


def test_diffs_carry_the_last_total_of_each_level(
    binance: Callable[..., Desk], texts: Callable[..., list[str]]
) -> None:
    desk = binance()
    desk.order("buy", 8423000, 5)
    subscribed(desk, "depth@100ms", "depth")
    desk.order("buy", 8424000, 100)
    desk.order("buy", 8424000, 50)
    desk.order("sell", 8425000, 300)
    desk.order("sell", 8425001, 10)
    desk.order("buy", 8425000, 300)
    fast = (
        '{"e":"depthUpdate","E":1795305600300,"s":"BTCUSDT","U":2,"u":6,'
        '"b":[["84240.00000000","0.00150000"]],'
        '"a":[["84250.00000000","0.00000000"],["84250.01000000","0.00010000"]]}'
    )
    assert texts(desk.pass_time(0.1)) == [fast]
    assert texts(desk.pass_time(0.1)) == []
    desk.order("buy", 8424000, 1)
    second, slow = texts(desk.pass_time(1))
    assert second == (
        '{"e":"depthUpdate","E":1795305600500,"s":"BTCUSDT","U":7,"u":7,'
        '"b":[["84240.00000000","0.00151000"]],"a":[]}'
    )
    assert slow == (
        '{"e":"depthUpdate","E":1795305601000,"s":"BTCUSDT","U":2,"u":7,'
        '"b":[["84240.00000000","0.00151000"]],'
        '"a":[["84250.00000000","0.00000000"],["84250.01000000","0.00010000"]]}'
    )


def test_partial_depth(binance: Callable[..., Desk], texts: Callable[..., list[str]]) -> None:
    desk = binance()
    subscribed(desk, "depth5@100ms", "depth20")
    for step in range(7):
        desk.order("buy", 8424000 - step, 100)
    desk.order("sell", 8425000, 300)
    levels = ",".join(f'["84239.{99 - i}000000","0.00100000"]' for i in range(4))
    five = (
        '{"lastUpdateId":8,"bids":[["84240.00000000","0.00100000"],'
        + levels
        + '],"asks":[["84250.00000000","0.00300000"]]}'
    )
    assert texts(desk.pass_time(0.1)) == [five]
    [twenty] = texts(desk.pass_time(1))
    assert len(json.loads(twenty)["bids"]) == 7
    assert texts(desk.pass_time(2)) == []


def test_ticker_of_24_hours(binance: Callable[..., Desk], texts: Callable[..., list[str]]) -> None:
    desk = binance()
    subscribed(desk, "ticker", "miniTicker")
    assert texts(desk.pass_time(1)) == []
    for price, amount in ((8400000, 100), (8442000, 300)):
        desk.order("sell", price, amount + 1)
        desk.order("buy", price, amount)
        desk.order("buy", price, 1)
    desk.order("buy", 8441000, 7)
    ticker, mini = texts(desk.pass_time(1))
    assert ticker == (
        '{"e":"24hrTicker","E":1795305602000,"s":"BTCUSDT","p":"420.00000000","P":"0.500",'
        '"w":"84314.47761194","x":"84000.00000000","c":"84420.00000000","Q":"0.00001000",'
        '"b":"84410.00000000","B":"0.00007000","a":"0.00000000","A":"0.00000000",'
        '"o":"84000.00000000","h":"84420.00000000","l":"84000.00000000","v":"0.00402000",'
        '"q":"338.94420000","O":1795305600000,"C":1795305602000,"F":1,"L":4,"n":4}'
    )
    assert mini == (
        '{"e":"24hrMiniTicker","E":1795305602000,"s":"BTCUSDT","c":"84420.00000000",'
        '"o":"84000.00000000","h":"84420.00000000","l":"84000.00000000","v":"0.00402000",'
        '"q":"338.94420000"}'
    )


def test_klines_are_pushed_every_two_seconds_and_closed_once(
    binance: Callable[..., Desk], texts: Callable[..., list[str]]
) -> None:
    desk = binance()
    subscribed(desk, "kline_1m", "kline_1s")
    desk.order("sell", 8425000, 300)
    desk.order("buy", 8425000, 100)
    desk.own.engine.limit("buy", 8424000, 100)
    desk.order("sell", 8424000, 40)
    frames = [json.loads(text) for text in texts(desk.pass_time(1))]
    # the second that is over; the minute follows at the next even second
    assert [(f["k"]["i"], f["k"]["x"]) for f in frames] == [("1s", True)]
    assert frames[0] == {
        "e": "kline",
        "E": 1795305601000,
        "s": "BTCUSDT",
        "k": {
            "t": 1795305600000, "T": 1795305600999, "s": "BTCUSDT", "i": "1s", "f": 1, "L": 2,
            "o": "84250.00000000", "c": "84240.00000000", "h": "84250.00000000",
            "l": "84240.00000000", "v": "0.00140000", "n": 2, "x": True, "q": "117.94600000",
            "V": "0.00100000", "Q": "84.25000000", "B": "0",
        },
    }  # fmt: skip
    later = [json.loads(text)["k"] for text in texts(desk.pass_time(60))]
    minutes = [k for k in later if k["i"] == "1m"]
    assert [k["x"] for k in minutes] == [False] * 29 + [True, False]
    assert minutes[-2]["t"] == 1795305600000
    assert (minutes[-2]["n"], minutes[-2]["f"], minutes[-2]["L"]) == (2, 1, 2)
    # nothing traded in the next minute: it stands at the last price, without ids
    empty = minutes[-1]
    assert (empty["o"], empty["c"], empty["n"], empty["f"], empty["L"]) == (
        "84240.00000000", "84240.00000000", 0, -1, -1,
    )  # fmt: skip
    seconds = [k for k in later if k["i"] == "1s"]
    assert len(seconds) == 60
    assert all(k["x"] for k in seconds)
