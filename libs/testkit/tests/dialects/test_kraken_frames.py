"""Kraken's frames, letter by letter, and its requests over the socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from zlib import crc32

import pytest

from collector_testkit.dialects import Action, Close, Delivery, Request, load
from collector_testkit.dialects.desk import START, Desk
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.messages import ABORT
from collector_testkit.market import Listing

TIME = "2026-11-22T00:00:00.250250Z"


def desk(limits: Limits | None = None) -> Desk:
    listing = Listing("BTC/USD", "84250.0", "0.1", "0.00000001", "0.05", "0.5", orders=0)
    made = Desk(load("kraken"), listing, limits)
    made.connect()
    return made


def ask(method: str, channel: str, *symbols: str, **more: object) -> dict[str, Any]:
    params = {"channel": channel, "symbol": symbols or ("BTC/USD",), **more}
    return {"method": method, "params": params, "req_id": 7}


def subscribed(channel: str, **more: object) -> Desk:
    made = desk()
    made.say(ask("subscribe", channel, **more))
    return made


def bodies(actions: list[Action]) -> list[Any]:
    return [json.loads(a.payload) for a in actions if isinstance(a, Delivery)]


def closes(actions: list[Action]) -> list[tuple[int, int]]:
    return [(a.connection, a.code) for a in actions if isinstance(a, Close)]


Texts = Callable[[list[Action]], list[str]]


# --- frames --------------------------------------------------------------------------------------


def test_the_state_of_the_engine_comes_first() -> None:
    made = desk()
    [frame] = bodies(made.connect(2))
    number = frame["data"][0].pop("connection_id")
    assert frame == {
        "channel": "status",
        "type": "update",
        "data": [{"version": "2.0.10", "system": "online", "api_version": "v2"}],
    }
    assert 2**63 < number < 2**64


def test_the_fills_of_one_order_are_one_frame(texts: Texts) -> None:
    made = subscribed("trade")
    made.order("sell", 842_501, 4_561_994)
    made.order("sell", 842_510, 100_000_000)
    [frame] = texts(made.order("buy", 842_510, 5_000_000))
    assert frame == (
        '{"channel":"trade","type":"update","data":['
        '{"symbol":"BTC/USD","side":"buy","price":84250.1,"qty":0.04561994,"ord_type":"market",'
        f'"trade_id":1,"timestamp":"{TIME}"}},'
        '{"symbol":"BTC/USD","side":"buy","price":84251.0,"qty":0.00438006,"ord_type":"market",'
        f'"trade_id":2,"timestamp":"{TIME}"}}]}}'
    )


def test_a_snapshot_of_trades_only_when_asked_for() -> None:
    made = desk()
    made.order("sell", 842_501, 10)
    made.order("buy", 842_501, 4)
    assert len(made.say(ask("subscribe", "trade"))) == 1
    made.say(ask("unsubscribe", "trade"))
    _, snapshot = bodies(made.say(ask("subscribe", "trade", snapshot=True)))
    assert (snapshot["type"], [t["trade_id"] for t in snapshot["data"]]) == ("snapshot", [1])


def test_a_book_is_a_snapshot_and_then_changes_with_checksums(texts: Texts) -> None:
    made = desk()
    made.order("buy", 842_500, 18_967_538)
    made.order("sell", 842_501, 825_215_653)
    _, snapshot = texts(made.say(ask("subscribe", "book", depth=10)))
    checksum = crc32(b"842501825215653" + b"84250018967538")
    assert snapshot == (
        '{"channel":"book","type":"snapshot","data":[{"symbol":"BTC/USD",'
        '"bids":[{"price":84250.0,"qty":0.18967538}],"asks":[{"price":84250.1,"qty":8.25215653}],'
        f'"checksum":{checksum},"timestamp":"{TIME}"}}]}}'
    )
    [update] = texts(made.order("sell", 842_500, 18_967_538))
    assert update == (
        '{"channel":"book","type":"update","data":[{"symbol":"BTC/USD",'
        '"bids":[{"price":84250.0,"qty":0.00000000}],"asks":[],'
        f'"checksum":{crc32(b"842501825215653")},"timestamp":"{TIME}"}}]}}'
    )


def test_what_falls_out_of_the_depth_is_not_told_and_what_comes_in_is() -> None:
    made = desk()
    for price in range(842_490, 842_500):
        made.order("buy", price, 100)
    made.say(ask("subscribe", "book", depth=10))
    [pushed] = bodies(made.order("buy", 842_500, 100))
    assert pushed["data"][0]["bids"] == [{"price": 84250.0, "qty": 0.000001}]
    assert made.order("buy", 842_489, 100) == []
    [refilled] = bodies(made.order("sell", 842_500, 100))
    assert refilled["data"][0]["bids"] == [
        {"price": 84250.0, "qty": 0},
        {"price": 84249.0, "qty": 0.000001},
    ]


def test_depths_are_separate_streams() -> None:
    made = desk()
    made.connect(2)
    made.say(ask("subscribe", "book", depth=10))
    made.say(ask("subscribe", "book", depth=25), 2)
    found = made.order("buy", 842_500, 100)
    assert [a.connections for a in found if isinstance(a, Delivery)] == [(1,), (2,)]


def test_a_ticker_of_24_hours(texts: Texts) -> None:
    made = subscribed("ticker")
    made.order("buy", 842_500, 200)
    made.order("sell", 842_600, 100)
    [frame] = texts(made.order("sell", 842_500, 100))
    assert frame == (
        '{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":84250.0,'
        '"bid_qty":0.00000100,"ask":84260.0,"ask_qty":0.00000100,"last":84250.0,'
        '"volume":0.00000100,"vwap":84250.0,"low":84250.0,"high":84250.0,"change":0.0,'
        f'"change_pct":0.00,"timestamp":"{TIME}"}}]}}'
    )


def test_a_candle_so_far(texts: Texts) -> None:
    made = subscribed("ohlc", interval=5)
    made.order("buy", 842_500, 200)
    [frame] = texts(made.order("sell", 842_500, 100))
    assert frame == (
        '{"channel":"ohlc","type":"update","timestamp":"2026-11-22T00:00:00.250250000Z",'
        '"data":[{"symbol":"BTC/USD","open":84250.0,"high":84250.0,"low":84250.0,'
        '"close":84250.0,"trades":1,"volume":0.00000100,"vwap":84250.0,'
        '"interval_begin":"2026-11-22T00:00:00.000000000Z","interval":5,'
        '"timestamp":"2026-11-22T00:05:00.000000Z"}]}'
    )
    made.connect(2)
    _, past = bodies(made.say(ask("subscribe", "ohlc", interval=1), 2))
    assert (past["type"], [c["trades"] for c in past["data"]]) == ("snapshot", [1])


def test_the_instruments_with_their_decimals(texts: Texts) -> None:
    made = desk()
    answer, frame = texts(
        made.say({"method": "subscribe", "params": {"channel": "instrument"}, "req_id": 1})
    )
    assert '"warnings":["tick_size is deprecated, use price_increment"]' in answer
    assert frame == (
        '{"channel":"instrument","type":"snapshot","data":{"assets":[],"pairs":['
        '{"symbol":"BTC/USD","base":"BTC","quote":"USD","status":"online","qty_precision":8,'
        '"qty_increment":1e-08,"price_precision":1,"cost_precision":5,"marginable":false,'
        '"has_index":true,"cost_min":0.5,"tick_size":0.1,"price_increment":0.1,'
        '"qty_min":5e-05}]}}'
    )
    [gone] = bodies(made.dialect.delisted("BTC/USD"))
    assert (gone["type"], gone["data"]["pairs"][0]["status"]) == ("update", "delisted")
    assert bodies(made.dialect.listed("BTC/USD"))[0]["data"]["pairs"][0]["status"] == "online"


def test_a_heartbeat_in_each_second_without_anything_else() -> None:
    made = desk()
    assert made.pass_time(3) == []
    made.say(ask("subscribe", "trade"))
    assert bodies(made.until(START // 10**6 * 10**6 + 4 * 10**6)) == []
    assert bodies(made.pass_time(2)) == [{"channel": "heartbeat"}] * 2
    made.order("sell", 842_501, 10)
    made.order("buy", 842_501, 10)
    assert bodies(made.pass_time(2)) == [{"channel": "heartbeat"}]


# --- requests ------------------------------------------------------------------------------------


def test_each_symbol_is_answered_by_itself(texts: Texts) -> None:
    made = desk()
    made.connect()
    done, refused = texts(made.say(ask("subscribe", "trade", "BTC/USD", "FOO/USD")))
    times = f'"time_in":"{TIME}","time_out":"{TIME.replace("250Z", "295Z")}"'
    assert done == (
        '{"method":"subscribe","req_id":7,"result":{"channel":"trade","snapshot":false,'
        f'"symbol":"BTC/USD"}},"success":true,{times}}}'
    )
    assert refused == (
        '{"error":"Currency pair not supported FOO/USD","method":"subscribe","req_id":7,'
        f'"success":false,"symbol":"FOO/USD",{times}}}'
    )


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("nope", "Malformed request"),
        ("[]", "Malformed request"),
        ({"method": "add_order"}, "Unsupported method"),
        (ask("subscribe", "level3"), "Subscription name invalid"),
        (ask("subscribe", "book", depth=27), "Subscription depth not supported"),
        (ask("subscribe", "ohlc", interval=2), "Subscription ohlc interval not supported"),
        (ask("unsubscribe", "trade"), "Subscription Not Found"),
    ],
)
def test_what_is_refused(message: object, error: str) -> None:
    [answer] = bodies(desk().say(message))
    assert (answer["error"], answer["success"]) == (error, False)


def test_there_is_one_depth_of_a_book_and_every_interval_of_a_candle() -> None:
    made = desk()
    for depth, failed in ((10, None), (25, "Already subscribed")):
        assert bodies(made.say(ask("subscribe", "book", depth=depth)))[0].get("error") == failed
    for minutes, failed in ((1, None), (5, None), (1, "Already subscribed")):
        made.pass_time(1)
        answer = bodies(made.say(ask("subscribe", "ohlc", interval=minutes)))[0]
        assert answer.get("error") == failed


def test_a_stream_ends_when_it_is_unsubscribed_with_its_depth() -> None:
    made = subscribed("book", depth=25)
    [wrong] = bodies(made.say(ask("unsubscribe", "book", depth=10)))
    assert wrong["error"] == "Subscription Not Found"
    assert len(made.order("buy", 842_500, 100)) == 1
    [right] = bodies(made.say(ask("unsubscribe", "book", depth=25)))
    assert right["result"] == {"channel": "book", "depth": 25, "symbol": "BTC/USD"}
    assert made.order("buy", 842_400, 100) == []
    # begun anew it is whole again
    _, snapshot = bodies(made.say(ask("subscribe", "book", depth=25)))
    assert [level["price"] for level in snapshot["data"][0]["bids"]] == [84250.0, 84240.0]


def test_a_ping_is_answered() -> None:
    [answer] = bodies(desk().say({"method": "ping", "req_id": 101}))
    assert (answer["method"], answer["req_id"]) == ("pong", 101)


def test_too_many_messages_are_refused_and_the_connection_stays() -> None:
    made = desk(Limits(messages=2))
    for _ in range(2):
        made.say({"method": "ping"})
    [answer] = bodies(made.say(ask("subscribe", "trade")))
    assert answer["error"] == "Exceeded msg rate"
    assert closes(made.pass_time(2)) == []
    assert bodies(made.say(ask("subscribe", "trade")))[0]["success"]


def test_a_message_can_be_refused_for_a_test() -> None:
    made = desk()
    message = json.dumps(ask("subscribe", "trade"))
    found = made.dialect.reject(1, message, made.now)
    assert found is not None
    assert [answer["symbol"] for answer in bodies(found)] == ["BTC/USD"]
    assert made.dialect.reject(1, '{"method":"ping"}', made.now) is None
    assert made.order("buy", 842_500, 100) == []


def test_only_what_was_done_acknowledges() -> None:
    made = desk()
    message = json.dumps(ask("subscribe", "trade", "BTC/USD", "FOO/USD"))
    found = [a for a in made.say(json.loads(message)) if isinstance(a, Delivery)]
    assert [made.dialect.acknowledges(message, frame) for frame in found] == [True, False]


# --- how connections end -------------------------------------------------------------------------


def test_an_idle_connection_is_cut_and_one_with_a_stream_is_not() -> None:
    made = desk()
    made.connect(2)
    made.connect(3)
    made.say(ask("subscribe", "trade"), 2)
    made.pass_time(40)
    made.say({"method": "ping"}, 3)
    assert closes(made.pass_time(25)) == [(1, ABORT)]
    made.dialect.closed(1)
    assert closes(made.pass_time(40)) == [(3, ABORT)]


def test_an_age_limit_can_be_set() -> None:
    made = desk(Limits(max_age=3.0))
    assert closes(made.pass_time(4)) == [(1, 1001)]
    assert made.dialect.notice(made.now) == []


def test_another_path_is_not_found() -> None:
    refused = desk().dialect.handshake(Request("/"), START)
    assert refused is not None
    assert refused.status == 404
