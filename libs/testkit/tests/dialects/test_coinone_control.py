"""Coinone's requests over the socket, and how connections end."""

from __future__ import annotations

import json

import pytest

from collector_testkit.dialects import Action, Close, Delivery, Request, load
from collector_testkit.dialects.desk import START, Desk
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.messages import ABORT
from collector_testkit.market import Listing

BTC = {"quote_currency": "KRW", "target_currency": "BTC"}
PING = {"request_type": "PING"}
INVALID = '{"response_type":"ERROR","error_code":160012,"message":"Invalid Topic"}'


def desk(limits: Limits | None = None) -> Desk:
    listing = Listing("BTC/KRW", "116450000", "10000", "0.00000001", "0.01", "5000", orders=0)
    return Desk(load("coinone"), listing, limits)


def topic(channel: str, kind: str = "SUBSCRIBE", **more: object) -> dict[str, object]:
    return {"request_type": kind, "channel": channel, "topic": {**BTC, **more}}


def texts(actions: list[Action]) -> list[str]:
    return [action.payload.decode() for action in actions if isinstance(action, Delivery)]


def closes(actions: list[Action]) -> list[tuple[int, int]]:
    return [(action.connection, action.code) for action in actions if isinstance(action, Close)]


def test_a_connection_is_greeted_and_each_topic_acknowledged() -> None:
    exchange = desk()
    [hello] = texts(exchange.connect())
    assert list(json.loads(hello)) == ["response_type", "data"]
    assert json.loads(hello)["response_type"] == "CONNECTED"
    [trade] = texts(exchange.say(topic("TRADE")))
    assert trade == (
        '{"response_type":"SUBSCRIBED","channel":"TRADE",'
        '"data":{"quote_currency":"KRW","target_currency":"BTC"}}'
    )
    [chart] = texts(exchange.say(topic("CHART", interval="1m")))
    assert chart == (
        '{"response_type":"SUBSCRIBED","channel":"CHART",'
        '"data":{"quote_currency":"KRW","target_currency":"BTC","interval":"1m"}}'
    )


def test_topics_add_up_and_end_one_by_one() -> None:
    exchange = desk()
    exchange.order("sell", 11646, 1_000_000)
    exchange.connect()
    exchange.say(topic("TRADE"))
    exchange.say(topic("TICKER"))
    channels = [json.loads(t)["channel"] for t in texts(exchange.order("buy", 11646, 1_000))]
    assert channels == ["TRADE", "TICKER"]
    [ended] = texts(exchange.say(topic("TRADE", "UNSUBSCRIBE")))
    assert json.loads(ended)["response_type"] == "UNSUBSCRIBED"
    channels = [json.loads(t)["channel"] for t in texts(exchange.order("buy", 11646, 1_000))]
    assert channels == ["TICKER"]


def test_a_topic_asked_for_twice_sends_its_book_again_and_is_not_doubled() -> None:
    exchange = desk()
    exchange.order("buy", 11645, 1_000)
    exchange.connect()
    ids = []
    for _ in range(2):
        acknowledged, book = texts(exchange.say(topic("ORDERBOOK")))
        assert json.loads(acknowledged)["response_type"] == "SUBSCRIBED"
        ids.append(json.loads(book)["data"]["id"])
    assert ids[0] == ids[1]
    exchange.pass_time(0.2)
    exchange.order("buy", 11644, 1_000)
    assert len(texts(exchange.pass_time(0.2))) == 1


@pytest.mark.parametrize(
    ("channel", "more"),
    [
        ("ORDERBOOK", {"target_currency": "NOPE"}),
        ("TRADE", {"quote_currency": "USDT"}),
        ("CHART", {"interval": "10m"}),
        ("CHART", {}),
        ("TICKER", {"target_currency": None}),
    ],
)
def test_a_bad_topic_is_acknowledged_and_refused_a_moment_later(
    channel: str, more: dict[str, object]
) -> None:
    exchange = desk()
    exchange.connect()
    [answer] = texts(exchange.say(topic(channel, "SUBSCRIBE", **more)))
    assert json.loads(answer)["response_type"] == "SUBSCRIBED"
    assert texts(exchange.pass_time(0.001)) == []
    assert texts(exchange.pass_time(0.002)) == [INVALID]
    assert closes(exchange.pass_time(1)) == []


def test_a_refusal_for_a_connection_that_ended_goes_nowhere() -> None:
    exchange = desk()
    exchange.connect()
    exchange.say(topic("TRADE", target_currency="NOPE"))
    exchange.dialect.closed(1)
    assert exchange.pass_time(1) == []


