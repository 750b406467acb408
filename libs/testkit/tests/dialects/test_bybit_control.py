"""Control frames and limits of Bybit, in the words of its documentation and of its servers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector_testkit.dialects import Action, Close, Delivery, Request, load
from collector_testkit.dialects.desk import Desk
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.messages import ABORT
from collector_testkit.market import Listing

LISTING = Listing("BTC/USDT", "84250", "0.1", "0.000001", "0.05", "5", orders=0)
CONN = '"conn_id":"d9avt8shteepr00gfc1g-1"'


def desk(limits: Limits | None = None) -> Desk:
    made = Desk(load("bybit"), LISTING, limits)
    made.connect()
    return made


def subscribe(*topics: str, **more: object) -> dict[str, object]:
    return {"op": "subscribe", "args": list(topics), **more}


def texts(actions: list[Action], channel: str = "") -> list[str]:
    return [
        action.payload.decode()
        for action in actions
        if isinstance(action, Delivery) and action.channel == channel
    ]


def closes(actions: list[Action]) -> list[tuple[int, int]]:
    return [(action.connection, action.code) for action in actions if isinstance(action, Close)]


def test_subscribe_and_unsubscribe_echo_their_op_and_id() -> None:
    exchange = desk()
    topics = ["publicTrade.BTCUSDT", "tickers.BTCUSDT", "kline.M.BTCUSDT"]
    assert texts(exchange.say(subscribe(*topics, req_id="12"))) == [
        f'{{"success":true,"ret_msg":"subscribe",{CONN},"req_id":"12","op":"subscribe"}}'
    ]
    gone = {"op": "unsubscribe", "args": topics[:1]}
    assert texts(exchange.say(gone)) == [
        f'{{"success":true,"ret_msg":"unsubscribe",{CONN},"op":"unsubscribe"}}'
    ]
    exchange.order("sell", 842_500, 100)
    assert texts(exchange.order("buy", 842_500, 100), "trade") == []


def test_a_ping_is_answered_with_its_own_op() -> None:
    assert texts(desk().say({"req_id": "100001", "op": "ping"})) == [
        f'{{"success":true,"ret_msg":"pong",{CONN},"req_id":"100001","op":"ping"}}'
    ]


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (subscribe("publicTrade.NOPEUSDT"), "error:handler not found,topic:publicTrade.NOPEUSDT"),
        (subscribe("publicTrade.btcusdt"), "error:handler not found,topic:publicTrade.btcusdt"),
        (subscribe("orderbook.25.BTCUSDT"), "error:handler not found,topic:orderbook.25.BTCUSDT"),
        (subscribe("kline.7.BTCUSDT"), "error:handler not found,topic:kline.7.BTCUSDT"),
        (subscribe("tickers.1.BTCUSDT"), "error:handler not found,topic:tickers.1.BTCUSDT"),
        (subscribe("nothing"), "error:handler not found,topic:nothing"),
        (subscribe(*["tickers.BTCUSDT"] * 11), "args size >10"),
        (subscribe(), "error:request args is empty"),
        ({"op": "subscribe", "args": [1]}, "error:request args invalid"),
        ({"op": "nope"}, "error:invalid op"),
        ("hello", "Failed to decode incoming data:readObjectStart: expect { or n"),
        ("[1]", "Failed to decode incoming data:readObjectStart: expect { or n"),
        (
            {"op": "ping", "req_id": 7},
            "Failed to decode incoming data:req_id: ReadString: expects a string",
        ),
    ],
)
def test_refusals(message: object, told: str) -> None:
    (answer,) = texts(desk().say(message))
    found = json.loads(answer)
    assert (found["success"], found["ret_msg"]) == (False, told)


def test_what_html_would_misread_is_escaped() -> None:
    (answer,) = texts(desk().say(subscribe(*["tickers.BTCUSDT"] * 11)))
    assert r'"ret_msg":"args size \u003e10"' in answer


def test_a_message_is_done_whole_or_not_at_all() -> None:
    exchange = desk()
    mixed = subscribe("publicTrade.BTCUSDT", "publicTrade.NOPEUSDT", req_id="3")
    (answer,) = texts(exchange.say(mixed))
    assert json.loads(answer)["success"] is False
    exchange.order("sell", 842_500, 100)
    assert texts(exchange.order("buy", 842_500, 50), "trade") == []
    exchange.say(subscribe("publicTrade.BTCUSDT"))
    again = subscribe("tickers.BTCUSDT", "publicTrade.BTCUSDT")
    (answer,) = texts(exchange.say(again))
    assert json.loads(answer)["ret_msg"] == "error:already subscribed,topic:publicTrade.BTCUSDT"
    # the first goes on
    assert len(texts(exchange.order("buy", 842_500, 10), "trade")) == 1


def test_topics_of_a_connection_have_21000_characters() -> None:
    made = Desk(load("bybit"), LISTING)
    symbols = [f"C{number:04}/USDT" for number in range(600)]
    for symbol in symbols:
        made.market.add(made.dialect.listing(symbol), still=True)
        made.dialect.listed(symbol)
    made.connect()
    topics = [f"orderbook.1000.{symbol.replace('/', '')}" for symbol in symbols]
    topics += [f"kline.720.{symbol.replace('/', '')}" for symbol in symbols]
    told: list[dict[str, Any]] = []
    for start in range(0, len(topics), 10):
        told += [json.loads(t) for t in texts(made.say(subscribe(*topics[start : start + 10])))]
    taken = sum(answer["success"] for answer in told) * 10
    assert sum(len(topic) for topic in topics[:taken]) <= 21_000
    assert sum(len(topic) for topic in topics[: taken + 10]) > 21_000
    assert told[-1]["ret_msg"] == "args length >21000"


def test_paths_of_other_markets_are_not_here() -> None:
    refused = desk().dialect.handshake(Request("/v5/public/linear"), 0)
    assert refused is not None
    assert refused.status == 404


def test_a_connection_that_says_nothing_is_reset() -> None:
    exchange = desk()
    assert closes(exchange.pass_time(300)) == []
    exchange.say({"op": "ping"})
    assert closes(exchange.pass_time(400)) == []
    exchange.dialect.heard(1, exchange.now)
    assert closes(exchange.pass_time(599)) == []
    assert closes(exchange.pass_time(2)) == [(1, ABORT)]


def test_limits_of_time_can_be_set() -> None:
    assert closes(desk(Limits(idle=5.0)).pass_time(6)) == [(1, ABORT)]
    exchange = desk(Limits(max_age=10.0))
    assert closes(exchange.pass_time(9)) == []
    assert closes(exchange.pass_time(2)) == [(1, 1001)]
    gone = desk(Limits(max_age=10.0))
    gone.dialect.closed(1)
    assert gone.pass_time(700) == []


def test_a_message_can_be_rejected_in_the_words_of_the_exchange() -> None:
    exchange = desk()
    message = json.dumps(subscribe("tickers.BTCUSDT", req_id="9"))
    (answer,) = texts(exchange.dialect.reject(1, message, exchange.now) or [])
    told = json.loads(answer)
    assert (told["success"], told["req_id"]) == (False, "9")
    assert told["ret_msg"] == "error:handler not found,topic:tickers.BTCUSDT"
    assert exchange.dialect.reject(1, '{"op":"ping"}', exchange.now) is None
    assert exchange.dialect.reject(1, "hello", exchange.now) is None
    assert exchange.dialect.notice(exchange.now) == []


def test_a_symbol_that_comes_back_begins_its_book_anew_for_those_who_kept_it() -> None:
    exchange = desk()
    exchange.say(subscribe("orderbook.50.BTCUSDT", "publicTrade.BTCUSDT"))
    exchange.market.remove("BTC/USDT")
    assert exchange.dialect.delisted("BTC/USDT") == []
    assert exchange.pass_time(5) == []
    exchange.market.add(LISTING)
    (frame,) = texts(exchange.dialect.listed("BTC/USDT"), "book")
    assert json.loads(frame)["type"] == "snapshot"
    exchange.order("sell", 842_500, 100)
    assert len(texts(exchange.order("buy", 842_500, 100), "trade")) == 1


def test_a_frame_of_tomorrow_has_a_topic() -> None:
    frame = json.loads(desk().dialect.unknown())
    assert {"topic", "ts", "data"} <= frame.keys()
