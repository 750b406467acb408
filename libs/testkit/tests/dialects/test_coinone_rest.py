"""Coinone over REST: sizes, refusals with HTTP 200, the bucket, and flat candles."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector_testkit.dialects import Delivery, Reply, load
from collector_testkit.dialects.coinone.rest import Bucket
from collector_testkit.dialects.desk import Desk
from collector_testkit.dialects.dialect import Limits
from collector_testkit.market import Listing

MINUTE = 60_000_000


def desk(limits: Limits | None = None) -> Desk:
    listing = Listing("BTC/KRW", "116450000", "10000", "0.00000001", "0.01", "5000", orders=0)
    made = Desk(load("coinone"), listing, limits)
    made.order("buy", 11645, 50_000_000)
    made.order("sell", 11646, 50_000_000)
    return made


def body(reply: Reply) -> dict[str, Any]:
    assert reply.status == 200
    assert ("Content-Type", "application/json") in reply.headers
    content = json.loads(reply.body)
    assert isinstance(content, dict)
    return content


def refused(code: str, message: str) -> dict[str, str]:
    return {"result": "error", "error_code": code, "error_msg": message}


def test_markets() -> None:
    reply = desk().get("/public/v2/markets/KRW")
    assert reply.channel == "instrument"
    content = body(reply)
    assert (content["result"], content["error_code"]) == ("success", "0")
    [row] = content["markets"]
    assert (row["quote_currency"], row["target_currency"]) == ("KRW", "BTC")
    assert (row["price_unit"], row["qty_unit"], row["min_order_amount"]) == (
        "10000.0",
        "0.00000001",
        "5000.0",
    )
    assert (row["maintenance_status"], row["trade_status"]) == (0, 1)
    assert body(desk().get("/public/v2/markets/krw/btc"))["markets"] == [row]
    assert body(desk().get("/public/v2/markets/USDT"))["markets"] == []


def test_the_book_has_the_id_of_the_stream_and_its_best_ask_first() -> None:
    exchange = desk()
    exchange.order("sell", 11650, 100)
    exchange.connect()
    topic = {"quote_currency": "KRW", "target_currency": "BTC"}
    message = {"request_type": "SUBSCRIBE", "channel": "ORDERBOOK", "topic": topic}
    [_, frame] = exchange.say(message)
    assert isinstance(frame, Delivery)
    streamed = json.loads(frame.payload)["data"]
    reply = exchange.get("/public/v2/orderbook/KRW/BTC", size=16)
    assert (reply.channel, reply.symbol) == ("book", "BTC/KRW")
    content = body(reply)
    assert content["id"] == streamed["id"]
    assert content["timestamp"] == int(content["id"]) // 1000
    assert content["bids"] == streamed["bids"] == [{"price": "116450000", "qty": "0.5"}]
    assert content["asks"] == streamed["asks"][::-1]
    assert [level["price"] for level in content["asks"]] == ["116460000", "116500000"]


@pytest.mark.parametrize(("size", "count"), [(None, 15), (5, 5), (10, 10), (16, 16)])
def test_sizes_of_a_book(size: int | None, count: int) -> None:
    exchange = desk()
    for price in range(11600, 11645):
        exchange.order("buy", price, 100)
    query = {} if size is None else {"size": size}
    assert len(body(exchange.get("/public/v2/orderbook/KRW/BTC", None, **query))["bids"]) == count


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("orderbook/KRW/BTC", {"size": "20"}),
        ("trades/KRW/BTC", {"size": "201"}),
        ("chart/KRW/BTC", {}),
        ("chart/KRW/BTC", {"interval": "8h"}),
        ("chart/KRW/BTC", {"interval": "1m", "size": "501"}),
        ("chart/KRW/BTC", {"interval": "1m", "size": "x"}),
        ("chart/KRW/BTC", {"interval": "1m", "timestamp": "today"}),
    ],
)
def test_a_wrong_parameter_is_refused_with_status_200(path: str, query: dict[str, str]) -> None:
    content = body(desk().get(f"/public/v2/{path}", None, **query))
    assert content == refused("107", "Parameter value is wrong")


@pytest.mark.parametrize("path", ["orderbook/KRW/NOPE", "trades/USDT/BTC", "markets/KRW/NOPE"])
def test_an_unknown_currency_is_refused_with_status_200(path: str) -> None:
    content = body(desk().get(f"/public/v2/{path}"))
    assert content == refused("108", "Unknown CryptoCurrency")


@pytest.mark.parametrize(
    "path",
    ["/public/v2/nope", "/", "/public/v2/markets", "/public/v2/trades/KRW", "/v2/trades/a/b"],
)
def test_a_wrong_path_is_a_page(path: str) -> None:
    reply = desk().get(path)
    assert reply.status == 200
    assert reply.body.startswith(b"<!DOCTYPE html>")


def test_trades_newest_first_with_the_ids_of_the_stream() -> None:
    exchange = desk()
    for amount in range(1, 231):
        exchange.order("sell" if amount % 2 else "buy", 11645 if amount % 2 else 11646, amount)
        exchange.pass_time(0.001)
    reply = exchange.get("/public/v2/trades/KRW/BTC", size=200)
    assert (reply.channel, reply.symbol) == ("trade", "BTC/KRW")
    rows = body(reply)["transactions"]
    assert len(rows) == 200
    assert [row["qty"] for row in rows[:2]] == ["0.0000023", "0.00000229"]
    assert [row["is_seller_maker"] for row in rows[:2]] == [True, False]
    assert len({row["id"] for row in rows}) == 200
    assert all(int(row["id"]) // 1000 == row["timestamp"] for row in rows)
    assert len(body(exchange.get("/public/v2/trades/KRW/BTC", size=10))["transactions"]) == 10


def trade_at(exchange: Desk, minute: int, price: int) -> None:
    exchange.until(minute * MINUTE + 1_000_000)
    exchange.order("sell" if price == 11645 else "buy", price, 1_000_000)


def test_candles_newest_first_flat_where_nothing_was_traded() -> None:
    exchange = desk()
    first = exchange.now // MINUTE + 1
    trade_at(exchange, first, 11645)
    trade_at(exchange, first + 3, 11646)
    exchange.until((first + 4) * MINUTE)
    content = body(exchange.get("/public/v2/chart/KRW/BTC", interval="1m"))
    rows = content["chart"]
    assert [row["timestamp"] * 1000 // MINUTE - first for row in rows] == [4, 3, 2, 1, 0]
    assert [row["target_volume"] for row in rows] == ["0.0", "0.01", "0.0", "0.0", "0.01"]
    assert [row["close"] for row in rows] == ["116460000.0"] * 2 + ["116450000.0"] * 3
    assert rows[1]["quote_volume"] == "1164600.0"
    assert [rows[2][name] for name in ("open", "high", "low")] == ["116450000.0"] * 3
    assert content["is_last"] is True


def test_a_page_of_candles_ends_with_the_one_that_opens_at_its_timestamp() -> None:
    exchange = desk()
    first = exchange.now // MINUTE + 1
    for minute in range(6):
        trade_at(exchange, first + minute, 11645)
    stamp = (first + 4) * MINUTE // 1000
    chart = "/public/v2/chart/KRW/BTC"
    content = body(exchange.get(chart, interval="1m", timestamp=stamp, size=3))
    assert [row["timestamp"] - stamp for row in content["chart"]] == [0, -60_000, -120_000]
    assert content["is_last"] is False
    early = body(exchange.get(chart, interval="1m", timestamp=stamp - 3_600_000))
    assert (early["chart"], early["is_last"]) == ([], True)
    months = body(exchange.get(chart, interval="1mon"))["chart"]
    assert [row["target_volume"] for row in months] == ["0.06"]


def test_what_is_left_of_the_bucket_stands_in_the_headers_while_there_is_any() -> None:
    exchange = desk(Limits(weight=120))
    names = ("public-ratelimit-remaining", "public-ratelimit-burst-capacity")

    def ask() -> tuple[dict[str, Any], list[str | None]]:
        reply = exchange.get("/public/v2/orderbook/KRW/BTC")
        headers = dict(reply.headers)
        return body(reply), [headers.get(name) for name in names]

    assert ask()[1] == ["119", "120"]
    for _ in range(118):
        ask()
    assert ask()[1] == ["0", "120"]
    assert ask() == (refused("4", "Blocked user access"), [None, None])
    # two come back each second
    exchange.pass_time(1)
    assert ask()[1] == ["1", "120"]


def test_each_address_has_a_bucket_of_its_own_that_never_runs_over() -> None:
    bucket = Bucket(60)
    assert [bucket.take("a", 0) for _ in range(61)][-3:] == [1, 0, -1]
    assert bucket.take("b", 0) == 59
    assert bucket.take("a", 3_600_000_000) == 59


@pytest.mark.parametrize(("status", "code"), [(429, "4"), (418, "4"), (403, "4"), (503, "405")])
def test_refusals_by_faults(status: int, code: str) -> None:
    reply = desk().dialect.refusal(status, 3.0)
    assert (reply.status, json.loads(reply.body)["error_code"]) == (status, code)
