"""Data frames of Upbit in both formats, field for field, written down by the protocol note."""

from __future__ import annotations

import json
from collections.abc import Callable

from collector_testkit.dialects import Delivery
from collector_testkit.dialects.desk import Desk


def subscribed(desk: Desk, *kinds: str, format_name: str = "DEFAULT", **options: object) -> None:
    desk.connect()
    parts = [
        {"type": kind, "codes": ["KRW-BTC"], "is_only_realtime": True, **options} for kind in kinds
    ]
    desk.say([{"ticket": "t"}, *parts, {"format": format_name}])


def test_trade_in_the_default_format(upbit: Callable[..., Desk]) -> None:
    desk = upbit()
    desk.order("buy", 116530, 1_000_000)
    desk.order("sell", 116544, 77_720)
    desk.order("sell", 116545, 5_000_000)
    subscribed(desk, "trade")
    actions = desk.order("buy", 116545, 100_000)
    first, second = actions
    assert isinstance(first, Delivery)
    assert isinstance(second, Delivery)
    assert (first.binary, first.channel, first.symbol) == (True, "trade", "BTC/KRW")
    assert first.payload.decode() == (
        '{"type":"trade","code":"KRW-BTC","timestamp":1795305600250,'
        '"trade_date":"2026-11-22","trade_time":"00:00:00","trade_timestamp":1795305600250,'
        '"trade_price":116544000.00000000,"trade_volume":0.00077720,"ask_bid":"BID",'
        '"prev_closing_price":116539000.00000000,"change":"RISE","change_price":5000.00000000,'
        '"sequential_id":17953056002500000,"best_ask_price":116545000,"best_ask_size":0.04977720,'
        '"best_bid_price":116530000,"best_bid_size":0.01000000,"stream_type":"REALTIME"}'
    )
    assert json.loads(second.payload)["sequential_id"] == 17953056002500001 > 2**53


def test_trade_in_the_simple_format(
    upbit: Callable[..., Desk], texts: Callable[..., list[str]]
) -> None:
    desk = upbit()
    desk.order("buy", 116530, 1_000_000)
    desk.order("sell", 116544, 200_000)
    subscribed(desk, "trade", format_name="SIMPLE")
    expected = (
        '{"ty":"trade","cd":"KRW-BTC","tms":1795305600250,"td":"2026-11-22","ttm":"00:00:00",'
        '"ttms":1795305600250,"tp":116530000.0,"tv":7.9276E-4,"ab":"ASK","pcp":116539000.0,'
        '"c":"FALL","cp":9000.0,"sid":17953056002500000,"bap":116544000,"bas":0.002,'
        '"bbp":116530000,"bbs":0.00920724,"st":"REALTIME"}'
    )
    assert texts(desk.order("sell", 116530, 79_276)) == [expected]


def test_book_in_both_formats_is_whole_and_filled_up(
    upbit: Callable[..., Desk], texts: Callable[..., list[str]]
) -> None:
    desk = upbit()
    desk.connect(1)
    desk.connect(2)
    wanted = [
        {"ticket": "t"},
        {"type": "orderbook", "codes": ["KRW-BTC"], "is_only_realtime": True},
    ]
    desk.say(wanted, 1)
    desk.say([*wanted, {"format": "SIMPLE"}], 2)
    desk.order("buy", 116538, 8_120_946)
    desk.order("buy", 116537, 50_000)
    desk.order("sell", 116539, 77_720)
    assert desk.pass_time(0.01) == []
    default, simple = texts(desk.pass_time(0.1))
    empty = ',{"ask_price":0.0,"bid_price":0.0,"ask_size":0.00000000,"bid_size":0.00000000}' * 28
    assert default == (
        '{"type":"orderbook","code":"KRW-BTC","timestamp":1795305600250,'
        '"total_ask_size":0.00077720,"total_bid_size":0.08170946,"orderbook_units":['
        '{"ask_price":1.16539E8,"bid_price":1.16538E8,"ask_size":0.00077720,"bid_size":0.08120946},'
        '{"ask_price":0.0,"bid_price":1.16537E8,"ask_size":0.00000000,"bid_size":0.00050000}'
        f'{empty}],"stream_type":"REALTIME","level":0}}'
    )
    empty = ',{"ap":0,"bp":0,"as":0.0,"bs":0.0}' * 28
    assert simple == (
        '{"ty":"orderbook","cd":"KRW-BTC","tms":1795305600250,"tas":7.772E-4,"tbs":0.08170946,'
        '"obu":[{"ap":116539000,"bp":116538000,"as":7.772E-4,"bs":0.08120946},'
        f'{{"ap":0,"bp":116537000,"as":0.0,"bs":5.0E-4}}{empty}],"st":"REALTIME","lv":0}}'
    )
    assert desk.pass_time(1) == []


