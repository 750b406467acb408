"""Control frames of Binance: the answers of the protocol note, word for word."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from collector_testkit.dialects import Action, Close, Delivery, Request
from collector_testkit.dialects.desk import Desk
from collector_testkit.dialects.dialect import Limits

TRADE_FRAME = (
    '{"e":"trade","E":1795305600250,"s":"BTCUSDT","t":1,"p":"84250.00000000","q":"0.00100000",'
    '"T":1795305600250,"m":false,"M":true}'
)


def test_subscribe_list_unsubscribe(
    binance: Callable[..., Desk], texts: Callable[..., list[str]]
) -> None:
    desk = binance()
    assert desk.connect() == []
    names = ["btcusdt@trade", "btcusdt@depth@100ms"]
    assert texts(desk.say({"method": "SUBSCRIBE", "params": names, "id": 1})) == [
        '{"result":null,"id":1}'
    ]
    gone = {"method": "UNSUBSCRIBE", "params": names[1:], "id": "a312"}
    assert texts(desk.say(gone)) == ['{"result":null,"id":"a312"}']
    assert texts(desk.say({"method": "LIST_SUBSCRIPTIONS", "id": 3})) == [
        '{"result":["btcusdt@trade"],"id":3}'
    ]


def test_an_unknown_symbol_is_acknowledged_and_silent(
    binance: Callable[..., Desk], texts: Callable[..., list[str]]
) -> None:
    desk = binance()
    desk.connect()
    names = ["nopeusdt@trade", "nopeusdt@depth", "nopeusdt@kline_1m", "btcusdt@nothing"]
    answer = desk.say({"method": "SUBSCRIBE", "params": names, "id": None})
    assert texts(answer) == ['{"result":null,"id":null}']
    desk.order("sell", 8425000, 100)
    assert desk.order("buy", 8425000, 100) == []
    assert desk.pass_time(3) == []


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("{", {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}),
        ("[1]", {"code": 2, "msg": "Invalid request: expected an object at line 1 column 3"}),
        (
            '{"method":"SUBSCRIB","params":[],"id":1}',
            {
                "code": 2,
                "msg": "Invalid request: unknown variant SUBSCRIB, expected one of `SUBSCRIBE`, "
                "`UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY` at line 1 "
                "column 40",
                "id": 1,
            },
        ),
        (
            '{"params":[],"id":1}',
            {
                "code": 2,
                "msg": "Invalid request: missing field `method` at line 1 column 20",
                "id": 1,
            },
        ),
        (
            '{"method":"GET_PROPERTY","params":["nope"],"id":5}',
            {"code": 0, "msg": "Unknown property", "id": 5},
        ),
        (
            '{"method":"SET_PROPERTY","params":["combined",1],"id":5}',
            {"code": 1, "msg": "Invalid value type: expected Boolean", "id": 5},
        ),
        (
            '{"method":"GET_PROPERTY","params":["combined",true],"id":5}',
            {"code": 2, "msg": "Invalid request: too many parameters", "id": 5},
        ),
        (
            '{"method":"GET_PROPERTY","params":[1],"id":5}',
            {"code": 2, "msg": "Invalid request: property name must be a string", "id": 5},
        ),
        (
            '{"method":"SUBSCRIBE","params":[7],"id":5}',
            {"code": 2, "msg": "Invalid request: stream name must be a string", "id": 5},
        ),
        (
            '{"method":"SUBSCRIBE","params":[],"id":1.5}',
            {
                "code": 2,
                "msg": "Invalid request: request ID must be an integer, a string or null",
            },
        ),
    ],
)
def test_error_frames(
    binance: Callable[..., Desk],
    texts: Callable[..., list[str]],
    message: str,
    expected: dict[str, Any],
) -> None:
    desk = binance()
    desk.connect()
    assert [json.loads(text) for text in texts(desk.say(message))] == [expected]


def test_raw_combined_and_microseconds(
    binance: Callable[..., Desk], texts: Callable[..., list[str]]
) -> None:
    desk = binance()
    desk.connect(1, "/ws/btcusdt@trade")
    desk.connect(2, "/stream", streams="btcusdt@trade/nopeusdt@trade")
    desk.connect(3, "/stream", streams="btcusdt@trade", timeUnit="MICROSECOND")
    desk.order("sell", 8425000, 100)
    raw = TRADE_FRAME
    micro = raw.replace("1795305600250", "1795305600250250")
    actions = desk.order("buy", 8425000, 100)
    assert texts(actions) == [
        raw,
        f'{{"stream":"btcusdt@trade","data":{raw}}}',
        f'{{"stream":"btcusdt@trade","data":{micro}}}',
    ]
    sent = [action for action in actions if isinstance(action, Delivery)]
    assert [delivery.connections for delivery in sent] == [(1,), (2,), (3,)]
    assert [(d.channel, d.symbol, d.binary) for d in sent] == [("trade", "BTC/USDT", False)] * 3


def test_set_property_wraps_frames(
    binance: Callable[..., Desk], texts: Callable[..., list[str]]
) -> None:
    desk = binance()
    desk.connect(1, "/ws/btcusdt@trade")
    wrap = {"method": "SET_PROPERTY", "params": ["combined", True], "id": 5}
    assert texts(desk.say(wrap)) == ['{"result":null,"id":5}']
    asked = {"method": "GET_PROPERTY", "params": ["combined"], "id": 2}
    assert texts(desk.say(asked)) == ['{"result":true,"id":2}']
    desk.order("sell", 8425000, 100)
    frames = texts(desk.order("buy", 8425000, 100))
    assert frames == [f'{{"stream":"btcusdt@trade","data":{TRADE_FRAME}}}']


def test_paths_without_streams_are_refused(binance: Callable[..., Desk]) -> None:
    refused = binance().dialect.handshake(Request("/nope"), 0)
    assert refused is not None
    assert refused.status == 404


def test_limits_end_the_connection(
    binance: Callable[..., Desk], closes: Callable[[list[Action]], list[tuple[int, int]]]
) -> None:
    desk = binance()
    desk.connect()
    for number in range(5):
        assert closes(desk.say({"method": "LIST_SUBSCRIPTIONS", "id": number})) == []
    assert closes(desk.say({"method": "LIST_SUBSCRIPTIONS", "id": 6})) == [(1, 1008)]
    desk.pass_time(1.1)
    many = [f"x{number}@trade" for number in range(1024)]
    assert closes(desk.say({"method": "SUBSCRIBE", "params": many, "id": 1})) == []
    more = {"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 2}
    assert closes(desk.say(more)) == [(1, 1008)]


def test_the_planned_cut_is_announced(binance: Callable[..., Desk]) -> None:
    desk = binance(Limits(max_age=10.0))
    desk.connect(1)
    desk.pass_time(5)
    desk.connect(2, "/stream", streams="btcusdt@trade")
    [notice, close] = desk.pass_time(6)
    # the announcement, then the close; the younger connection goes on
    assert isinstance(notice, Delivery)
    assert isinstance(close, Close)
    assert notice.payload == b'{"e":"serverShutdown","E":1795305610250}'
    assert notice.connections == (1,)
    assert (close.connection, close.code) == (1, 1001)
    assert [delivery.payload for delivery in desk.dialect.notice(desk.now)][1:] == [
        b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1795305611250}}'
    ]


def test_the_age_limit_is_a_day(binance: Callable[..., Desk]) -> None:
    desk = binance()
    desk.connect()
    assert desk.pass_time(24 * 3600 - 1) == []
    assert len(desk.pass_time(2)) == 2


def test_a_closed_connection_gets_nothing_more(binance: Callable[..., Desk]) -> None:
    desk = binance()
    desk.connect(1, "/ws/btcusdt@trade")
    desk.dialect.closed(1)
    desk.order("sell", 8425000, 100)
    assert desk.order("buy", 8425000, 100) == []
    assert desk.pass_time(24 * 3600 + 1) == []
