"""Coinbase's frames, written down."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from collector_testkit.dialects import Action, Delivery, load
from collector_testkit.dialects.coinbase.frames import heartbeat, moment
from collector_testkit.dialects.desk import START, Desk
from collector_testkit.market import Listing

Texts = Callable[[list[Action]], list[str]]


@pytest.fixture
def desk() -> Desk:
    listing = Listing("BTC/USD", "65083.67", "0.01", "0.00000001", "0.02", "1", orders=0)
    made = Desk(load("coinbase"), listing)
    made.connect()
    return made


def ask(channel: str) -> dict[str, object]:
    return {"type": "subscribe", "product_ids": ["BTC-USD"], "channel": channel}


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (START, "2026-11-22T00:00:00.25025Z"),
        (START - 250_250, "2026-11-22T00:00:00Z"),
        (START - 250_249, "2026-11-22T00:00:00.000001Z"),
        (START - 150_250, "2026-11-22T00:00:00.1Z"),
    ],
)
def test_times_have_no_more_digits_than_they_need(time: int, text: str) -> None:
    assert moment(time) == text


def test_a_whole_book_and_its_changes(desk: Desk, texts: Texts) -> None:
    desk.order("buy", 6508300, 150_000_000)
    desk.order("sell", 6508367, 20_371_215)
    snapshot, _ = texts(desk.say(ask("level2")))
    assert snapshot == (
        '{"channel":"l2_data","timestamp":"2026-11-22T00:00:00.25025Z","sequence_num":0,'
        '"events":[{"type":"snapshot","product_id":"BTC-USD","updates":['
        '{"side":"bid","event_time":"2026-11-22T00:00:00.25025Z","price_level":"65083",'
        '"new_quantity":"1.5"},'
        '{"side":"offer","event_time":"2026-11-22T00:00:00.25025Z","price_level":"65083.67",'
        '"new_quantity":"0.20371215"}]}]}'
    )
    # taken in two, and a new bid: one frame at the next twentieth of a second
    desk.order("buy", 6508367, 371_215)
    desk.order("buy", 6508367, 20_000_000)
    desk.order("buy", 6508210, 1)
    (update,) = texts(desk.pass_time(0.06))
    assert update == (
        '{"channel":"l2_data","timestamp":"2026-11-22T00:00:00.3Z","sequence_num":2,'
        '"events":[{"type":"update","product_id":"BTC-USD","updates":['
        '{"side":"bid","event_time":"2026-11-22T00:00:00.25025Z","price_level":"65082.1",'
        '"new_quantity":"0.00000001"},'
        '{"side":"offer","event_time":"2026-11-22T00:00:00.25025Z","price_level":"65083.67",'
        '"new_quantity":"0"}]}]}'
    )
    assert texts(desk.pass_time(5)) == []


def test_trades_newest_first_with_the_side_of_the_resting_order(desk: Desk, texts: Texts) -> None:
    desk.order("sell", 6508367, 100_000_000)
    desk.order("sell", 6508400, 1_000)
    desk.order("buy", 6508367, 64_000)
    past, _ = texts(desk.say(ask("market_trades")))
    assert past == (
        '{"channel":"market_trades","timestamp":"2026-11-22T00:00:00.25025Z","sequence_num":0,'
        '"events":[{"type":"snapshot","trades":[{"product_id":"BTC-USD","trade_id":"1",'
        '"price":"65083.67","size":"0.00064","time":"2026-11-22T00:00:00.25025Z",'
        '"side":"SELL"}]}]}'
    )
    (frame,) = desk.order("buy", 6508400, 99_936_500)
    assert isinstance(frame, Delivery)
    assert (frame.channel, frame.symbol) == ("trade", "BTC/USD")
    event = json.loads(frame.payload)["events"][0]
    assert event["type"] == "update"
    assert [(t["trade_id"], t["price"], t["size"], t["side"]) for t in event["trades"]] == [
        ("3", "65084", "0.000005", "SELL"),
        ("2", "65083.67", "0.99936", "SELL"),
    ]
    assert desk.dialect.trade_ids(frame) == ("2", "3")
    desk.order("buy", 6508100, 500)
    (sold,) = texts(desk.order("sell", 6508100, 500))
    assert json.loads(sold)["events"][0]["trades"][0]["side"] == "BUY"


def test_a_ticker_at_each_trade_and_one_of_nothing_before_the_first(
    desk: Desk, texts: Texts
) -> None:
    nothing, _ = texts(desk.say(ask("ticker")))
    assert json.loads(nothing)["events"][0]["tickers"][0]["product_id"] == ""
    desk.order("sell", 6508367, 100_000_000)
    desk.order("sell", 6573450, 100_000_000)
    desk.order("buy", 6508300, 70_000_000)
    desk.order("buy", 6508367, 100_000_000)
    (ticker,) = texts(desk.order("buy", 6573450, 50_000_000))
    assert ticker == (
        '{"channel":"ticker","timestamp":"2026-11-22T00:00:00.25025Z","sequence_num":3,'
        '"events":[{"type":"update","tickers":[{"type":"ticker","product_id":"BTC-USD",'
        '"price":"65734.5","volume_24_h":"1.5","low_24_h":"65083.67","high_24_h":"65734.5",'
        '"low_52_w":"65083.67","high_52_w":"65734.5",'
        '"price_percent_chg_24_h":"0.99998970555901","best_bid":"65083","best_ask":"65734.5",'
        '"best_bid_quantity":"0.7","best_ask_quantity":"0.5"}]}]}'
    )


def test_candles_of_five_minutes(desk: Desk, texts: Texts) -> None:
    assert len(texts(desk.say(ask("candles")))) == 1
    desk.order("sell", 6508367, 100_000_000)
    desk.order("buy", 6508367, 64_000)
    (frame,) = texts(desk.pass_time(1))
    assert frame == (
        '{"channel":"candles","timestamp":"2026-11-22T00:00:01Z","sequence_num":1,'
        '"events":[{"type":"update","candles":[{"start":"1795305600","high":"65083.67",'
        '"low":"65083.67","open":"65083.67","close":"65083.67","volume":"0.00064",'
        '"product_id":"BTC-USD"}]}]}'
    )
    assert texts(desk.pass_time(60)) == []
    past, _ = texts(desk.say(ask("candles")))
    assert json.loads(past)["events"][0]["type"] == "snapshot"


def test_a_heartbeat_is_written_as_go_writes_a_time() -> None:
    assert heartbeat(START, 41691) == (
        '{"current_time":"2026-11-22 00:00:00.250250000 +0000 UTC m=+41691.250250000",'
        '"heartbeat_counter":41691}'
    )


def test_who_comes_later_gets_the_book_of_then(desk: Desk, texts: Texts) -> None:
    desk.say(ask("level2"))
    desk.order("buy", 6508300, 150_000_000)
    desk.connect(2)
    snapshot, _ = texts(desk.say(ask("level2"), 2))
    assert len(json.loads(snapshot)["events"][0]["updates"]) == 1
    late = desk.pass_time(0.1)
    assert sorted(a.connections for a in late if isinstance(a, Delivery)) == [(1,), (2,)]
    rows = [json.loads(text)["events"][0]["updates"] for text in texts(late)]
    assert rows[0] == rows[1]