def test_depth_suffixes_and_changes_out_of_sight(
    upbit: Callable[..., Desk], texts: Callable[..., list[str]]
) -> None:
    desk = upbit()
    desk.connect()
    codes = ["KRW-BTC.1", "KRW-BTC.5", "KRW-BTC.20"]
    part = {"type": "orderbook", "codes": codes, "is_only_realtime": True}
    desk.say([{"ticket": "t"}, part])
    desk.order("buy", 116538, 100)
    frames = [json.loads(text) for text in texts(desk.pass_time(0.1))]
    assert [len(frame["orderbook_units"]) for frame in frames] == [1, 5, 30]
    assert {frame["code"] for frame in frames} == {"KRW-BTC"}
    # behind the best level: the frame of one level does not change
    desk.order("buy", 116500, 100)
    frames = [json.loads(text) for text in texts(desk.pass_time(0.1))]
    assert [len(frame["orderbook_units"]) for frame in frames] == [5, 30]


def test_ticker_in_both_formats(
    upbit: Callable[..., Desk], texts: Callable[..., list[str]]
) -> None:
    desk = upbit()
    desk.connect(1)
    desk.connect(2)
    wanted = [{"ticket": "t"}, {"type": "ticker", "codes": ["KRW-BTC"], "isOnlyRealtime": True}]
    desk.say(wanted, 1)
    desk.say([*wanted, {"format": "SIMPLE"}], 2)
    desk.order("buy", 116422, 60_000)
    default, simple = texts(desk.order("sell", 116422, 50_000))
    assert default == (
        '{"type":"ticker","code":"KRW-BTC","opening_price":116422000,"high_price":116422000,'
        '"low_price":116422000,"trade_price":116422000,"prev_closing_price":116539000.00000000,'
        '"acc_trade_price":58211.00000000,"change":"FALL","change_price":117000.00000000,'
        '"signed_change_price":-117000.00000000,"change_rate":0.0010039558,'
        '"signed_change_rate":-0.0010039558,"ask_bid":"ASK","trade_volume":0.00050000,'
        '"acc_trade_volume":0.00050000,"trade_date":"20261122","trade_time":"000000",'
        '"trade_timestamp":1795305600250,"acc_ask_volume":0.00050000,"acc_bid_volume":0.00000000,'
        '"highest_52_week_price":116422000,"highest_52_week_date":"2026-11-22",'
        '"lowest_52_week_price":116422000,"lowest_52_week_date":"2026-11-22",'
        '"market_state":"ACTIVE","is_trading_suspended":false,"delisting_date":null,'
        '"market_warning":"NONE","timestamp":1795305600250,'
        '"acc_trade_price_24h":58211.00000000,"acc_trade_volume_24h":0.00050000,'
        '"stream_type":"REALTIME"}'
    )
    short = json.loads(simple)
    assert list(short) == [
        *("ty", "cd", "op", "hp", "lp", "tp", "pcp", "atp", "c", "cp", "scp", "cr", "scr", "ab"),
        *("tv", "atv", "tdt", "ttm", "ttms", "aav", "abv", "h52wp", "h52wdt", "l52wp", "l52wdt"),
        *("ms", "its", "dd", "mw", "tms", "atp24h", "atv24h", "st"),
    ]
    assert '"tp":116422000.0,"pcp":116539000.0,"atp":58211.0,' in simple
    assert '"tv":5.0E-4,"atv":5.0E-4,' in simple


def test_candles_are_sent_when_a_trade_changed_them(
    upbit: Callable[..., Desk], texts: Callable[..., list[str]]
) -> None:
    desk = upbit()
    subscribed(desk, "candle.1s", "candle.60m")
    desk.order("buy", 116422, 60_000)
    assert desk.order("sell", 116422, 50_000) == []
    second, hour = texts(desk.pass_time(1))
    price = "116422000.00000000"
    figures = (
        f'"opening_price":{price},"high_price":{price},"low_price":{price},"trade_price":{price},'
        '"candle_acc_trade_volume":0.00050000,"candle_acc_trade_price":58211.0000000000000000,'
        '"timestamp":1795305600250,"stream_type":"REALTIME"}'
    )
    times = (
        '"candle_date_time_utc":"2026-11-22T00:00:00","candle_date_time_kst":"2026-11-22T09:00:00"'
    )
    assert second == f'{{"type":"candle.1s","code":"KRW-BTC",{times},{figures}'
    assert hour == f'{{"type":"candle.60m","code":"KRW-BTC",{times},{figures}'
    assert desk.pass_time(5) == []
    desk.order("sell", 116422, 10)
    frames = [json.loads(text) for text in texts(desk.pass_time(1))]
    assert [frame["candle_date_time_utc"] for frame in frames] == [
        "2026-11-22T00:00:06",
        "2026-11-22T00:00:00",
    ]
    assert frames[1]["candle_acc_trade_volume"] == 0.0005001


def test_simple_candles(upbit: Callable[..., Desk], texts: Callable[..., list[str]]) -> None:
    desk = upbit()
    subscribed(desk, "candle.1m", format_name="SIMPLE_LIST")
    desk.order("buy", 116422, 60_000)
    desk.order("sell", 116422, 50_000)
    expected = (
        '[{"ty":"candle.1m","cd":"KRW-BTC","cdttmu":"2026-11-22T00:00:00",'
        '"cdttmk":"2026-11-22T09:00:00","op":116422000.0,"hp":116422000.0,"lp":116422000.0,'
        '"tp":116422000.0,"catv":5.0E-4,"catp":58211,"tms":1795305600250,"st":"REALTIME"}]'
    )
    assert texts(desk.pass_time(1)) == [expected]
