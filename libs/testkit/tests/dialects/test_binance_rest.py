"""Binance's REST by the protocol note."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from collector_testkit.dialects.desk import START, Desk
from collector_testkit.dialects.dialect import Limits

API = "/api/v3/"


def traded(desk: Desk) -> Desk:
    desk.order("sell", 8425000, 100)
    desk.order("sell", 8425000, 50)
    desk.order("buy", 8425000, 120)
    desk.pass_time(0.5)
    desk.order("buy", 8424000, 10)
    desk.order("sell", 8424000, 10)
    return desk


def test_depth(binance: Callable[..., Desk]) -> None:
    desk = traded(binance())
    desk.order("buy", 8423000, 7)
    desk.order("buy", 8423500, 7)
    reply = desk.get(f"{API}depth", symbol="BTCUSDT", limit=1)
    assert reply.body == (
        b'{"lastUpdateId":7,"bids":[["84235.00000000","0.00007000"]],'
        b'"asks":[["84250.00000000","0.00030000"]]}'
    )
    assert (reply.status, reply.channel, reply.symbol) == (200, "book", "BTC/USDT")


def test_trades_and_history(binance: Callable[..., Desk]) -> None:
    desk = traded(binance())
    rows = json.loads(desk.get(f"{API}trades", symbol="BTCUSDT", limit=2).body)
    assert [row["id"] for row in rows] == [2, 3]
    assert rows[1] == {
        "id": 3, "price": "84240.00000000", "qty": "0.00010000", "quoteQty": "8.42400000",
        "time": 1795305600750, "isBuyerMaker": True, "isBestMatch": True,
    }  # fmt: skip
    history = desk.get(f"{API}historicalTrades", symbol="BTCUSDT", fromId=2, limit=1)
    assert [row["id"] for row in json.loads(history.body)] == [2]
    newest = json.loads(desk.get(f"{API}historicalTrades", symbol="BTCUSDT").body)
    assert [row["id"] for row in newest] == [1, 2, 3]


def test_aggregates(binance: Callable[..., Desk]) -> None:
    desk = traded(binance())
    rows = json.loads(desk.get(f"{API}aggTrades", symbol="BTCUSDT").body)
    assert rows[0] == {
        "a": 1, "p": "84250.00000000", "q": "0.00120000", "f": 1, "l": 2, "T": 1795305600250,
        "m": False, "M": True,
    }  # fmt: skip
    assert [row["a"] for row in rows] == [1, 2]
    later = desk.get(f"{API}aggTrades", symbol="BTCUSDT", fromId=2)
    assert [row["a"] for row in json.loads(later.body)] == [2]
    early = desk.get(
        f"{API}aggTrades", symbol="BTCUSDT", startTime=START // 1000, endTime=START // 1000
    )
    assert [row["a"] for row in json.loads(early.body)] == [1]


def test_klines_have_no_holes_and_end_with_the_open_one(binance: Callable[..., Desk]) -> None:
    desk = traded(binance())
    desk.pass_time(2)
    rows = json.loads(desk.get(f"{API}klines", symbol="BTCUSDT", interval="1s").body)
    first, second, open_one = rows
    assert first == [
        1795305600000, "84250.00000000", "84250.00000000", "84240.00000000", "84240.00000000",
        "0.00130000", 1795305600999, "109.52400000", 3, "0.00120000", "101.10000000", "0",
    ]  # fmt: skip
    assert second[:9] == [1795305601000, *["84240.00000000"] * 4, "0.00000000", 1795305601999,
                          "0.00000000", 0]  # fmt: skip
    assert open_one[0] == 1795305602000
    page = desk.get(
        f"{API}klines", symbol="BTCUSDT", interval="1s", startTime=1795305600001, limit=1
    )
    assert [row[0] for row in json.loads(page.body)] == [1795305601000]
    ended = desk.get(f"{API}klines", symbol="BTCUSDT", interval="1s", endTime=1795305601000)
    assert [row[0] for row in json.loads(ended.body)] == [1795305600000, 1795305601000]
    newest = desk.get(f"{API}klines", symbol="BTCUSDT", interval="1s", limit=1)
    assert [row[0] for row in json.loads(newest.body)] == [1795305602000]


def test_klines_before_any_trade_are_none(binance: Callable[..., Desk]) -> None:
    assert binance().get(f"{API}klines", symbol="BTCUSDT", interval="1d").body == b"[]"


def test_exchange_info(binance: Callable[..., Desk]) -> None:
    body = json.loads(binance().get(f"{API}exchangeInfo").body)
    [symbol] = body["symbols"]
    wanted = ("symbol", "status", "baseAsset", "quoteAsset")
    assert [symbol[name] for name in wanted] == ["BTCUSDT", "TRADING", "BTC", "USDT"]
    filters = {entry["filterType"]: entry for entry in symbol["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == "0.00001000"
    assert filters["NOTIONAL"]["minNotional"] == "5.00000000"
    assert body["rateLimits"] == [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000}
    ]
    one = binance().get(f"{API}exchangeInfo", symbols='["BTCUSDT"]')
    assert json.loads(one.body)["symbols"] == [symbol]
    halted = binance().get(f"{API}exchangeInfo", symbolStatus="HALT")
    assert json.loads(halted.body)["symbols"] == []


def test_time_and_ping(binance: Callable[..., Desk]) -> None:
    desk = binance()
    assert desk.get(f"{API}time").body == b'{"serverTime":1795305600250}'
    assert desk.get(f"{API}ping").body == b"{}"


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("depth", {"symbol": "NOPE"}, -1121),
        ("depth", {}, -1102),
        ("depth", {"symbol": "BTCUSDT", "limit": "x"}, -1100),
        ("depth", {"symbol": "BTCUSDT", "limit": "0"}, -1100),
        ("trades", {"symbol": "BTCUSDT", "limit": "0"}, -1100),
        ("klines", {"symbol": "BTCUSDT", "interval": "7m"}, -1120),
        ("klines", {"symbol": "BTCUSDT"}, -1102),
        ("exchangeInfo", {"symbols": "x"}, -1100),
        ("exchangeInfo", {"symbols": '["NOPE"]'}, -1121),
    ],
)
def test_errors(binance: Callable[..., Desk], path: str, query: dict[str, Any], code: int) -> None:
    reply = binance().get(API + path, **query)
    assert (reply.status, json.loads(reply.body)["code"]) == (400, code)


def test_an_unknown_path_is_not_found(binance: Callable[..., Desk]) -> None:
    assert binance().get("/api/v3/nope").status == 404
    assert binance().get("/depth").status == 404


def test_weights_headers_and_the_ban(binance: Callable[..., Desk]) -> None:
    desk = binance(Limits(weight=300))
    deep = desk.get(f"{API}depth", symbol="BTCUSDT", limit=5000)
    assert ("X-MBX-USED-WEIGHT-1M", "250") in deep.headers
    weights = [
        dict(desk.get(f"{API}depth", symbol="BTCUSDT", limit=limit).headers)["X-MBX-USED-WEIGHT-1M"]
        for limit in (100, 500)
    ]
    assert weights == ["255", "280"]
    over = desk.get(f"{API}exchangeInfo")
    assert over.status == 200
    refused = desk.get(f"{API}time")
    assert refused.status == 429
    assert json.loads(refused.body)["code"] == -1003
    assert dict(refused.headers)["Retry-After"] == "60"
    statuses = [desk.get(f"{API}time").status for _ in range(20)]
    assert statuses == [429] * 19 + [418]
    banned = desk.get(f"{API}time")
    assert (banned.status, dict(banned.headers)["Retry-After"]) == (418, "120")
    desk.pass_time(121)
    assert desk.get(f"{API}time").status == 200


def test_refusals(binance: Callable[..., Desk]) -> None:
    dialect = binance().dialect
    assert dialect.refusal(403, None).headers == ()
    assert json.loads(dialect.refusal(503, None).body)["code"] == -1001
    assert ("Retry-After", "3") in dialect.refusal(429, 2.5).headers
