"""Bithumb's public REST by the protocol note: errors with status 200, Korea's time, two ids."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector_testkit.dialects import load
from collector_testkit.dialects.desk import Desk
from collector_testkit.dialects.dialect import Limits
from collector_testkit.market import Listing

TICKS = "/v1/trades/ticks"


def desk(limits: Limits | None = None) -> Desk:
    listing = Listing("BTC/KRW", "116539000", "1000", "0.00000001", "0.02", "5000", orders=0)
    own = Desk(load("bithumb"), listing, limits)
    own.order("buy", 116530, 1_000_000)
    for amount in (6043, 200_000):
        own.order("sell", 116530, amount)
    own.pass_time(2)
    own.order("sell", 116530, 300_000)
    own.order("sell", 116544, 77_720)
    return own


def answer(own: Desk, path: str, **query: object) -> Any:  # noqa: ANN401  # JSON
    reply = own.get(path, **query)
    assert reply.status == 200
    return json.loads(reply.body)


def test_markets() -> None:
    own = desk()
    assert own.get("/v1/market/all").body == (
        b'[{"market":"KRW-BTC","korean_name":"BTC","english_name":"BTC"}]'
    )
    assert answer(own, "/v1/market/all", isDetails="true")[0]["market_warning"] == "NONE"


def test_a_book_has_milliseconds_and_takes_lower_case() -> None:
    reply = desk().get("/v1/orderbook", markets="krw-btc")
    assert reply.body == (
        b'[{"market":"KRW-BTC","timestamp":1795305602250,"total_ask_size":0.0007,'
        b'"total_bid_size":0.0049,"orderbook_units":[{"ask_price":116544000,'
        b'"bid_price":116530000,"ask_size":0.0007,"bid_size":0.0049}]}]'
    )
    assert (reply.channel, reply.symbol) == ("book", "BTC/KRW")


def test_a_book_has_thirty_levels_or_fifteen_of_several_markets() -> None:
    own = desk()
    for nth in range(40):
        own.order("sell", 116600 + nth, 1_000_000)
    (one,) = answer(own, "/v1/orderbook", markets="KRW-BTC")
    assert len(one["orderbook_units"]) == 30
    two = answer(own, "/v1/orderbook", markets="KRW-BTC,KRW-BTC")
    assert [len(book["orderbook_units"]) for book in two] == [15, 15]


def test_trades_newest_first_by_ids_of_their_own_scheme() -> None:
    own = desk()
    [last] = answer(own, TICKS, market="KRW-BTC")
    assert last["sequential_id"] == 17953056022500000
    body = own.get(TICKS, market="KRW-BTC", count=3).body.decode()
    assert [row["timestamp"] for row in json.loads(body)] == [
        1795305602250,
        1795305600250,
        1795305600250,
    ]
    assert body.endswith(
        '{"market":"KRW-BTC","trade_date_utc":"2026-11-22","trade_time_utc":"00:00:00",'
        '"timestamp":1795305600250,"trade_price":116530000,"trade_volume":0.00006043,'
        '"prev_closing_price":116539000,"change_price":-9000,"ask_bid":"ASK",'
        '"sequential_id":17953056002500000}]'
    )
    page = answer(own, TICKS, market="KRW-BTC", count=5, cursor=17953056022500000)
    assert [row["trade_volume"] for row in page] == [0.002, 0.00006043]
    assert answer(own, TICKS, market="KRW-BTC", daysAgo=1) == []


def test_candles_end_at_a_time_in_korea() -> None:
    own = desk()
    own.pass_time(60)
    own.order("sell", 116530, 10_000)
    path = "/v1/candles/minutes/1"
    rows = answer(own, path, market="KRW-BTC", count=10)
    assert [row["candle_date_time_utc"] for row in rows] == [
        "2026-11-22T00:01:00",
        "2026-11-22T00:00:00",
    ]
    for to in ("2026-11-22T09:01:00", "2026-11-22 09:01:00"):
        page = own.get(path, market="KRW-BTC", count=10, to=to)
        assert page.body == (
            b'[{"market":"KRW-BTC","candle_date_time_utc":"2026-11-22T00:00:00",'
            b'"candle_date_time_kst":"2026-11-22T09:00:00","opening_price":116530000,'
            b'"high_price":116530000,"low_price":116530000,"trade_price":116530000,'
            b'"timestamp":1795305602250,"candle_acc_trade_price":589691.9079,'
            b'"candle_acc_trade_volume":0.00506043,"unit":1}]'
        )
    assert answer(own, path, market="KRW-BTC", to="2026-11-22T00:01:00") == []


@pytest.mark.parametrize("path", ["/v1/candles/minutes/7", "/v1/nope", "/public/ticker/BTC_KRW"])
def test_a_path_that_does_not_exist_is_the_only_404(path: str) -> None:
    reply = desk().get(path, market="KRW-BTC")
    assert reply.status == 404
    assert json.loads(reply.body) == {
        "name": "not_found",
        "message": "No Route matched with those values",
    }


@pytest.mark.parametrize(
    ("path", "query", "name"),
    [
        ("candles/minutes/1", {}, 400),
        ("candles/minutes/1", {"market": "KRW-NOPE"}, 404),
        ("candles/minutes/1", {"market": "KRW-BTC", "count": "0"}, 400),
        ("candles/minutes/1", {"market": "KRW-BTC", "to": "2026-11-22T09:01:00Z"}, 400),
        ("trades/ticks", {"market": "KRW-BTC", "daysAgo": "8"}, 400),
        ("orderbook", {}, 400),
        ("orderbook", {"markets": "KRW-BTC,KRW-NOPE"}, 404),
    ],
)
def test_errors_have_status_200(path: str, query: dict[str, str], name: int) -> None:
    assert answer(desk(), f"/v1/{path}", **query)["error"]["name"] == name


def test_each_group_has_a_limit_of_its_own_that_the_headers_tell() -> None:
    own = desk(Limits(weight=3))
    lefts = [dict(own.get("/v1/market/all").headers)["x-ratelimit-remaining"] for _ in range(3)]
    assert lefts == ["2", "1", "0"]
    refused = own.get("/v1/market/all")
    assert refused.status == 429
    assert json.loads(refused.body)["error"]["name"] == "too_many_requests"
    assert dict(refused.headers)["x-ratelimit-burst-capacity"] == "3"
    assert own.get("/v1/orderbook", markets="KRW-BTC").status == 200
    own.pass_time(1)
    assert own.get("/v1/market/all").status == 200


def test_who_goes_on_over_the_limit_is_refused_for_a_minute() -> None:
    own = desk(Limits(weight=1))
    statuses = {own.get("/v1/market/all").status for _ in range(30)}
    assert statuses == {200, 429}
    own.pass_time(30)
    assert own.get("/v1/market/all").status == 429
    own.pass_time(31)
    assert own.get("/v1/market/all").status == 200


def test_refusals() -> None:
    dialect = desk().dialect
    assert [dialect.refusal(status, 3.0).status for status in (429, 418, 503)] == [429, 429, 503]
