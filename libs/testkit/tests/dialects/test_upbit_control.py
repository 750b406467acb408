"""Upbit's requests over the socket, and how connections end."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from collector_testkit.dialects import Action, Close, Request
from collector_testkit.dialects.desk import Desk
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.messages import ABORT


def kinds(frames: list[str]) -> list[tuple[str, str]]:
    rows = [json.loads(frame) for frame in frames]
    return [(row["type"], row["stream_type"]) for row in rows]


def test_a_request_has_no_ack_and_replaces_the_one_before(
    upbit: Callable[..., Desk], texts: Callable[..., list[str]]
) -> None:
    desk = upbit()
    desk.order("buy", 116530, 100)
    desk.order("sell", 116530, 40)
    assert desk.connect() == []
    part = {"type": "trade", "codes": ["KRW-BTC"]}
    assert kinds(texts(desk.say([{"ticket": "a"}, part]))) == [("trade", "SNAPSHOT")]
    assert kinds(texts(desk.order("sell", 116530, 10))) == [("trade", "REALTIME")]
    other = {"type": "ticker", "codes": ["KRW-BTC"]}
    assert kinds(texts(desk.say([{"ticket": "a"}, other]))) == [("ticker", "SNAPSHOT")]
    assert kinds(texts(desk.order("sell", 116530, 10))) == [("ticker", "REALTIME")]


def test_only_snapshots_and_only_news(
    upbit: Callable[..., Desk], texts: Callable[..., list[str]]
) -> None:
    desk = upbit()
    desk.order("buy", 116530, 100)
    desk.order("sell", 116530, 40)
    desk.connect()
    once = {"type": "trade", "codes": ["KRW-BTC"], "is_only_snapshot": True}
    news = {"type": "orderbook", "codes": ["KRW-BTC"], "is_only_realtime": True}
    assert kinds(texts(desk.say([{"ticket": "a"}, once, news]))) == [("trade", "SNAPSHOT")]
    assert desk.order("sell", 116530, 10) == []
    assert kinds(texts(desk.pass_time(0.1))) == [("orderbook", "REALTIME")]


def test_before_the_first_trade_only_the_book_has_a_snapshot(
    upbit: Callable[..., Desk], texts: Callable[..., list[str]]
) -> None:
    desk = upbit()
    desk.connect()
    parts = [{"type": kind, "codes": ["KRW-BTC"]} for kind in ("trade", "ticker", "candle.1m")]
    book = {"type": "orderbook", "codes": ["KRW-BTC"]}
    assert kinds(texts(desk.say([{"ticket": "a"}, *parts, book]))) == [("orderbook", "SNAPSHOT")]


@pytest.mark.parametrize("code", ["KRW-NOPE", "krw-btc", "BTC/KRW"])
def test_unknown_codes_are_ignored(upbit: Callable[..., Desk], code: str) -> None:
    desk = upbit()
    desk.connect()
    assert desk.say([{"ticket": "a"}, {"type": "orderbook", "codes": [code]}]) == []


def test_a_level_that_is_not_supported_delivers_nothing(upbit: Callable[..., Desk]) -> None:
    desk = upbit()
    desk.connect()
    part = {"type": "orderbook", "codes": ["KRW-BTC"], "level": 10000}
    assert desk.say([{"ticket": "a"}, part]) == []


def test_formats(upbit: Callable[..., Desk], texts: Callable[..., list[str]]) -> None:
    desk = upbit()
    part = {"type": "orderbook", "codes": ["KRW-BTC"]}
    starts = []
    for number, name in enumerate(("DEFAULT", "SIMPLE", "JSON_LIST", "SIMPLE_LIST")):
        desk.connect(number)
        [frame] = texts(desk.say([{"ticket": "a"}, {"format": name}, part], number))
        starts.append(frame[:9])
    assert starts == ['{"type":"', '{"ty":"or', '[{"type":', '[{"ty":"o']


def test_list_subscriptions(upbit: Callable[..., Desk], texts: Callable[..., list[str]]) -> None:
    desk = upbit()
    desk.connect()
    parts = [
        {"type": "ticker", "codes": ["KRW-BTC", "KRW-ETH"], "is_only_realtime": True},
        {"type": "orderbook", "codes": ["KRW-BTC"], "is_only_realtime": True},
    ]
    desk.say([{"ticket": "a"}, *parts])
    expected = (
        '{"method":"LIST_SUBSCRIPTIONS","result":[{"type":"ticker","codes":["KRW-BTC","KRW-ETH"]},'
        '{"type":"orderbook","codes":["KRW-BTC"],"level":0}],"ticket":"unique uuid"}'
    )
    assert texts(desk.say([{"ticket": "unique uuid"}, {"method": "LIST_SUBSCRIPTIONS"}])) == [
        expected
    ]
    desk.pass_time(1)
    desk.say([{"ticket": "a"}, *parts, {"format": "SIMPLE"}])
    [answer] = texts(desk.say([{"ticket": "b"}, {"method": "LIST_SUBSCRIPTIONS"}]))
    assert list(json.loads(answer)) == ["mthd", "rslt", "tckt"]


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("nope", "WRONG_FORMAT"),
        ('{"ticket":"a"}', "WRONG_FORMAT"),
        ("[1]", "WRONG_FORMAT"),
        ('[{"type":"trade","codes":["KRW-BTC"]}]', "NO_TICKET"),
        ('[{"ticket":""},{"type":"trade","codes":["KRW-BTC"]}]', "NO_TICKET"),
        ('[{"ticket":"a"}]', "NO_TYPE"),
        ('[{"ticket":"a"},{"type":"trade"}]', "NO_CODES"),
        ('[{"ticket":"a"},{"type":"trade","codes":"KRW-BTC"}]', "WRONG_FORMAT"),
        ('[{"ticket":"a"},{"type":"nope","codes":["KRW-BTC"]}]', "INVALID_PARAM"),
        ('[{"ticket":"a"},{"type":"candle.1d","codes":["KRW-BTC"]}]', "INVALID_PARAM"),
        ('[{"ticket":"a"},{"format":"X"},{"type":"trade","codes":["A"]}]', "INVALID_PARAM"),
        ('[{"ticket":"a"},{"method":"X"}]', "INVALID_PARAM"),
    ],
)
def test_an_error_frame_and_then_the_close(
    upbit: Callable[..., Desk],
    texts: Callable[..., list[str]],
    closes: Callable[[list[Action]], list[tuple[int, int]]],
    message: str,
    name: str,
) -> None:
    desk = upbit()
    desk.connect()
    [frame] = texts(desk.say(message))
    assert json.loads(frame)["error"]["name"] == name
    assert desk.pass_time(0.1) == []
    assert closes(desk.pass_time(0.1)) == [(1, 1000)]


def test_the_texts_of_the_errors(
    upbit: Callable[..., Desk], texts: Callable[..., list[str]]
) -> None:
    desk = upbit()
    desk.connect(1)
    desk.connect(2)
    assert texts(desk.say('[{"ticket":"a"},{"type":"nope","codes":["KRW-BTC"]}]', 1)) == [
        '{"error":{"name":"INVALID_PARAM","message":"nope 은 지원하지 않는 타입입니다."}}'
    ]
    assert texts(desk.say("[{}]", 2)) == [
        '{"error":{"name":"NO_TICKET","message":"티켓이 존재하지 않거나, 유효하지 않습니다."}}'
    ]


def test_ping_is_answered_every_ten_seconds(
    upbit: Callable[..., Desk], texts: Callable[..., list[str]]
) -> None:
    desk = upbit()
    desk.connect()
    up = '{"status":"UP"}'
    assert texts(desk.say("PING")) == [up]
    assert texts(desk.pass_time(9.9)) == []
    assert texts(desk.pass_time(20.1)) == [up, up, up]


def test_an_idle_connection_is_dropped_without_a_close_frame(
    upbit: Callable[..., Desk], closes: Callable[[list[Action]], list[tuple[int, int]]]
) -> None:
    desk = upbit()
    desk.connect(1)
    desk.connect(2)
    desk.pass_time(100)
    desk.dialect.heard(2, desk.now)
    assert closes(desk.pass_time(21)) == [(1, ABORT)]
    desk.dialect.closed(1)
    assert closes(desk.pass_time(100)) == [(2, ABORT)]


def test_frames_keep_a_connection_alive(upbit: Callable[..., Desk]) -> None:
    desk = upbit(Limits(idle=5.0))
    desk.connect()
    desk.say([{"ticket": "a"}, {"type": "orderbook", "codes": ["KRW-BTC"]}])
    for price in range(20):
        desk.order("buy", 116500 + price, 10)
        assert not [a for a in desk.pass_time(1) if isinstance(a, Close)]
    assert [a for a in desk.pass_time(6) if isinstance(a, Close)] == [Close(1, ABORT)]


def test_too_many_messages(
    upbit: Callable[..., Desk], closes: Callable[[list[Action]], list[tuple[int, int]]]
) -> None:
    desk = upbit()
    desk.connect()
    for _ in range(5):
        desk.say("PING")
    assert b"Too Many Requests" in desk.say("PING")[0].payload  # type: ignore[union-attr]  # a delivery
    assert closes(desk.pass_time(0.2)) == [(1, 1000)]


def test_connections_a_second_are_limited(upbit: Callable[..., Desk]) -> None:
    desk = upbit()
    for number in range(5):
        desk.connect(number)
    refused = desk.dialect.handshake(Request("/websocket/v1"), desk.now)
    assert refused is not None
    assert refused.status == 429
    elsewhere = desk.dialect.handshake(Request("/ws"), desk.now)
    assert elsewhere is not None
    assert elsewhere.status == 404


def test_an_age_limit_can_be_set(
    upbit: Callable[..., Desk], closes: Callable[[list[Action]], list[tuple[int, int]]]
) -> None:
    desk = upbit(Limits(max_age=3.0))
    desk.connect()
    assert closes(desk.pass_time(4)) == [(1, 1001)]
    assert desk.dialect.notice(desk.now) == []
