"""OKX's REST by the documentation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector_testkit.dialects import Reply, load
from collector_testkit.dialects.desk import Desk
from collector_testkit.dialects.dialect import Limits
from collector_testkit.market import Listing

MARKET = "/api/v5/market/"


def desk(limits: Limits | None = None) -> Desk:
    listing = Listing("BTC/USDT", "84250", "0.1", "0.00000001", "0.05", "0.8", orders=0)
    return Desk(load("okx"), listing, limits)


def traded(count: int = 5, limits: Limits | None = None) -> Desk:
    """Return a desk with so many trades, one a second, each of another price."""
    exchange = desk(limits)
    for n in range(count):
        exchange.order("sell", 842_000 + n, 1_000_000)
        exchange.order("buy", 842_000 + n, 1_000_000)
        exchange.pass_time(1)
    return exchange


def rows(reply: Reply) -> list[Any]:
    answer = json.loads(reply.body)
    assert (reply.status, answer["code"], answer["msg"]) == (200, "0", "")
    found = answer["data"]
    assert isinstance(found, list)
    return found


def failure(reply: Reply) -> tuple[int, str, str]:
    answer = json.loads(reply.body)
    assert answer["data"] == []
    return reply.status, answer["code"], answer["msg"]


def test_instruments() -> None:
    exchange = desk()
    (info,) = rows(exchange.get("/api/v5/public/instruments", instType="SPOT"))
    wanted = {
        "instType": "SPOT", "instId": "BTC-USDT", "baseCcy": "BTC", "quoteCcy": "USDT",
        "tickSz": "0.1", "lotSz": "0.00000001", "minSz": "0.00001", "state": "live",
    }  # fmt: skip
    assert {name: info[name] for name in wanted} == wanted
    reply = exchange.get("/api/v5/public/instruments", instType="SPOT", instId="NO-PE")
    assert failure(reply)[:2] == (200, "51001")
    assert failure(exchange.get("/api/v5/public/instruments"))[:2] == (400, "51000")


def test_a_book_with_the_number_that_the_stream_will_pass() -> None:
    exchange = desk()
    for price in (842_000, 841_990, 841_980):
        exchange.order("buy", price, 100)
    exchange.order("sell", 842_500, 30_000_000)
    reply = exchange.get(f"{MARKET}books", instId="BTC-USDT", sz=2)
    assert reply.body == (
        b'{"code":"0","msg":"","data":[{"asks":[["84250","0.3","0","1"]],'
        b'"bids":[["84200","0.000001","0","1"],["84199","0.000001","0","1"]],'
        b'"ts":"1795305600250","seqId":3000004}]}'
    )
    assert (reply.channel, reply.symbol) == ("book", "BTC/USDT")


def test_the_newest_trades_first() -> None:
    exchange = traded()
    found = rows(exchange.get(f"{MARKET}trades", instId="BTC-USDT", limit=2))
    assert [row["tradeId"] for row in found] == ["5", "4"]
    assert found[0] == {
        "instId": "BTC-USDT", "side": "buy", "sz": "0.01", "px": "84200.4", "source": "0",
        "tradeId": "5", "ts": "1795305604250",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["5", "4", "3", "2", "1"]),
        ({"limit": 2}, ["5", "4"]),
        ({"type": 1, "after": 4}, ["3", "2", "1"]),
        ({"type": 1, "after": 4, "limit": 1}, ["3"]),
        ({"type": 1, "before": 3}, ["5", "4"]),
        ({"type": 2, "after": 1_795_305_602_250}, ["2", "1"]),
        ({"type": 2, "after": 1_795_305_602_251}, ["3", "2", "1"]),
        ({"type": 2}, ["5", "4", "3", "2", "1"]),
    ],
)
def test_older_trades_by_id_and_by_time(query: dict[str, int], expected: list[str]) -> None:
    found = rows(traded().get(f"{MARKET}history-trades", instId="BTC-USDT", **query))
    assert [row["tradeId"] for row in found] == expected


def test_candles_have_no_holes_and_history_has_no_open_one() -> None:
    exchange = traded(2)
    exchange.pass_time(2)
    exchange.order("sell", 842_100, 1_000_000)
    exchange.order("buy", 842_100, 1_000_000)
    found = rows(exchange.get(f"{MARKET}candles", instId="BTC-USDT", bar="1s"))
    start = 1_795_305_600_000
    assert [(int(row[0]) - start) // 1000 for row in found] == [4, 3, 2, 1, 0]
    assert [row[8] for row in found] == ["0", "1", "1", "1", "1"]
    flat = ["84200.1"] * 4
    assert found[1] == [str(start + 3000), *flat, "0", "0", "0", "1"]
    assert found[4] == [
        *(str(start), "84200", "84200", "84200", "84200", "0.01", "842", "842", "1"),
    ]
    closed = rows(exchange.get(f"{MARKET}history-candles", instId="BTC-USDT", bar="1s"))
    assert closed == found[1:]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"before": 0}, [5, 4, 3, 2, 1]),
        ({"after": 3}, [2, 1, 0]),
        ({"before": 0, "after": 3}, [2, 1]),
        # "before" alone brings the newest, not those next to it
        ({"before": 0, "limit": 2}, [5, 4]),
    ],
)
def test_both_ends_of_candles_are_exclusive(query: dict[str, int], expected: list[int]) -> None:
    exchange = traded(5)
    start = 1_795_305_600_000
    times = {k: v if k == "limit" else start + v * 1000 for k, v in query.items()}
    found = rows(exchange.get(f"{MARKET}candles", instId="BTC-USDT", bar="1s", **times))
    assert [(int(row[0]) - start) // 1000 for row in found] == expected


def test_before_the_first_trade_there_is_no_candle() -> None:
    assert rows(desk().get(f"{MARKET}candles", instId="BTC-USDT")) == []


def test_the_time() -> None:
    assert rows(desk().get("/api/v5/public/time")) == [{"ts": "1795305600250"}]


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("books", {}, (400, "50014")),
        ("books", {"instId": "NO-PE"}, (200, "51001")),
        ("candles", {"instId": "BTC-USDT", "bar": "7m"}, (400, "51000")),
        ("trades", {"instId": "BTC-USDT", "limit": "x"}, (400, "51000")),
        ("nothing", {}, (404, "50404")),
    ],
)
def test_errors(path: str, query: dict[str, str], expected: tuple[int, str]) -> None:
    assert failure(desk().get(MARKET + path, **query))[:2] == expected


def test_each_endpoint_has_a_limit_of_its_own_and_nobody_is_banned() -> None:
    exchange = desk()
    replies = [exchange.get(f"{MARKET}history-trades", instId="BTC-USDT") for _ in range(60)]
    assert [reply.status for reply in replies] == [200] * 20 + [429] * 40
    assert failure(replies[-1]) == (429, "50011", "Too Many Requests")
    assert exchange.get(f"{MARKET}books", instId="BTC-USDT").status == 200
    exchange.pass_time(2)
    assert exchange.get(f"{MARKET}history-trades", instId="BTC-USDT").status == 200


def test_a_limit_can_be_set() -> None:
    exchange = desk(Limits(weight=1))
    replies = [exchange.get(f"{MARKET}books", instId="BTC-USDT").status for _ in range(2)]
    assert replies == [200, 429]


@pytest.mark.parametrize(
    ("status", "code"), [(429, b"50011"), (503, b"50001"), (500, b"50026"), (403, b"Forbidden")]
)
def test_refusals_say_no_time(status: int, code: bytes) -> None:
    reply = desk().dialect.refusal(status, 7.0)
    assert reply.status == status
    assert code in reply.body
    assert "retry-after" not in {name.lower() for name, _ in reply.headers}
