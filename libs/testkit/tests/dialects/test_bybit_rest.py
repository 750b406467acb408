"""Bybit's REST by its documentation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector_testkit.dialects import Reply, load
from collector_testkit.dialects.desk import START, Desk
from collector_testkit.dialects.dialect import Limits
from collector_testkit.market import Listing

LISTING = Listing("BTC/USDT", "84250", "0.1", "0.000001", "0.05", "5", orders=0)
API = "/v5/market/"


def desk(limits: Limits | None = None) -> Desk:
    return Desk(load("bybit"), LISTING, limits)


def get(exchange: Desk, name: str, **query: Any) -> Reply:  # noqa: ANN401  # texts and numbers
    return exchange.get(f"{API}{name}", **{"category": "spot", **query})


def result(reply: Reply) -> Any:  # noqa: ANN401  # JSON
    body = json.loads(reply.body)
    assert (reply.status, body["retCode"], body["retMsg"]) == (200, 0, "OK")
    return body["result"]


def traded(exchange: Desk) -> Desk:
    exchange.order("sell", 842_500, 100_000)
    exchange.order("buy", 842_500, 60_000)
    exchange.pass_time(0.5)
    exchange.order("buy", 842_400, 10_000)
    exchange.order("sell", 842_400, 10_000)
    return exchange


def test_time() -> None:
    assert desk().get(f"{API}time").body == (
        b'{"retCode":0,"retMsg":"OK","result":{"timeSecond":"1795305600",'
        b'"timeNano":"1795305600250250000"},"retExtInfo":{},"time":1795305600250}'
    )


def test_instruments() -> None:
    (row,) = result(get(desk(), "instruments-info"))["list"]
    wanted = ("symbol", "status", "baseCoin", "quoteCoin", "priceFilter")
    assert [row[name] for name in wanted] == [
        *("BTCUSDT", "Trading", "BTC", "USDT", {"tickSize": "0.1"}),
    ]
    lot = row["lotSizeFilter"]
    assert (lot["basePrecision"], lot["minOrderAmt"]) == ("0.000001", "5")
    assert result(get(desk(), "instruments-info", symbol="BTCUSDT"))["list"] == [row]
    assert result(get(desk(), "instruments-info", status="PreLaunch"))["list"] == []


def test_the_book_has_the_number_of_the_deepest_stream() -> None:
    exchange = desk()
    exchange.connect()
    exchange.order("buy", 842_400, 7000)
    topic = "orderbook.1000.BTCUSDT"
    exchange.say({"op": "subscribe", "args": [topic]})
    reply = get(exchange, "orderbook", symbol="BTCUSDT", limit=1)
    assert reply.body == (
        b'{"retCode":0,"retMsg":"OK","result":{"s":"BTCUSDT","b":[["84240","0.007"]],"a":[],'
        b'"ts":1795305600250,"u":1000000,"seq":112000000001,"cts":1795305600250},'
        b'"retExtInfo":{},"time":1795305600250}'
    )
    assert (reply.channel, reply.symbol) == ("book", "BTC/USDT")
    exchange.order("buy", 842_401, 7000)
    # what the stream has not sent yet, REST does not show
    assert len(result(get(exchange, "orderbook", symbol="BTCUSDT", limit=50))["b"]) == 1
    exchange.pass_time(0.2)
    book = result(get(exchange, "orderbook", symbol="BTCUSDT", limit=50))
    assert (len(book["b"]), book["u"]) == (2, 1_000_001)
    exchange.say({"op": "unsubscribe", "args": [topic]})
    exchange.order("buy", 842_402, 7000)
    book = result(get(exchange, "orderbook", symbol="BTCUSDT", limit=50))
    assert (len(book["b"]), book["u"]) == (3, 1_000_002)
    assert len(result(get(exchange, "orderbook", symbol="BTCUSDT"))["b"]) == 1


def test_trades_newest_first() -> None:
    rows = result(get(traded(desk()), "recent-trade", symbol="BTCUSDT"))["list"]
    assert [row["side"] for row in rows] == ["Sell", "Buy"]
    assert rows[1] == {
        "execId": "2290000000000000002", "symbol": "BTCUSDT", "price": "84250", "size": "0.06",
        "side": "Buy", "time": "1795305600250", "isBlockTrade": False, "isRPITrade": False,
        "seq": "112000000004",
    }  # fmt: skip


def test_there_are_never_more_than_60_trades() -> None:
    exchange = desk()
    for _ in range(70):
        exchange.order("sell", 842_500, 1000)
        exchange.order("buy", 842_500, 1000)
    rows = result(get(exchange, "recent-trade", symbol="BTCUSDT", limit=500))["list"]
    assert len(rows) == 60
    assert len(result(get(exchange, "recent-trade", symbol="BTCUSDT", limit=5))["list"]) == 5


def test_candles_have_no_holes_and_begin_with_the_open_one() -> None:
    exchange = traded(desk())
    exchange.pass_time(130)
    rows = result(get(exchange, "kline", symbol="BTCUSDT", interval="1"))["list"]
    first = START // 60_000_000 * 60_000
    assert [int(row[0]) - first for row in rows] == [120_000, 60_000, 0]
    assert rows[2] == [str(first), "84250", "84250", "84240", "84240", "0.07", "5897.4"]
    assert rows[1] == [str(first + 60_000), *["84240"] * 4, "0", "0"]
    page = get(exchange, "kline", symbol="BTCUSDT", interval="1", start=first + 1, limit=1)
    # a limit takes from the newest on
    assert [int(row[0]) - first for row in result(page)["list"]] == [120_000]
    ended = get(exchange, "kline", symbol="BTCUSDT", interval="1", end=first + 119_999)
    assert [int(row[0]) - first for row in result(ended)["list"]] == [60_000, 0]
    before = get(exchange, "kline", symbol="BTCUSDT", interval="1", end=first - 1)
    assert result(before)["list"] == []


@pytest.mark.parametrize(
    ("name", "query", "told"),
    [
        ("orderbook", {"symbol": "NOPEUSDT"}, "Not supported symbols"),
        ("orderbook", {}, "Not supported symbols"),
        ("orderbook", {"category": "linear"}, "params error: Category is invalid"),
        ("instruments-info", {"category": ""}, "params error: Category is invalid"),
        ("orderbook", {"symbol": "BTCUSDT", "limit": "x"}, "params error: limit invalid"),
        ("recent-trade", {"symbol": "BTCUSDT", "limit": 0}, "params error: limit invalid"),
        ("kline", {"symbol": "BTCUSDT", "interval": "7"}, "Invalid period!"),
        ("kline", {"symbol": "BTCUSDT", "interval": "1", "start": "a"},
         "params error: start invalid"),
    ],
)  # fmt: skip
def test_errors_have_status_200(name: str, query: dict[str, Any], told: str) -> None:
    reply = get(desk(), name, **query)
    body = json.loads(reply.body)
    assert (reply.status, body["retCode"], body["retMsg"], body["result"]) == (200, 10001, told, {})


def test_an_unknown_path_is_not_found() -> None:
    assert desk().get("/v5/market/nope").status == 404


def test_too_many_requests_are_a_ban_of_ten_minutes() -> None:
    exchange = desk(Limits(weight=3))
    assert [exchange.get(f"{API}time").status for _ in range(4)] == [200, 200, 200, 403]
    assert exchange.get(f"{API}time").body == b"access too frequent"
    exchange.pass_time(599)
    assert exchange.get(f"{API}time").status == 403
    exchange.pass_time(2)
    assert exchange.get(f"{API}time").status == 200


def test_600_requests_in_5_seconds() -> None:
    exchange = desk()
    exchange.pass_time(5 - START / 1e6 % 5)
    assert {exchange.get(f"{API}time").status for _ in range(600)} == {200}
    assert exchange.get(f"{API}time").status == 403


def test_refusals() -> None:
    dialect = desk().dialect
    assert dialect.refusal(403, None) == Reply(403, b"access too frequent")
    assert dialect.refusal(418, None).status == 403
    assert json.loads(dialect.refusal(503, None).body)["retCode"] == 10016
    throttled = dialect.refusal(429, 2.5)
    assert (throttled.status, json.loads(throttled.body)["retCode"]) == (429, 10429)
    assert ("Retry-After", "3") in throttled.headers
