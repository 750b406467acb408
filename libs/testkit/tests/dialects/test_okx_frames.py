"""Data frames of OKX, field for field, written down by the documentation."""

from __future__ import annotations

import json
from typing import Any

from collector_testkit.dialects import Action, Delivery, load
from collector_testkit.dialects.desk import Desk
from collector_testkit.market import Listing

PUBLIC, BUSINESS = "/ws/v5/public", "/ws/v5/business"


def desk(*channels: str, path: str = PUBLIC) -> Desk:
    listing = Listing("BTC/USDT", "84250", "0.1", "0.00000001", "0.05", "0.8", orders=0)
    made = Desk(load("okx"), listing)
    made.connect(path=path)
    listen(made, *channels)
    return made


def listen(exchange: Desk, *channels: str, number: int = 1, op: str = "subscribe") -> list[str]:
    args = [{"channel": channel, "instId": "BTC-USDT"} for channel in channels]
    return data(exchange.say({"op": op, "args": args}, number)) if args else []


def data(actions: list[Action]) -> list[str]:
    """Return the payloads of frames that are of a channel."""
    found = []
    for action in actions:
        assert isinstance(action, Delivery)
        if action.channel:
            found.append(action.payload.decode())
    return found


def items(texts: list[str], channel: str) -> list[Any]:
    frames = [json.loads(text) for text in texts]
    return [f["data"][0] for f in frames if f["arg"] == {"channel": channel, "instId": "BTC-USDT"}]


def test_each_trade_is_a_frame() -> None:
    exchange = desk("trades-all", path=BUSINESS)
    exchange.order("sell", 842_500, 10_000_000)
    exchange.order("sell", 842_501, 5_000_000)
    head = '{"arg":{"channel":"trades-all","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT",'
    tail = '"side":"buy","source":"0","ts":"1795305600250"}]}'
    assert data(exchange.order("buy", 842_501, 12_000_000)) == [
        f'{head}"tradeId":"1","px":"84250","sz":"0.1",{tail}',
        f'{head}"tradeId":"2","px":"84250.1","sz":"0.02",{tail}',
    ]


def test_a_subscription_opens_with_a_snapshot_and_goes_on_with_linked_changes() -> None:
    exchange = desk()
    exchange.order("buy", 842_000, 100_000_000)
    exchange.order("sell", 842_500, 30_000_000)
    exchange.order("sell", 842_500, 20_000_000)
    (snapshot,) = listen(exchange, "books")
    head = '{"arg":{"channel":"books","instId":"BTC-USDT"},"action":'
    assert snapshot == (
        f'{head}"snapshot","data":[{{"asks":[["84250","0.5","0","2"]],'
        '"bids":[["84200","1","0","1"]],"ts":"1795305600250","checksum":0,"seqId":3000003,'
        '"prevSeqId":-1}]}'
    )
    # asked for again it is taken, and nothing is sent anew
    assert listen(exchange, "books") == []
    exchange.order("buy", 842_001, 1)
    exchange.order("buy", 842_500, 50_000_000)
    (update,) = data(exchange.pass_time(0.1))
    assert update == (
        f'{head}"update","data":[{{"asks":[["84250","0","0","0"]],'
        '"bids":[["84200.1","0.00000001","0","1"]],"ts":"1795305600300","checksum":0,'
        '"seqId":3000005,"prevSeqId":3000003}]}'
    )
    assert data(exchange.pass_time(1)) == []


def test_a_level_that_came_and_went_within_a_cycle_is_not_told() -> None:
    exchange = desk("books")
    exchange.order("buy", 842_000, 5)
    exchange.order("sell", 842_000, 5)
    (item,) = items(data(exchange.pass_time(0.1)), "books")
    assert (item["bids"], item["asks"]) == ([], [])
    assert item["seqId"] == item["prevSeqId"] + 2


def test_a_quiet_book_shows_a_sign_of_life_after_a_minute() -> None:
    exchange = desk("books")
    exchange.order("buy", 842_000, 5)
    (change,) = items(data(exchange.pass_time(0.1)), "books")
    for _ in range(3):
        exchange.say("ping")
        assert data(exchange.pass_time(19.5)) == []
    exchange.say("ping")
    (alive,) = items(data(exchange.pass_time(5)), "books")
    assert (alive["bids"], alive["asks"]) == ([], [])
    assert alive["seqId"] == alive["prevSeqId"] == change["seqId"]


def test_numbers_that_begin_anew_still_name_the_old_one() -> None:
    exchange = desk("books")
    exchange.order("buy", 842_000, 5)
    (before,) = items(data(exchange.pass_time(0.1)), "books")
    (reset,) = items(data(exchange.dialect.restart_sequences(exchange.now)), "books")
    assert reset["prevSeqId"] == before["seqId"]
    assert reset["seqId"] == 3
    exchange.order("buy", 842_000, 5)
    (after,) = items(data(exchange.pass_time(0.1)), "books")
    assert (after["prevSeqId"], after["seqId"]) == (3, 4)


