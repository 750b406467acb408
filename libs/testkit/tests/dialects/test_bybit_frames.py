"""Data frames of Bybit, field for field, written down by the documentation and the recordings."""

from __future__ import annotations

import json
from typing import Any

from collector_testkit.dialects import Action, Delivery, load
from collector_testkit.dialects.desk import Desk
from collector_testkit.market import Listing

LISTING = Listing("BTC/USDT", "84250", "0.1", "0.000001", "0.05", "5", orders=0)


def desk(*topics: str) -> Desk:
    made = Desk(load("bybit"), LISTING)
    made.connect()
    listen(made, *topics)
    return made


def listen(exchange: Desk, *topics: str, number: int = 1) -> list[str]:
    return data(exchange.say({"op": "subscribe", "args": list(topics)}, number)) if topics else []


def data(actions: list[Action]) -> list[str]:
    """Return the payloads of frames that are of a channel."""
    found = []
    for action in actions:
        assert isinstance(action, Delivery)
        if action.channel:
            found.append(action.payload.decode())
    return found


def books(texts: list[str]) -> list[Any]:
    return [json.loads(text) for text in texts if '"topic":"orderbook.' in text]


def test_the_fills_of_one_order_are_one_frame() -> None:
    exchange = desk("publicTrade.BTCUSDT")
    for price, amount in ((842_500, 100_000), (842_500, 50_000), (842_510, 700_000)):
        exchange.order("sell", price, amount)
    head, buy = '"T":1795305600250,"p":', '"S":"Buy","seq":112000000005,"s":"BTCUSDT"'
    tail = '"BT":false,"RPI":false}'
    (frame,) = data(exchange.order("buy", 842_510, 250_000))
    assert frame == (
        '{"topic":"publicTrade.BTCUSDT","ts":1795305600250,"type":"snapshot","data":['
        f'{{"i":"2290000000000000002",{head}"84250","v":"0.1",{buy},{tail},'
        f'{{"i":"2290000000000000003",{head}"84250","v":"0.05",{buy},{tail},'
        f'{{"i":"2290000000000000005",{head}"84251","v":"0.1",{buy},{tail}]}}'
    )


def test_ids_count_up_with_holes() -> None:
    exchange = desk("publicTrade.BTCUSDT")
    ids = []
    for _ in range(3):
        exchange.order("buy", 842_500, 10)
        exchange.order("buy", 842_499, 10)
        (frame,) = data(exchange.order("sell", 842_499, 20))
        ids += [int(item["i"][-3:]) for item in json.loads(frame)["data"]]
    assert ids == [2, 4, 6, 8, 10, 12]


def test_a_book_is_a_snapshot_and_then_counted_changes() -> None:
    exchange = desk()
    exchange.order("buy", 842_000, 100_000)
    (whole,) = listen(exchange, "orderbook.1000.BTCUSDT")
    assert whole == (
        '{"topic":"orderbook.1000.BTCUSDT","ts":1795305600250,"type":"snapshot",'
        '"data":{"s":"BTCUSDT","b":[["84200","0.1"]],"a":[],"u":1000000,"seq":112000000001},'
        '"cts":1795305600250}'
    )
    assert data(exchange.order("sell", 842_500, 300_000)) == []
    exchange.order("sell", 842_501, 10_000)
    exchange.order("buy", 842_500, 300_000)
    assert data(exchange.pass_time(0.1)) == []
    (change,) = data(exchange.pass_time(0.2))
    assert change == (
        '{"topic":"orderbook.1000.BTCUSDT","ts":1795305600400,"type":"delta",'
        '"data":{"s":"BTCUSDT","b":[],"a":[["84250.1","0.01"]],"u":1000001,"seq":112000000004},'
        '"cts":1795305600250}'
    )
    assert data(exchange.pass_time(1)) == []
    exchange.order("buy", 842_501, 10_000)
    (gone,) = books(data(exchange.pass_time(0.2)))
    assert (gone["data"]["a"], gone["data"]["u"]) == ([["84250.1", "0"]], 1_000_002)


def test_each_depth_has_its_own_speed_and_numbers() -> None:
    exchange = desk()
    first = listen(exchange, "orderbook.50.BTCUSDT", "orderbook.200.BTCUSDT")
    starts = {frame["topic"]: frame["data"]["u"] for frame in books(first)}
    times: dict[str, list[int]] = {topic: [] for topic in starts}
    for step in range(1000):
        exchange.order("buy", 842_000 - step, 1000)
        for frame in books(data(exchange.pass_time(0.001))):
            times[frame["topic"]].append(frame["ts"])
            starts[frame["topic"]] += 1
            assert frame["data"]["u"] == starts[frame["topic"]]
    assert len(set(starts.values())) == 2
    assert {time % 20 for time in times["orderbook.50.BTCUSDT"]} == {0}
    assert {time % 100 for time in times["orderbook.200.BTCUSDT"]} == {0}


def test_levels_that_leave_the_depth_are_removed() -> None:
    exchange = desk()
    for step in range(60):
        exchange.order("buy", 842_000 - step, 1000)
    (first,) = books(listen(exchange, "orderbook.50.BTCUSDT"))
    assert len(first["data"]["b"]) == 50
    exchange.order("buy", 842_001, 1000)
    (change,) = books(data(exchange.pass_time(0.02)))
    assert change["data"]["b"] == [["84200.1", "0.001"], ["84195.1", "0"]]
    exchange.order("sell", 842_001, 1000)
    (back,) = books(data(exchange.pass_time(0.02)))
    assert back["data"]["b"] == [["84200.1", "0"], ["84195.1", "0.001"]]


