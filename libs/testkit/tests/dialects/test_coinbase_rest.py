"""Coinbase's public REST."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from collector_testkit.dialects import Request, load
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.messages import Reply
from collector_testkit.dialects.venue import Venue

START = 1_795_305_600_250_250
SECOND = 1_000_000
ROOT = "/api/v3/brokerage/market"


@pytest.fixture
def venue() -> Venue:
    made = Venue(load("coinbase"), random.Random(2), START, rate=6.0)
    made.advance(START + 400 * SECOND)
    return made


def ask(venue: Venue, path: str, **query: object) -> Reply:
    venue.advance(venue.now + SECOND)
    return venue.request(Request(path, {name: str(value) for name, value in query.items()}))


def body(venue: Venue, path: str, **query: object) -> Any:  # noqa: ANN401  # JSON
    reply = ask(venue, path, **query)
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


def test_products_have_their_steps_and_a_second_name_in_usdc(venue: Venue) -> None:
    answer = body(venue, f"{ROOT}/products", product_type="SPOT")
    products = {product["product_id"]: product for product in answer["products"]}
    assert answer["num_products"] == len(products)
    assert set(products) == {
        *("BTC-USD", "ETH-USD", "SOL-USD", "XRP-USD", "ETH-BTC"),
        *("BTC-USDC", "ETH-USDC", "SOL-USDC", "XRP-USDC"),
    }
    assert products["XRP-USD"]["price_increment"] == "0.0001"
    assert products["XRP-USD"]["base_increment"] == "0.000001"
    assert products["XRP-USDC"]["alias"] == "XRP-USD"
    assert products["XRP-USDC"]["quote_currency_id"] == "USDC"
    assert products["XRP-USD"]["alias_to"] == ["XRP-USDC"]
    assert products["ETH-BTC"]["alias_to"] == []
    assert body(venue, f"{ROOT}/products", product_type="FUTURE")["products"] == []
    assert body(venue, f"{ROOT}/products/ETH-BTC")["product_id"] == "ETH-BTC"


def test_the_book_is_that_of_the_engine(venue: Venue) -> None:
    answer = body(venue, f"{ROOT}/product_book", product_id="BTC-USD")["pricebook"]
    engine = venue.market.symbol("BTC/USD").engine
    assert len(answer["bids"]) == len(engine.levels("buy")) > 300
    assert len(answer["asks"]) == len(engine.levels("sell"))
    short = body(venue, f"{ROOT}/product_book", product_id="BTC-USD", limit=3)["pricebook"]
    assert len(short["bids"]) == len(short["asks"]) == 3
    prices = [float(level["price"]) for level in short["bids"]]
    assert prices == sorted(prices, reverse=True)


def test_trades_newest_first_and_by_seconds(venue: Venue) -> None:
    path = f"{ROOT}/products/BTC-USD/ticker"
    newest = body(venue, path, limit=50)["trades"]
    ids = [int(trade["trade_id"]) for trade in newest]
    assert ids == list(range(ids[0], ids[0] - 50, -1))
    assert list(newest[0]) == [
        *("product_id", "trade_id", "price", "size", "time", "side", "bid", "ask", "exchange"),
    ]
    second = START // SECOND + 100
    part = body(venue, path, limit=1000, start=second, end=second + 10)["trades"]
    assert part
    assert {trade["time"][:15] for trade in part} <= {"2026-11-22T00:0"}
    tape = venue.market.symbol("BTC/USD").tape
    between = tape.between(second * SECOND, (second + 10) * SECOND + 1)
    assert [int(trade["trade_id"]) for trade in part] == [t.id for t in reversed(between)]
    few = body(venue, path, limit=2, end=second + 10)["trades"]
    assert few == part[:2]


def test_candles_of_a_range_newest_first(venue: Venue) -> None:
    path = f"{ROOT}/products/BTC-USD/candles"
    start = START // SECOND // 60 * 60
    rows = body(venue, path, granularity="ONE_MINUTE", start=start, end=start + 180)["candles"]
    assert [int(row["start"]) - start for row in rows] == [180, 120, 60, 0]
    assert list(rows[0]) == ["start", "low", "high", "open", "close", "volume"]
    newest = body(venue, path, granularity="ONE_MINUTE", limit=2)["candles"]
    assert [int(row["start"]) - start for row in newest] == [360, 300]


@pytest.mark.parametrize(
    ("path", "query", "name"),
    [
        ("products/NOPE-USD", {}, "NOT_FOUND"),
        ("product_book", {}, "NOT_FOUND"),
        ("product_book", {"product_id": "BTC-USD", "limit": "0"}, "INVALID_ARGUMENT"),
        ("products/BTC-USD/ticker", {}, "INVALID_ARGUMENT"),
        ("products/BTC-USD/ticker", {"limit": "x"}, "INVALID_ARGUMENT"),
        ("products/BTC-USD/ticker", {"limit": "1", "start": "1795305600"}, "INVALID_ARGUMENT"),
        ("products/BTC-USD/candles", {"granularity": "1m"}, "INVALID_ARGUMENT"),
        (
            "products/BTC-USD/candles",
            {"granularity": "ONE_MINUTE", "start": "1795305600"},
            "INVALID_ARGUMENT",
        ),
        (
            "products/BTC-USD/candles",
            {"granularity": "ONE_MINUTE", "start": "1795305600", "end": "1795326600"},
            "INVALID_ARGUMENT",
        ),
    ],
)
def test_wrong_requests_are_refused(
    venue: Venue, path: str, query: dict[str, str], name: str
) -> None:
    reply = ask(venue, f"{ROOT}/{path}", **query)
    assert reply.status == (404 if name == "NOT_FOUND" else 400)
    assert json.loads(reply.body)["error"] == name


@pytest.mark.parametrize(
    "path", ["/", "/api/v3/brokerage/market/products/", f"{ROOT}/products/A/b"]
)
def test_other_paths_are_not_found(venue: Venue, path: str) -> None:
    assert ask(venue, path).status == 404


def test_the_time_is_that_of_the_market(venue: Venue) -> None:
    answer = body(venue, "/api/v3/brokerage/time")
    assert answer["epochMillis"] == str(venue.now // 1000)
    assert answer["iso"] == "2026-11-22T00:06:41Z"


def test_more_than_ten_requests_a_second_are_throttled_and_never_banned() -> None:
    made = Venue(load("coinbase"), random.Random(2), START, rate=1.0)
    request = Request("/api/v3/brokerage/time")
    replies = [made.request(request) for _ in range(60)]
    assert [reply.status for reply in replies] == [200] * 10 + [429] * 50
    left = [dict(reply.headers)["x-ratelimit-remaining"] for reply in replies[:11]]
    assert left == [str(n) for n in (9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0)]
    assert json.loads(replies[-1].body)["errors"][0]["id"] == "rate_limit_exceeded"
    made.advance(START + SECOND)
    assert made.request(request).status == 200


def test_the_limit_can_be_set_and_handshakes_are_counted() -> None:
    made = Venue(load("coinbase"), random.Random(2), START, rate=1.0, limits=Limits(weight=2))
    request = Request("/api/v3/brokerage/time")
    assert [made.request(request).status for _ in range(3)] == [200, 200, 429]
    refused = [made.refuse(Request("/")) for _ in range(9)]
    assert [reply is None for reply in refused] == [True] * 8 + [False]