def test_only_the_400_best_levels_are_told_and_what_falls_out_is_removed() -> None:
    exchange = desk()
    for price in range(842_000, 842_000 - 410, -1):
        exchange.order("buy", price, 1_000)
    (item,) = items(listen(exchange, "books"), "books")
    assert len(item["bids"]) == 400
    assert item["bids"][-1][0] == "84160.1"
    exchange.order("buy", 842_001, 1_000)
    (better,) = items(data(exchange.pass_time(0.1)), "books")
    assert better["bids"] == [["84200.1", "0.00001", "0", "1"], ["84160.1", "0", "0", "0"]]
    # the best goes: the one that is now the 400th comes in again
    exchange.order("sell", 842_001, 1_000)
    (worse,) = items(data(exchange.pass_time(0.1)), "books")
    assert worse["bids"] == [["84200.1", "0", "0", "0"], ["84160.1", "0.00001", "0", "1"]]
    # deeper than the 400th: nothing to tell
    exchange.order("buy", 841_000, 1_000)
    (deep,) = items(data(exchange.pass_time(0.1)), "books")
    assert (deep["bids"], deep["asks"]) == ([], [])


def test_a_second_listener_is_given_what_the_first_one_has() -> None:
    exchange = desk("books")
    exchange.order("buy", 842_000, 5)
    exchange.pass_time(0.1)
    exchange.order("buy", 842_001, 5)
    exchange.connect(2, path=PUBLIC)
    (late,) = items(listen(exchange, "books", number=2), "books")
    assert [row[:2] for row in late["bids"]] == [["84200", "0.00000005"]]
    actions = exchange.pass_time(0.1)
    (update,) = items(data(actions), "books")
    assert update["prevSeqId"] == late["seqId"]
    (delivery,) = actions
    assert isinstance(delivery, Delivery)
    assert delivery.connections == (1, 2)


def test_taken_back_and_asked_for_again_a_book_is_new() -> None:
    exchange = desk("books")
    exchange.order("buy", 842_000, 5)
    exchange.pass_time(0.1)
    listen(exchange, "books", op="unsubscribe")
    exchange.order("buy", 842_001, 5)
    assert data(exchange.pass_time(0.1)) == []
    (again,) = items(listen(exchange, "books"), "books")
    assert [row[0] for row in again["bids"]] == ["84200.1", "84200"]
    assert again["prevSeqId"] == -1


def test_a_ticker_tells_the_day_and_the_touch() -> None:
    exchange = desk()
    (empty,) = items(listen(exchange, "tickers"), "tickers")
    assert (empty["last"], empty["askPx"], empty["open24h"], empty["vol24h"]) == ("", "", "", "0")
    exchange.order("sell", 842_000, 100_000_000)
    exchange.order("buy", 842_000, 50_000_000)
    exchange.order("buy", 841_990, 7_000_000)
    (frame,) = data(exchange.pass_time(0.1))
    assert frame == (
        '{"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[{"instType":"SPOT",'
        '"instId":"BTC-USDT","last":"84200","lastSz":"0.5","askPx":"84200","askSz":"0.5",'
        '"bidPx":"84199","bidSz":"0.07","open24h":"84200","high24h":"84200","low24h":"84200",'
        '"volCcy24h":"42100","vol24h":"0.5","sodUtc0":"84200","sodUtc8":"84200",'
        '"ts":"1795305600300"}]}'
    )
    # a change below the touch is none
    exchange.order("buy", 841_000, 1)
    assert data(exchange.pass_time(0.1)) == []


def test_candles_come_each_second_that_changed_them_and_close_once() -> None:
    exchange = desk(path=BUSINESS)
    (flat,) = items(listen(exchange, "candle1m"), "candle1m")
    assert flat == [
        *("1795305600000", "84250", "84250", "84250", "84250", "0", "0", "0", "0"),
    ]
    exchange.order("sell", 842_000, 100_000_000)
    exchange.order("buy", 842_000, 50_000_000)
    (traded,) = data(exchange.pass_time(1))
    assert traded == (
        '{"arg":{"channel":"candle1m","instId":"BTC-USDT"},"data":[["1795305600000","84200",'
        '"84200","84200","84200","0.5","42100","42100","0"]]}'
    )
    exchange.say("ping")
    assert data(exchange.pass_time(25)) == []
    exchange.say("ping")
    assert data(exchange.pass_time(25)) == []
    exchange.say("ping")
    closed, following = items(data(exchange.pass_time(10)), "candle1m")
    assert (closed[0], closed[5], closed[8]) == ("1795305600000", "0.5", "1")
    assert following == [
        *("1795305660000", "84200", "84200", "84200", "84200", "0", "0", "0", "0"),
    ]


def test_long_candles_open_at_midnight_utc() -> None:
    exchange = desk("candle1Dutc", "candle1Mutc", path=BUSINESS)
    exchange.order("sell", 842_000, 100_000_000)
    exchange.order("buy", 842_000, 50_000_000)
    texts = data(exchange.pass_time(1))
    assert items(texts, "candle1Dutc")[0][0] == "1795305600000"
    assert items(texts, "candle1Mutc")[0][0] == "1793491200000"


def test_a_symbol_that_comes_back_opens_its_books_anew() -> None:
    exchange = desk("books")
    exchange.order("buy", 842_000, 5)
    exchange.pass_time(0.1)
    assert exchange.dialect.delisted("BTC/USDT") == []
    assert data(exchange.pass_time(1)) == []
    (anew,) = items(data(exchange.dialect.listed("BTC/USDT")), "books")
    assert anew["prevSeqId"] == -1
    exchange.order("buy", 842_000, 5)
    (update,) = items(data(exchange.pass_time(0.1)), "books")
    assert update["prevSeqId"] == anew["seqId"]
