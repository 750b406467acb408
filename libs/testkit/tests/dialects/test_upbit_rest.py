"""Upbit's quotation REST by the protocol note."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from collector_testkit.dialects.desk import Desk
from collector_testkit.dialects.dialect import Limits


def traded(desk: Desk) -> Desk:
    desk.order("buy", 116530, 1_000_000)
    for amount in (6043, 200_000):
        desk.order("sell", 116530, amount)
    desk.pass_time(2)
    desk.order("sell", 116530, 300_000)
    desk.order("sell", 116544, 77_720)
    return desk


def test_markets(upbit: Callable[..., Desk]) -> None:
    desk = upbit()
    assert desk.get("/v1/market/all").body == (
        b'[{"market":"KRW-BTC","korean_name":"BTC","english_name":"BTC"}]'
    )
    [row] = json.loads(desk.get("/v1/market/all", is_details="true").body)
    assert row["market_event"]["caution"]["PRICE_FLUCTUATIONS"] is False


def test_instruments(upbit: Callable[..., Desk]) -> None:
    reply = upbit().get("/v1/orderbook/instruments", markets="KRW-BTC")
    assert json.loads(reply.body) == [
        {
            "market": "KRW-BTC",
            "quote_currency": "KRW",
            "tick_size": "1000",
            "supported_levels": ["0"],
        }
    ]


def test_order_book(upbit: Callable[..., Desk]) -> None:
    reply = traded(upbit()).get("/v1/orderbook", markets="KRW-BTC", count=1)
    assert reply.body == (
        b'[{"market":"KRW-BTC","timestamp":1795305602250,"total_ask_size":0.0007772,'
        b'"total_bid_size":0.00493957,"orderbook_units":[{"ask_price":116544000,'
        b'"bid_price":116530000,"ask_size":0.0007772,"bid_size":0.00493957}],"level":0}]'
    )
    assert (reply.channel, reply.symbol) == ("book", "BTC/KRW")
    bad = upbit().get("/v1/orderbook", markets="KRW-BTC,KRW-NOPE")
    assert (bad.status, json.loads(bad.body)["error"]["message"]) == (404, "Code not found")


def test_trades_newest_first_with_cursor(upbit: Callable[..., Desk]) -> None:
    desk = traded(upbit())
    desk.pass_time(0.001)
    path = "/v1/trades/ticks"
    [last] = json.loads(desk.get(path, market="KRW-BTC").body)
    assert last["sequential_id"] == 17953056022500000
    body = desk.get(path, market="KRW-BTC", count=3).body.decode()
    rows = json.loads(body)
    assert [row["timestamp"] for row in rows] == [1795305602250, 1795305600250, 1795305600250]
    assert body.endswith(
        '{"market":"KRW-BTC","trade_date_utc":"2026-11-22","trade_time_utc":"00:00:00",'
        '"timestamp":1795305600250,"trade_price":116530000,"trade_volume":6.043e-05,'
        '"prev_closing_price":116539000,"change_price":-9000,"ask_bid":"ASK",'
        '"sequential_id":17953056002500000}]'
    )
    page = desk.get(path, market="KRW-BTC", count=5, cursor=17953056022500000)
    assert [row["trade_volume"] for row in json.loads(page.body)] == [0.002, 6.043e-05]
    clock = desk.get(path, market="KRW-BTC", count=5, to="00:00:01")
    assert len(json.loads(clock.body)) == 2
    assert desk.get(path, market="KRW-BTC", days_ago=1).body == b"[]"


def test_candles_newest_first_without_holes_filled(upbit: Callable[..., Desk]) -> None:
    desk = traded(upbit())
    rows = json.loads(desk.get("/v1/candles/seconds", market="KRW-BTC", count=10).body)
    assert [row["candle_date_time_utc"] for row in rows] == [
        "2026-11-22T00:00:02",
        "2026-11-22T00:00:00",
    ]
    for to in ("2026-11-22T00:00:02Z", "2026-11-22 00:00:02", "2026-11-22T09:00:02+09:00"):
        page = desk.get("/v1/candles/seconds", market="KRW-BTC", count=10, to=to)
        assert [row["timestamp"] for row in json.loads(page.body)] == [1795305600250]
    minute = desk.get("/v1/candles/minutes/1", market="KRW-BTC")
    assert minute.body == (
        b'[{"market":"KRW-BTC","candle_date_time_utc":"2026-11-22T00:00:00",'
        b'"candle_date_time_kst":"2026-11-22T09:00:00","opening_price":116530000,'
        b'"high_price":116530000,"low_price":116530000,"trade_price":116530000,'
        b'"timestamp":1795305602250,"candle_acc_trade_price":589691.9079,'
        b'"candle_acc_trade_volume":0.00506043,"unit":1}]'
    )
    [day] = json.loads(desk.get("/v1/candles/days", market="KRW-BTC").body)
    assert (day["prev_closing_price"], day["change_price"]) == (116539000, -9000)
    [week] = json.loads(desk.get("/v1/candles/weeks", market="KRW-BTC").body)
    assert week["first_day_of_period"] == "2026-11-16"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/candles/minutes/7", 404),
        ("/v1/candles/nope", 404),
        ("/v1/nope", 404),
        ("/nope", 404),
    ],
)
def test_unknown_paths(upbit: Callable[..., Desk], path: str, status: int) -> None:
    assert upbit().get(path, market="KRW-BTC").status == status


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("candles/minutes/1", {}, 400),
        ("candles/minutes/1", {"market": "KRW-NOPE"}, 404),
        ("candles/minutes/1", {"market": "KRW-BTC", "count": "0"}, 400),
        ("candles/minutes/1", {"market": "KRW-BTC", "to": "tomorrow"}, 400),
        ("trades/ticks", {"market": "KRW-BTC", "days_ago": "8"}, 400),
        ("trades/ticks", {"market": "KRW-BTC", "to": "x"}, 400),
        ("orderbook", {}, 400),
    ],
)
def test_errors(upbit: Callable[..., Desk], path: str, query: dict[str, str], status: int) -> None:
    reply = upbit().get(f"/v1/{path}", None, **query)
    assert reply.status == status
    assert "error" in json.loads(reply.body)


def test_each_group_has_a_limit_of_its_own(upbit: Callable[..., Desk]) -> None:
    desk = upbit()
    lefts = [dict(desk.get("/v1/market/all").headers)["Remaining-Req"] for _ in range(10)]
    assert lefts[0] == "group=market; min=600; sec=9"
    assert lefts[9] == "group=market; min=600; sec=0"
    refused = desk.get("/v1/market/all")
    assert refused.status == 429
    assert "Retry-After" not in dict(refused.headers)
    assert desk.get("/v1/orderbook", markets="KRW-BTC").status == 200
    desk.pass_time(1)
    assert desk.get("/v1/market/all").status == 200


def test_a_request_with_an_origin_is_allowed_once_in_ten_seconds(
    upbit: Callable[..., Desk],
) -> None:
    desk = upbit(Limits(weight=100))
    browser = {"origin": "https://example.org"}
    first = desk.get("/v1/market/all", browser)
    assert first.status == 200
    assert dict(first.headers)["Remaining-Req"] == "group=origin; min=600; sec=0"
    assert desk.get("/v1/market/all", browser).status == 429
    assert desk.get("/v1/market/all").status == 200


def test_refusals(upbit: Callable[..., Desk]) -> None:
    dialect = upbit().dialect
    assert [dialect.refusal(status, 3.0).status for status in (429, 418, 503)] == [429, 418, 503]
