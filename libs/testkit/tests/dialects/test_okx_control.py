"""Control frames of OKX: the answers of the documentation, and what ends a socket."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from collector_testkit.dialects import Action, Close, Delivery, Request, load
from collector_testkit.dialects.desk import Desk
from collector_testkit.dialects.dialect import Limits
from collector_testkit.market import Listing

PUBLIC, BUSINESS = "/ws/v5/public", "/ws/v5/business"
ID = '"connId":"00000001"}'


def desk(limits: Limits | None = None, path: str = PUBLIC) -> Desk:
    listing = Listing("BTC/USDT", "84250", "0.1", "0.00000001", "0.05", "0.8", orders=0)
    made = Desk(load("okx"), listing, limits)
    assert made.connect(path=path) == []
    return made


def ask(op: str, *channels: str, number: str = "1512", instrument: str = "BTC-USDT") -> str:
    args = [{"channel": channel, "instId": instrument} for channel in channels]
    return json.dumps({"id": number, "op": op, "args": args})


def control(actions: list[Action]) -> list[str]:
    """Return the frames that are of no channel."""
    return [a.payload.decode() for a in actions if isinstance(a, Delivery) and not a.channel]


def closes(actions: list[Action]) -> list[tuple[int, int]]:
    return [(a.connection, a.code) for a in actions if isinstance(a, Close)]


def refused(channel: str, instrument: str = "BTC-USDT") -> str:
    return (
        f'{{"event":"error","msg":"Wrong URL or channel:{channel},instId:{instrument} '
        "doesn't exist. "
        'Please use the correct URL, channel and parameters referring to API document.",'
        f'"code":"60018",{ID}'
    )


def test_each_stream_is_answered_by_itself() -> None:
    exchange = desk()
    assert control(exchange.say(ask("subscribe", "books", "tickers"))) == [
        '{"id":"1512","event":"subscribe","arg":{"channel":"books","instId":"BTC-USDT"},' + ID,
        '{"id":"1512","event":"subscribe","arg":{"channel":"tickers","instId":"BTC-USDT"},' + ID,
    ]
    assert control(exchange.say(ask("unsubscribe", "books", number="1513"))) == [
        '{"id":"1513","event":"unsubscribe","arg":{"channel":"books","instId":"BTC-USDT"},' + ID,
    ]


def test_an_id_is_not_asked_for() -> None:
    message = '{"op":"subscribe","args":[{"channel":"books","instId":"BTC-USDT"}]}'
    assert control(desk().say(message)) == [
        '{"event":"subscribe","arg":{"channel":"books","instId":"BTC-USDT"},' + ID
    ]


def test_what_is_not_there_is_refused_and_the_others_are_taken() -> None:
    exchange = desk()
    assert control(exchange.say(ask("subscribe", "candle1m", "tickers"))) == [
        refused("candle1m"),
        '{"id":"1512","event":"subscribe","arg":{"channel":"tickers","instId":"BTC-USDT"},' + ID,
    ]
    assert control(exchange.say(ask("subscribe", "books", instrument="NO-PE"))) == [
        refused("books", "NO-PE")
    ]


@pytest.mark.parametrize("channel", ["books", "tickers", "candle6H", "candle1D", "trades", "?"])
def test_the_other_socket_has_other_channels(channel: str) -> None:
    exchange = desk(path=BUSINESS)
    assert control(exchange.say(ask("subscribe", channel))) == [refused(channel)]
    taken = exchange.say(ask("subscribe", "trades-all", "candle1m", "candle1Dutc"))
    assert len(control(taken)) == 3
    assert refused(channel) not in control(taken)


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "PING",
        "[]",
        '{"op":"subscribe"}',
        '{"op":"subscribe","args":[]}',
        '{"op":"listen","args":[{"channel":"books"}]}',
        '{"op":"subscribe","args":[{"channel":"books"}],"id":7}',
        '{"op":"subscribe","args":[{"channel":"books"}],"id":"a-b"}',
        '{"op":"subscribe","args":[{"channel":"books"}],"x":"' + "x" * 65_536 + '"}',
    ],
    ids=lambda message: message[:60],
)
def test_what_is_no_request_is_told_in_full(message: str) -> None:
    (answer,) = control(desk().say(message))
    told = json.loads(answer)
    assert (told["event"], told["code"]) == ("error", "60012")
    assert told["msg"] == f"Invalid request: {message}"


@pytest.mark.parametrize("args", [[7], [{"instId": "BTC-USDT"}], [{"channel": 1}]])
def test_arguments_of_another_form(args: list[object]) -> None:
    message = json.dumps({"id": "9", "op": "subscribe", "args": args})
    assert control(desk().say(message)) == [
        '{"id":"9","event":"error","code":"60013","msg":"Invalid args",' + ID
    ]


def test_text_pings_keep_a_socket_that_is_closed_after_30_seconds_of_silence() -> None:
    exchange = desk()
    for _ in range(4):
        assert closes(exchange.pass_time(25)) == []
        assert control(exchange.say("ping")) == ["pong"]
    assert closes(exchange.pass_time(29)) == []
    assert closes(exchange.pass_time(2)) == [(1, 4004)]


def test_pushed_frames_keep_it_as_well() -> None:
    exchange = desk(Limits(idle=5.0))
    exchange.say(ask("subscribe", "tickers"))
    for step in range(4):
        exchange.order("buy", 842_000 + step, 100)
        assert closes(exchange.pass_time(4)) == []
    assert closes(exchange.pass_time(4)) == [(1, 4004)]


def test_480_requests_in_an_hour_are_admitted() -> None:
    exchange = desk()
    for number in range(480):
        op = "unsubscribe" if number % 2 else "subscribe"
        assert '"error"' not in control(exchange.say(ask(op, "tickers")))[0]
        exchange.pass_time(1)
    assert control(exchange.say(ask("subscribe", "tickers"))) == [
        '{"id":"1512","event":"error","code":"60014","msg":"Requests too frequent",' + ID
    ]
    # pings are no requests, and those of an hour ago count no longer
    assert control(exchange.say("ping")) == ["pong"]
    for _ in range(200):
        exchange.say("ping")
        exchange.pass_time(20)
    assert '"error"' not in control(exchange.say(ask("subscribe", "tickers")))[0]


def test_a_limit_of_messages_a_second_can_be_set() -> None:
    exchange = desk(Limits(messages=2))
    answers = [control(exchange.say(ask("subscribe", "tickers")))[0] for _ in range(3)]
    assert ["60014" in answer for answer in answers] == [False, False, True]


def test_an_upgrade_is_announced_a_minute_before() -> None:
    exchange = desk(Limits(max_age=100.0))

    def kept(seconds: int) -> list[Action]:
        actions: list[Action] = []
        for _ in range(seconds):
            actions += exchange.pass_time(1)
            if exchange.dialect.notice(exchange.now):
                exchange.say("ping")
        return actions

    assert kept(39) == []
    text = (
        '{"event":"notice","code":"64008","msg":"The connection will soon be closed for a service '
        'upgrade. Please reconnect.",' + ID
    )
    assert control(kept(2)) == [text]
    assert closes(kept(57)) == []
    (closed,) = exchange.pass_time(3)
    assert closed == Close(1, 1001, "service upgrade")


def test_a_closed_connection_is_forgotten() -> None:
    exchange = desk(Limits(max_age=10.0))
    exchange.say(ask("subscribe", "books", "tickers"))
    exchange.dialect.closed(1)
    assert exchange.order("buy", 842_000, 100) == []
    assert exchange.pass_time(60) == []


def test_other_paths_are_refused() -> None:
    for path in ("/ws/v5", "/ws/v5/private", "/"):
        reply = desk().dialect.handshake(Request(path), 0)
        assert reply is not None
        assert reply.status == 404


def test_a_subscription_can_be_refused_on_purpose() -> None:
    exchange = desk()
    told = exchange.dialect.reject(1, ask("subscribe", "books", "tickers"), exchange.now)
    assert told is not None
    assert control(told) == [refused("books"), refused("tickers")]
    for message in (ask("unsubscribe", "books"), "ping", "{"):
        assert exchange.dialect.reject(1, message, exchange.now) is None


def test_what_acknowledges() -> None:
    exchange = desk()
    accepts: Callable[[str, Delivery], bool] = exchange.dialect.acknowledges
    message = ask("subscribe", "books", "candle1m")
    taken, snapshot, wrong = exchange.say(message)
    assert isinstance(taken, Delivery)
    assert isinstance(snapshot, Delivery)
    assert isinstance(wrong, Delivery)
    assert [accepts(message, d) for d in (taken, wrong)] == [True, False]
    assert not accepts("ping", Delivery(b"pong", (1,)))