def test_a_topic_is_echoed_as_it_was_sent_and_data_are_upper_case() -> None:
    exchange = desk()
    exchange.connect()
    lower = {"quote_currency": "krw", "target_currency": "btc"}
    answer, book = texts(exchange.say(topic("ORDERBOOK", **lower)))
    assert json.loads(answer)["data"] == lower
    assert json.loads(book)["data"]["target_currency"] == "BTC"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("nope", (160010, None)),
        ("[1]", (160010, None)),
        ({"request_type": "subscribe"}, (160011, "request_type")),
        ({}, (160011, "request_type")),
        ({"request_type": "SUBSCRIBE", "channel": "NOPE"}, (160011, "channel")),
        ({"request_type": "SUBSCRIBE"}, (160011, "channel")),
        ({**topic("TRADE"), "format": "short"}, (160011, "format")),
        ({"request_type": "SUBSCRIBE", "channel": "TRADE"}, (160010, None)),
        ({"request_type": "SUBSCRIBE", "channel": "TRADE", "topic": ["BTC"]}, (160010, None)),
    ],
)
def test_what_is_wrong_is_said_and_the_connection_stays(
    message: object, expected: tuple[int, str | None]
) -> None:
    exchange = desk()
    exchange.connect()
    [answer] = texts(exchange.say(message))
    frame = json.loads(answer)
    assert (frame["response_type"], frame["error_code"], frame.get("field")) == ("ERROR", *expected)
    assert closes(exchange.pass_time(1)) == []


def test_a_ping_is_answered() -> None:
    exchange = desk()
    exchange.connect()
    assert texts(exchange.say(PING)) == ['{"response_type":"PONG"}']


def test_a_connection_that_asks_for_nothing_is_dropped_after_a_minute() -> None:
    exchange = desk()
    exchange.connect(1)
    exchange.connect(2)
    exchange.say(topic("TRADE"), 2)
    assert closes(exchange.pass_time(60)) == []
    assert closes(exchange.pass_time(1)) == [(1, ABORT)]
    exchange.dialect.closed(1)
    assert closes(exchange.pass_time(120)) == []


def test_a_connection_without_a_ping_is_dropped_after_half_an_hour() -> None:
    exchange = desk()
    exchange.connect()
    exchange.say(topic("TRADE"))
    assert closes(exchange.pass_time(1_000)) == []
    exchange.say(PING)
    assert closes(exchange.pass_time(1_799)) == []
    assert closes(exchange.pass_time(2)) == [(1, ABORT)]


def test_the_silence_that_is_borne_can_be_set() -> None:
    exchange = desk(Limits(idle=5.0))
    exchange.connect()
    exchange.say(topic("TRADE"))
    assert closes(exchange.pass_time(6)) == [(1, ABORT)]


def test_an_age_limit_can_be_set() -> None:
    exchange = desk(Limits(max_age=3.0))
    exchange.connect()
    exchange.say(topic("TRADE"))
    assert closes(exchange.pass_time(4)) == [(1, 1001)]
    assert exchange.dialect.notice(exchange.now) == []


def test_the_21st_connection_of_an_address_is_closed() -> None:
    exchange = desk()
    for number in range(20):
        assert len(texts(exchange.connect(number))) == 1
    assert exchange.connect(20) == [Close(20, 4290)]
    exchange.dialect.closed(20)
    elsewhere = exchange.dialect.opened(21, Request("/", client="10.0.0.2"), exchange.now)
    assert len(texts(elsewhere)) == 1
    exchange.dialect.closed(0)
    assert len(texts(exchange.connect(22))) == 1


def test_a_limit_of_messages_can_be_set() -> None:
    exchange = desk(Limits(messages=2))
    exchange.connect()
    assert [closes(exchange.say(PING)) for _ in range(3)] == [[], [], [(1, 4290)]]
    exchange.pass_time(1)
    assert closes(exchange.say(PING)) == []


def test_other_paths_are_no_sockets() -> None:
    refused = desk().dialect.handshake(Request("/v1/private"), START)
    assert refused is not None
    assert refused.status == 404


def test_a_topic_can_be_refused_by_a_fault() -> None:
    exchange = desk()
    exchange.connect()
    message = json.dumps(topic("TRADE"))
    answer = exchange.dialect.reject(1, message, exchange.now)
    assert answer is not None
    assert [json.loads(t)["response_type"] for t in texts(answer)] == ["SUBSCRIBED", "ERROR"]
    for other in (json.dumps(PING), json.dumps(topic("TRADE", "UNSUBSCRIBE")), "nope"):
        assert exchange.dialect.reject(1, other, exchange.now) is None


def test_symbols_come_and_go() -> None:
    exchange = desk()
    exchange.connect()
    exchange.market.add(exchange.dialect.listing("WLD/KRW"))
    assert exchange.dialect.listed("WLD/KRW") == []
    _, book = texts(exchange.say(topic("ORDERBOOK", target_currency="WLD")))
    assert json.loads(book)["data"]["target_currency"] == "WLD"
    exchange.market.remove("WLD/KRW")
    assert exchange.dialect.delisted("WLD/KRW") == []
    exchange.say(topic("ORDERBOOK", target_currency="WLD"))
    assert texts(exchange.pass_time(0.01)) == [INVALID]
