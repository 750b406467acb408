"""What a client of Coinbase asks, and what it is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from collector_testkit.dialects import Action, Close, Delivery, load
from collector_testkit.dialects.desk import Desk
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.messages import ABORT
from collector_testkit.market import Listing

Closes = Callable[[list[Action]], list[tuple[int, int]]]
BEATS = {"type": "subscribe", "channel": "heartbeats"}


def subscribe(channel: str, *products: str, kind: str = "subscribe") -> dict[str, object]:
    return {"type": kind, "product_ids": list(products), "channel": channel}


@pytest.fixture
def coinbase() -> Callable[..., Desk]:
    listing = Listing("BTC/USD", "65083.67", "0.01", "0.00000001", "0.02", "1", orders=0)
    return lambda limits=None: Desk(load("coinbase"), listing, limits)


def frames(actions: list[Action], connection: int = 1) -> list[Any]:
    return [
        json.loads(action.payload)
        for action in actions
        if isinstance(action, Delivery) and action.connections == (connection,)
    ]


def held(actions: list[Action]) -> Any:  # noqa: ANN401  # JSON
    return frames(actions)[-1]["events"][0]["subscriptions"]


def test_an_answer_names_everything_that_holds(coinbase: Callable[..., Desk]) -> None:
    desk = coinbase()
    assert desk.connect() == []
    assert held(desk.say(BEATS)) == {"heartbeats": ["heartbeats"]}
    assert held(desk.say(subscribe("level2", "BTC-USD"))) == {
        "heartbeats": ["heartbeats"],
        "level2": ["BTC-USD"],
    }
    answer = desk.say(subscribe("level2", "BTC-USD", kind="unsubscribe"))
    assert held(answer) == {"heartbeats": ["heartbeats"]}
    assert held(desk.say({**BEATS, "type": "unsubscribe"})) == {}


def test_a_product_that_is_not_known_is_left_out_in_silence(coinbase: Callable[..., Desk]) -> None:
    desk = coinbase()
    desk.connect()
    answer = desk.say(subscribe("market_trades", "NOPE-USD", "BTC-USD", "BTC-EUR"))
    assert held(answer) == {"market_trades": ["BTC-USD"]}
    assert held(desk.say(subscribe("ticker", "NOPE-USD"))) == {"market_trades": ["BTC-USD"]}


def test_an_alias_goes_by_the_name_of_its_market(coinbase: Callable[..., Desk]) -> None:
    desk = coinbase()
    desk.connect()
    snapshot, answer = frames(desk.say(subscribe("level2", "BTC-USDC")))
    assert snapshot["events"][0]["product_id"] == "BTC-USD"
    assert answer["events"] == [{"subscriptions": {"level2": ["BTC-USD"]}}]


def test_every_frame_of_a_connection_is_counted_and_each_counts_for_itself(
    coinbase: Callable[..., Desk],
) -> None:
    desk = coinbase()
    out = desk.connect(1)
    for message in (BEATS, subscribe("level2", "BTC-USD"), subscribe("candles", "BTC-USD")):
        out += desk.say(message)
    desk.connect(2)
    out += desk.say(subscribe("market_trades", "BTC-USD"), 2)
    for price in (6508366, 6508367, 6508368):
        out += desk.order("sell", price, 100)
        out += desk.order("buy", price, 40)
        out += desk.pass_time(0.7)
    out += desk.say(subscribe("ticker", "BTC-USD"), 2)
    out += desk.say("nonsense", 1)
    for connection in (1, 2):
        numbers = [f["sequence_num"] for f in frames(out, connection) if "sequence_num" in f]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) > 5
    assert [f for f in frames(out) if "sequence_num" not in f] == [
        {"type": "error", "message": "failed to unmarshal message"}
    ]


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("nonsense", "failed to unmarshal message"),
        ([], "failed to unmarshal message"),
        ({"type": "subscribe", "product_ids": "BTC-USD"}, "failed to unmarshal message"),
        ({"type": "ping"}, "unknown message type ping"),
        (subscribe("full", "BTC-USD"), "channel full is not supported"),
        (subscribe("level2"), "product_ids is required"),
    ],
)
def test_what_is_no_message_is_refused(
    coinbase: Callable[..., Desk], message: object, told: str
) -> None:
    desk = coinbase()
    desk.connect()
    assert frames(desk.say(message)) == [{"type": "error", "message": told}]


def test_who_asks_for_an_account_without_a_key_is_sent_away(
    coinbase: Callable[..., Desk], closes: Closes
) -> None:
    desk = coinbase()
    desk.connect()
    out = desk.say(subscribe("user", "BTC-USD"))
    assert frames(out) == [{"type": "error", "message": "authentication failure"}]
    assert closes(out) == [(1, 1008)]


def test_who_asks_for_nothing_is_closed_after_five_seconds(
    coinbase: Callable[..., Desk], closes: Closes
) -> None:
    desk = coinbase()
    desk.connect()
    assert closes(desk.pass_time(4.9)) == []
    assert closes(desk.pass_time(0.2)) == [(1, 1008)]


def test_a_connection_without_data_is_closed_and_heartbeats_keep_it(
    coinbase: Callable[..., Desk], closes: Closes
) -> None:
    desk = coinbase()
    desk.connect(1)
    desk.say(subscribe("market_trades", "BTC-USD"), 1)
    desk.connect(2)
    desk.say(BEATS, 2)
    out = desk.pass_time(200)
    assert closes(out) == [(1, ABORT)]
    beats = [f["events"][0]["heartbeat_counter"] for f in frames(out, 2)]
    assert beats == list(range(1, 201))


def test_limits_of_the_settings_are_kept(coinbase: Callable[..., Desk], closes: Closes) -> None:
    desk = coinbase(Limits(max_age=30.0, messages=2))
    desk.connect(1)
    desk.say(BEATS, 1)
    assert closes(desk.pass_time(31)) == [(1, 1001)]
    desk.connect(2)
    assert [len(frames(desk.say(BEATS, 2), 2)) for _ in range(2)] == [1, 1]
    assert closes(desk.say(BEATS, 2)) == [(2, 1008)]


def test_a_refusal_does_nothing_and_does_not_say_of_what(coinbase: Callable[..., Desk]) -> None:
    desk = coinbase()
    desk.connect()
    text = json.dumps(subscribe("level2", "BTC-USD"))
    refused = desk.dialect.reject(1, text, desk.now)
    assert refused is not None
    assert frames(refused) == [{"type": "error", "message": "failed to subscribe"}]
    assert held(desk.say(BEATS)) == {"heartbeats": ["heartbeats"]}
    for other in (BEATS, subscribe("level2", "BTC-USD", kind="unsubscribe"), 1):
        assert desk.dialect.reject(1, json.dumps(other), desk.now) is None


def test_other_paths_are_not_found(coinbase: Callable[..., Desk]) -> None:
    with pytest.raises(ValueError, match="status 404"):
        coinbase().connect(1, "/ws")


def test_closes_carry_nothing_else(coinbase: Callable[..., Desk]) -> None:
    desk = coinbase()
    desk.connect()
    desk.say(subscribe("user", "BTC-USD"))
    desk.dialect.closed(1)
    assert [a for a in desk.pass_time(100) if isinstance(a, Close)] == []
    assert desk.dialect.next_tick() is None
