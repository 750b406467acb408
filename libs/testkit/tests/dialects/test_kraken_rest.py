"""Kraken's REST for market data, as its clients see it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector_testkit.dialects import Reply, Request, load
from collector_testkit.dialects.desk import START, Desk
from collector_testkit.dialects.dialect import Limits
from collector_testkit.market import Listing

SECOND = START // 1_000_000


def desk(symbol: str = "BTC/USD", limits: Limits | None = None) -> Desk:
    listing = Listing(symbol, "84250.0", "0.1", "0.00000001", "0.05", "0.5", orders=0)
    made = Desk(load("kraken"), listing, limits)
    made.order("sell", 842_501, 205_900_000)
    made.order("buy", 842_500, 12_345)
    return made


def result(reply: Reply) -> Any:  # noqa: ANN401  # JSON
    assert reply.status == 200
    body = json.loads(reply.body)
    assert body["error"] == []
    return body["result"]


def errors(reply: Reply) -> list[str]:
    assert reply.status == 200
    body = json.loads(reply.body)
    assert "result" not in body
    return list(body["error"])


def test_pairs_have_codes_of_their_own() -> None:
    (name,) = found = result(desk().get("/0/public/AssetPairs"))
    assert name == "XXBTZUSD"
    row = found[name]
    assert (row["altname"], row["wsname"], row["base"], row["quote"]) == (
        *("XBTUSD", "XBT/USD"),
        *("XXBT", "ZUSD"),
    )
    assert (row["pair_decimals"], row["lot_decimals"], row["tick_size"]) == (1, 8, "0.1")
    assert list(result(desk("DOGE/USDT").get("/0/public/AssetPairs"))) == ["XDGUSDT"]


@pytest.mark.parametrize("pair", ["XBTUSD", "XXBTZUSD"])
def test_a_book_with_amounts_cut_to_three_decimals(pair: str) -> None:
    made = desk()
    book = result(made.get("/0/public/Depth", pair=pair, count=500))
    assert book == {
        "XXBTZUSD": {
            "asks": [["84250.10000", "2.059", SECOND]],
            "bids": [["84250.00000", "0.000", SECOND]],
        }
    }


def test_trades_since_a_nanosecond() -> None:
    made = desk()
    for number in range(3):
        made.now = START + number
        made.order("buy", 842_501, 27_625)
    newest = result(made.get("/0/public/Trades", pair="XBTUSD"))
    kind = newest["XXBTZUSD"][0][4]
    assert newest["XXBTZUSD"][0] == [
        *("84250.10000", "0.00027625", START / 1_000_000, "b", kind, "", 1),
    ]
    assert kind in {"m", "l"}
    assert newest["last"] == str((START + 2) * 1000)
    for since, ids in (
        (START * 1000 - 1, [1, 2, 3]),
        (START * 1000, [2, 3]),
        ((START + 2) * 1000, []),
    ):
        page = result(made.get("/0/public/Trades", pair="XBTUSD", since=since, count=1000))
        assert [row[6] for row in page["XXBTZUSD"]] == ids
        assert page["last"] == str((START + 2) * 1000 if ids else since)
    first = result(made.get("/0/public/Trades", pair="XBTUSD", since=0, count=1))
    assert (len(first["XXBTZUSD"]), first["last"]) == (1, str(START * 1000))


def test_candles_have_no_holes_and_end_with_the_open_one() -> None:
    made = desk()
    made.order("buy", 842_501, 27_625)
    made.now += 180 * 1_000_000
    made.order("buy", 842_501, 27_625)
    opened = SECOND // 60 * 60
    found = result(made.get("/0/public/OHLC", pair="XBTUSD", interval=1))
    price = "84250.1"
    assert found["XXBTZUSD"] == [
        [opened, price, price, price, price, price, "0.00027625", 1],
        [opened + 60, price, price, price, price, "0.0", "0.00000000", 0],
        [opened + 120, price, price, price, price, "0.0", "0.00000000", 0],
        [opened + 180, price, price, price, price, price, "0.00027625", 1],
    ]
    assert found["last"] == opened + 120
    later = result(made.get("/0/public/OHLC", pair="XBTUSD", interval=1, since=opened + 60))
    assert [row[0] for row in later["XXBTZUSD"]] == [opened + 120, opened + 180]


def test_before_the_first_trade_there_are_no_candles() -> None:
    found = result(desk().get("/0/public/OHLC", pair="XBTUSD", interval=1440))
    assert found == {"XXBTZUSD": [], "last": 0}


def test_time_and_state() -> None:
    made = desk()
    assert result(made.get("/0/public/Time"))["unixtime"] == SECOND
    assert result(made.get("/0/public/SystemStatus"))["status"] == "online"


@pytest.mark.parametrize(
    ("path", "query", "error"),
    [
        ("/0/public/Depth", {}, "EGeneral:Invalid arguments"),
        ("/0/public/Depth", {"pair": "BTC/USD"}, "EQuery:Unknown asset pair"),
        ("/0/public/AssetPairs", {"pair": "FOOUSD"}, "EQuery:Unknown asset pair"),
        ("/0/public/OHLC", {"pair": "XBTUSD", "interval": "2"}, "EGeneral:Invalid arguments"),
        (
            "/0/public/Trades",
            {"pair": "XBTUSD", "since": "x"},
            "EGeneral:Invalid arguments:since",
        ),
        ("/0/public/Nope", {}, "EGeneral:Unknown method"),
        ("/nope", {}, "EGeneral:Unknown method"),
    ],
)
def test_errors_have_the_status_200(path: str, query: dict[str, object], error: str) -> None:
    assert errors(desk().get(path, None, **query)) == [error]


def test_requests_are_limited_and_whoever_goes_on_is_locked_out() -> None:
    made = desk(limits=Limits(weight=2))
    for _ in range(2):
        result(made.get("/0/public/Time"))
    assert errors(made.get("/0/public/Time")) == ["EAPI:Rate limit exceeded"]
    # trades and candles are counted by themselves, for each pair
    result(made.get("/0/public/Trades", pair="XBTUSD"))
    result(made.get("/0/public/OHLC", pair="XBTUSD"))
    for _ in range(20):
        last = made.get("/0/public/Time")
    assert errors(last) == ["EGeneral:Temporary lockout"]
    # another address is another budget
    reply = made.dialect.request(Request("/0/public/Time", client="10.0.0.9"), made.now)
    result(reply)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (429, b"EGeneral:Too many requests"),
        (418, b"EGeneral:Temporary lockout"),
        (403, b"1020"),
        (503, b"EService:Unavailable"),
    ],
)
def test_what_stands_before_the_exchange_has_statuses(status: int, text: bytes) -> None:
    reply = desk().dialect.refusal(status, 2.5)
    assert reply.status == status
    assert text in reply.body
    assert ("Retry-After", "3") in reply.headers
    assert desk().dialect.refusal(status, None).headers == reply.headers[:-1]