def test_who_comes_later_gets_what_the_others_hold() -> None:
    exchange = desk("orderbook.1000.BTCUSDT")
    exchange.order("buy", 842_000, 1000)
    exchange.connect(2)
    (late,) = books(listen(exchange, "orderbook.1000.BTCUSDT", number=2))
    assert (late["data"]["b"], late["data"]["u"]) == ([], 1_000_000)
    actions = exchange.pass_time(0.2)
    assert [action.connections for action in actions if isinstance(action, Delivery)] == [(1, 2)]


def test_who_comes_alone_gets_what_is_there() -> None:
    exchange = desk("orderbook.1000.BTCUSDT")
    exchange.say({"op": "unsubscribe", "args": ["orderbook.1000.BTCUSDT"]})
    exchange.order("buy", 842_000, 1000)
    assert data(exchange.pass_time(1)) == []
    (again,) = books(listen(exchange, "orderbook.1000.BTCUSDT"))
    assert (again["data"]["b"], again["data"]["u"]) == ([["84200", "0.001"]], 1_000_001)


def test_a_book_of_one_level_is_whole_and_comes_again() -> None:
    exchange = desk("orderbook.1.BTCUSDT")
    exchange.order("buy", 842_000, 1000)
    exchange.order("buy", 841_000, 1000)
    (whole,) = books(data(exchange.pass_time(1)))
    assert (whole["type"], whole["data"]["b"]) == ("snapshot", [["84200", "0.001"]])
    repeated = books(data(exchange.pass_time(6)))
    assert [frame["data"]["u"] for frame in repeated] == [whole["data"]["u"]] * 2


def test_a_restart_of_the_service_sends_whole_books_with_the_number_one() -> None:
    exchange = desk("orderbook.1000.BTCUSDT", "orderbook.50.BTCUSDT", "tickers.BTCUSDT")
    exchange.order("buy", 842_000, 1000)
    frames = books(data(exchange.dialect.restart_sequences(exchange.now)))
    assert [(f["type"], f["data"]["u"], f["data"]["b"]) for f in frames] == [
        ("snapshot", 1, [["84200", "0.001"]])
    ] * 2
    exchange.order("buy", 842_000, 1000)
    changed = books(data(exchange.pass_time(0.2)))
    assert {(f["type"], f["data"]["u"]) for f in changed} == {("delta", 2)}


def test_ticker_of_24_hours() -> None:
    exchange = desk("tickers.BTCUSDT")
    assert data(exchange.pass_time(1)) == []
    exchange.order("sell", 840_000, 100_000)
    exchange.order("buy", 840_000, 100_000)
    exchange.order("sell", 844_200, 300_000)
    exchange.order("buy", 844_200, 300_000)
    (ticker,) = data(exchange.pass_time(1))
    assert ticker == (
        '{"topic":"tickers.BTCUSDT","ts":1795305601300,"type":"snapshot","cs":112000000004,'
        '"data":{"symbol":"BTCUSDT","lastPrice":"84420","highPrice24h":"84420",'
        '"lowPrice24h":"84000","prevPrice24h":"84000","volume24h":"0.4",'
        '"turnover24h":"33726","price24hPcnt":"0.005","usdIndexPrice":"84420"}}'
    )
    assert data(exchange.pass_time(5)) == []
    exchange.connect(2)
    assert len(listen(exchange, "tickers.BTCUSDT", number=2)) == 1


def test_candles_are_pushed_as_they_change_and_closed_once() -> None:
    exchange = desk()
    exchange.order("sell", 842_500, 300_000)
    exchange.order("buy", 842_500, 100_000)
    (first,) = listen(exchange, "kline.1.BTCUSDT")
    assert first == (
        '{"type":"snapshot","topic":"kline.1.BTCUSDT","data":[{"start":1795305600000,'
        '"end":1795305659999,"interval":"1","open":"84250","close":"84250","high":"84250",'
        '"low":"84250","volume":"0.1","turnover":"8425","confirm":false,'
        '"timestamp":1795305600250}],"ts":1795305600250}'
    )
    assert data(exchange.pass_time(10)) == []
    exchange.order("buy", 842_500, 50_000)
    (changed,) = data(exchange.pass_time(2))
    assert json.loads(changed)["data"][0]["volume"] == "0.15"
    closed, opened = [json.loads(text)["data"][0] for text in data(exchange.pass_time(50))]
    assert (closed["start"], closed["confirm"], closed["volume"]) == (1795305600000, True, "0.15")
    # nothing traded in the next minute: it stands at the last price
    assert (opened["start"], opened["confirm"], opened["volume"]) == (1795305660000, False, "0")
    assert (opened["open"], opened["turnover"]) == ("84250", "0")
    again, _ = [json.loads(text)["data"][0] for text in data(exchange.pass_time(60))]
    assert (again["start"], again["confirm"]) == (1795305660000, True)


def test_frames_name_their_channel_and_symbol() -> None:
    exchange = desk("publicTrade.BTCUSDT", "orderbook.50.BTCUSDT", "tickers.BTCUSDT")
    listen(exchange, "kline.D.BTCUSDT")
    exchange.order("sell", 842_500, 300_000)
    actions = [*exchange.order("buy", 842_500, 100_000), *exchange.pass_time(1)]
    frames = [action for action in actions if isinstance(action, Delivery)]
    assert [(frame.channel, frame.symbol) for frame in frames] == [
        ("trade", "BTC/USDT"),
        ("book", "BTC/USDT"),
        ("ticker", "BTC/USDT"),
        ("candle", "BTC/USDT"),
    ]
    assert exchange.dialect.trade_ids(frames[0]) == ("2290000000000000002",)
