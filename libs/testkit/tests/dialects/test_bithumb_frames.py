"""Data frames of Bithumb in both formats, field for field, written down by the protocol note."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from collector_testkit.dialects import Action, Delivery, load
from collector_testkit.dialects.bithumb.frames import plain
from collector_testkit.dialects.desk import Desk
from collector_testkit.market import Listing

Texts = Callable[[list[Action]], list[str]]


@pytest.fixture
def desk() -> Desk:
    listing = Listing("BTC/KRW", "116539000", "1000", "0.00000001", "0.02", "5000", orders=0)
    return Desk(load("bithumb"), listing)


def subscribed(desk: Desk, *kinds: str, number: int = 1, form: str = "DEFAULT") -> None:
    desk.connect(number)
    parts = [{"type": kind, "codes": ["KRW-BTC"], "isOnlyRealtime": True} for kind in kinds]
    desk.say([{"ticket": "t"}, *parts, {"format": form}], number)


@pytest.mark.parametrize(
    ("units", "text"),
    [
        (11_620_800_000_000_000, "116208000"),
        (90_000, "0.0009"),
        (1_680, "0.0000168"),
        (100, "0.000001"),
        (27, "2.7E-7"),
        (-27, "-2.7E-7"),
        (5, "5E-8"),
        (0, "0"),
    ],
)
def test_numbers_are_plain_down_to_a_millionth(units: int, text: str) -> None:
    assert text == plain(units)


def test_a_trade_s_texts_are_korea_s_and_its_numbers_are_not(desk: Desk) -> None:
    desk.order("buy", 116530, 1_000_000)
    desk.order("sell", 116544, 77_720)
    desk.order("sell", 116545, 5_000_000)
    subscribed(desk, "trade")
    first, second = desk.order("buy", 116545, 100_000)
    assert isinstance(first, Delivery)
    assert isinstance(second, Delivery)
    assert (first.binary, first.channel, first.symbol) == (True, "trade", "BTC/KRW")
    ids = [json.loads(frame.payload)["sequential_id"] for frame in (first, second)]
    assert first.payload.decode() == (
        '{"type":"trade","code":"KRW-BTC","trade_price":116544000,"trade_volume":0.0007772,'
        '"ask_bid":"BID","prev_closing_price":116539000,"change":"RISE","change_price":5000,'
        '"trade_date":"2026-11-22","trade_time":"09:00:00","trade_timestamp":1795305600250,'
        f'"sequential_id":{ids[0]},"timestamp":1795305600250,"stream_type":"REALTIME"}}'
    )
    assert ids[0] != ids[1]
    assert all(10**17 < ident < 2**63 for ident in ids)


def test_the_short_form_of_a_trade(desk: Desk, texts: Texts) -> None:
    desk.order("buy", 116530, 1_000_000)
    subscribed(desk, "trade", form="SIMPLE")
    [text] = texts(desk.order("sell", 116530, 79_276))
    frame = json.loads(text)
    assert list(frame) == [
        *("ty", "cd", "tp", "tv", "ab", "pcp", "c", "cp", "tdt", "ttm", "ttms", "sid", "tms", "st"),
    ]
    assert (frame["tp"], frame["ab"], frame["ttms"]) == (116530000, "ASK", 1795305600250)


def test_a_book_has_four_decimals_microseconds_and_zeros(desk: Desk, texts: Texts) -> None:
    subscribed(desk, "orderbook")
    desk.order("buy", 116538, 8_120_946)
    desk.order("buy", 116537, 9_999)
    desk.order("sell", 116539, 77_720)
    assert desk.pass_time(0.01) == []
    [text] = texts(desk.pass_time(0.1))
    assert text == (
        '{"type":"orderbook","code":"KRW-BTC","total_ask_size":0.0007,"total_bid_size":0.0812,'
        '"orderbook_units":['
        '{"ask_price":116539000,"bid_price":116538000,"ask_size":0.0007,"bid_size":0.0812},'
        '{"ask_price":0,"bid_price":116537000,"ask_size":0.0000,"bid_size":0.0000}],'
        '"level":1,"timestamp":1795305600250250,"stream_type":"REALTIME"}'
    )
    assert desk.pass_time(1) == []


def test_a_change_that_is_not_shown_repeats_the_book_with_a_new_time(
    desk: Desk, texts: Texts
) -> None:
    subscribed(desk, "orderbook")
    for nth in range(20):
        desk.order("buy", 116500 - nth, 1_000_000)
    [before] = texts(desk.pass_time(0.1))
    desk.order("buy", 116300, 1_000_000)
    [after] = texts(desk.pass_time(0.1))
    first, second = json.loads(before), json.loads(after)
    assert len(first["orderbook_units"]) == 15
    assert first.pop("timestamp") < second.pop("timestamp")
    assert first == second


def test_depths_in_codes_and_the_short_form(desk: Desk, texts: Texts) -> None:
    desk.connect()
    for nth in range(20):
        desk.order("sell", 116600 + nth, 1_000_000)
    part = {"type": "orderbook", "codes": ["KRW-BTC.1", "KRW-BTC.30", "KRW-BTC.x"]}
    [one, most, none] = texts(desk.say([{"ticket": "t"}, part, {"format": "SIMPLE"}]))
    assert [len(json.loads(text)["obu"]) for text in (one, most, none)] == [1, 15, 15]
    assert one == (
        '{"ty":"orderbook","cd":"KRW-BTC","tas":0.0100,"tbs":0.0000,'
        '"obu":[{"ap":116600000,"bp":0,"as":0.0100,"bs":0.0000}],"lv":1,'
        '"tms":1795305600250250,"st":"SNAPSHOT"}'
    )


def test_a_ticker_s_day_begins_at_midnight_in_korea(desk: Desk, texts: Texts) -> None:
    desk.order("buy", 116422, 1_000_000)
    desk.order("sell", 116422, 50_000)
    subscribed(desk, "ticker")
    # 00:00 UTC is 09:00 in Korea, so its midnight is 15 hours on
    desk.pass_time(15 * 3600 - 1)
    subscribed(desk, "ticker", number=2)
    [frame] = texts(desk.order("sell", 116422, 25_000)[:1])
    assert json.loads(frame)["acc_trade_volume"] == 0.00075
    desk.order("buy", 116423, 1_000_000)
    desk.pass_time(2)
    subscribed(desk, "ticker", number=3)
    [frame] = texts(desk.order("sell", 116423, 10_000)[:1])
    assert frame == (
        '{"type":"ticker","code":"KRW-BTC","opening_price":116423000,"high_price":116423000,'
        '"low_price":116423000,"trade_price":116423000,"prev_closing_price":116422000,'
        '"change":"RISE","change_price":1000,"signed_change_price":1000,"change_rate":0.00000858,'
        '"signed_change_rate":0.00000858,"trade_volume":0.0001,"acc_trade_volume":0.0001,'
        '"acc_trade_volume_24h":0.00085,"acc_trade_price":11642.3,"acc_trade_price_24h":98958.8,'
        '"trade_date":"20261123","trade_time":"000001","trade_timestamp":1795359601250,'
        '"ask_bid":"ASK","acc_ask_volume":0.0001,"acc_bid_volume":0,'
        '"highest_52_week_price":116423000,"highest_52_week_date":"2026-11-22",'
        '"lowest_52_week_price":116422000,"lowest_52_week_date":"2026-11-22",'
        '"market_state":"ACTIVE","is_trading_suspended":false,"delisting_date":"",'
        '"market_warning":"NONE","timestamp":1795359601250,"stream_type":"REALTIME"}'
    )
