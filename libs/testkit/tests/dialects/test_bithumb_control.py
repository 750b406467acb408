"""Bithumb's requests over the socket, how connections end, and listings."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest

from collector_testkit.dialects import Action, Close, Delivery, Request, load
from collector_testkit.dialects.desk import START, Desk
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.messages import ABORT
from collector_testkit.dialects.venue import Venue
from collector_testkit.faults import Fault
from collector_testkit.market import Listing

Texts = Callable[[list[Action]], list[str]]
Closes = Callable[[list[Action]], list[tuple[int, int]]]
BTC = Listing("BTC/KRW", "116539000", "1000", "0.00000001", "0.02", "5000", orders=0)
ALL = [{"ticket": "a"}, {"type": "trade", "codes": ["KRW-BTC", "KRW-ETH"]}]


def desk(limits: Limits | None = None) -> Desk:
    made = Desk(load("bithumb"), BTC, limits)
    made.order("buy", 116530, 100_000)
    made.order("sell", 116530, 40_000)
    return made


def venue(limits: Limits | None = None) -> Venue:
    made = Venue(load("bithumb"), random.Random(5), START, limits=limits)
    made.advance(START + 5_000_000)
    return made


def kinds(frames: list[str]) -> list[tuple[str, str]]:
    rows = [json.loads(frame) for frame in frames]
    return [(row["type"], row["stream_type"]) for row in rows]


def test_a_request_has_no_ack_and_replaces_the_one_before(texts: Texts) -> None:
    own = desk()
    assert own.connect() == []
    part = {"type": "trade", "codes": ["KRW-BTC"]}
    assert kinds(texts(own.say([{"ticket": "a"}, part]))) == [("trade", "SNAPSHOT")]
    assert kinds(texts(own.order("sell", 116530, 10_000))) == [("trade", "REALTIME")]
    other = {"type": "ticker", "codes": ["KRW-BTC"]}
    assert kinds(texts(own.say([{"ticket": "a"}, other]))) == [("ticker", "SNAPSHOT")]
    assert kinds(texts(own.order("sell", 116530, 10_000))) == [("ticker", "REALTIME")]


def test_only_the_flags_in_camel_case_do_anything(texts: Texts) -> None:
    own = desk()
    own.connect()
    once = {"type": "trade", "codes": ["KRW-BTC"], "isOnlySnapshot": True}
    news = {"type": "orderbook", "codes": ["KRW-BTC"], "isOnlyRealtime": True}
    passed = {"type": "ticker", "codes": ["KRW-BTC"], "is_only_snapshot": True}
    sent = own.say([{"ticket": "a"}, once, news, passed])
    assert kinds(texts(sent)) == [("trade", "SNAPSHOT"), ("ticker", "SNAPSHOT")]
    assert kinds(texts(own.order("sell", 116530, 10_000))) == [("ticker", "REALTIME")]
    assert kinds(texts(own.pass_time(0.1))) == [("orderbook", "REALTIME")]


@pytest.mark.parametrize("code", ["KRW-NOPE", "krw-btc", "BTC-KRW", "BTC_KRW"])
def test_unknown_codes_are_ignored(code: str) -> None:
    own = desk()
    own.connect()
    assert own.say([{"ticket": "a"}, {"type": "orderbook", "codes": [code]}]) == []


def test_an_unknown_format_is_the_default(texts: Texts) -> None:
    own = desk()
    own.connect()
    part = {"type": "trade", "codes": ["KRW-BTC"]}
    [frame] = texts(own.say([{"ticket": "a"}, part, {"format": "JSON_LIST"}]))
    assert frame.startswith('{"type":"trade"')


@pytest.mark.parametrize(
    ("message", "name", "text"),
    [
        ("nope", "WRONG_FORMAT", "Format 이 맞지 않습니다."),
        ('{"ticket":"a"}', "WRONG_FORMAT", "Format 이 맞지 않습니다."),
        ("[1]", "WRONG_FORMAT", "Format 이 맞지 않습니다."),
        ('[{"ticket":"a"}]', "WRONG_FORMAT", "Format 이 맞지 않습니다."),
        (
            '[{"type":"trade","codes":["KRW-BTC"]}]',
            "NO_TICKET",
            "티켓이 존재하지 않거나, 유효하지 않습니다.",
        ),
        ('[{"ticket":"a"},{"type":"trade"}]', "NO_CODES", "codes 필드가 존재하지 않습니다."),
        (
            '[{"ticket":"a"},{"type":"trade","codes":[]}]',
            "INVALID_PARAM",
            "codes 필드가 비어 있습니다.",
        ),
        (
            '[{"ticket":"a"},{"type":"trade","codes":"KRW-BTC"}]',
            "WRONG_FORMAT",
            "Format 이 맞지 않습니다.",
        ),
        (
            '[{"ticket":"a"},{"type":"candle.1m","codes":["KRW-BTC"]}]',
            "INVALID_PARAM",
            "candle.1m 은 지원하지 않는 타입입니다.",
        ),
        (
            '[{"ticket":"a"},{"type":"orderbook","codes":["KRW-BTC"],"level":7}]',
            "WRONG_FORMAT",
            "Format 이 맞지 않습니다.",
        ),
    ],
)
def test_an_error_frame_and_then_the_close(
    texts: Texts, closes: Closes, message: str, name: str, text: str
) -> None:
    own = desk()
    own.connect()
    [frame] = texts(own.say(message))
    assert json.loads(frame) == {"error": {"name": name, "message": text}}
    assert own.pass_time(0.1) == []
    assert closes(own.pass_time(0.1)) == [(1, 1000)]


def test_a_ping_is_answered_after_three_seconds_and_then_each_ten(texts: Texts) -> None:
    own = desk()
    own.connect()
    up = '{"status":"UP"}'
    assert own.say("PING") == []
    assert own.say("PING") == []
    assert texts(own.pass_time(2.9)) == []
    assert texts(own.pass_time(0.2)) == [up]
    assert texts(own.pass_time(20)) == [up, up]


def test_an_idle_connection_is_dropped_after_a_minute_without_a_close_frame(
    closes: Closes,
) -> None:
    own = desk()
    own.connect(1)
    own.connect(2)
    own.pass_time(50)
    own.dialect.heard(2, own.now)
    assert closes(own.pass_time(11)) == [(1, ABORT)]
    own.dialect.closed(1)
    assert closes(own.pass_time(50)) == [(2, ABORT)]


def test_frames_keep_a_connection_alive(closes: Closes) -> None:
    own = desk(Limits(idle=5.0))
    own.connect()
    own.say([{"ticket": "a"}, {"type": "orderbook", "codes": ["KRW-BTC"]}])
    for price in range(20):
        own.order("buy", 116500 + price, 10_000)
        assert closes(own.pass_time(1)) == []
    assert closes(own.pass_time(6)) == [(1, ABORT)]


def test_an_age_limit_can_be_set(closes: Closes) -> None:
    own = desk(Limits(max_age=3.0))
    own.connect()
    assert closes(own.pass_time(4)) == [(1, 1001)]
    assert own.dialect.notice(own.now) == []


def test_the_eleventh_handshake_of_a_second_is_refused() -> None:
    own = venue()
    request = Request("/websocket/v1")
    statuses = [own.refuse(request) for _ in range(11)]
    assert statuses[:10] == [None] * 10
    assert statuses[10] is not None
    assert statuses[10].status == 429
    own.advance(own.now + 2_000_000)
    assert own.refuse(request) is None
    elsewhere = own.refuse(Request("/pub/ws"))
    assert elsewhere is not None
    assert elsewhere.status == 404


def test_a_refused_request_changes_nothing_and_ends_the_connection() -> None:
    own = venue()
    own.open(1, Request("/websocket/v1"))
    own.start(Fault("reject", count=1))
    [frame] = own.receive(1, json.dumps(ALL))
    assert isinstance(frame, Delivery)
    assert json.loads(frame.payload)["error"]["name"] == "INVALID_PARAM"
    assert own.advance(own.now + 1_000_000) == [Close(1, 1000)]
    assert own.dialect.reject(1, "PING", own.now) is None
    assert not own.dialect.acknowledges(json.dumps(ALL), frame)


def test_symbols_come_and_go_while_it_runs() -> None:
    own = venue()
    own.open(1, Request("/websocket/v1"))
    own.list_symbol("NEW/KRW")
    markets = own.request(Request("/v1/market/all")).body
    assert b"KRW-NEW" in markets
    own.receive(1, json.dumps([{"ticket": "a"}, {"type": "trade", "codes": ["KRW-NEW"]}]))
    seen = {a.symbol for a in own.advance(own.now + 5_000_000) if isinstance(a, Delivery)}
    assert seen == {"NEW/KRW"}
    own.delist_symbol("NEW/KRW")
    assert own.advance(own.now + 5_000_000) == []
    assert b"KRW-NEW" not in own.request(Request("/v1/market/all")).body
