"""Data frames of Coinone in both formats, field for field, written down by the protocol note."""

from __future__ import annotations

import json

from collector_testkit.dialects import Delivery, load
from collector_testkit.dialects.desk import Desk
from collector_testkit.market import Listing

BTC = {"quote_currency": "KRW", "target_currency": "BTC"}
PAIR = '"quote_currency":"KRW","target_currency":"BTC"'


def desk(*channels: str, short: bool = False, **topic: str) -> Desk:
    listing = Listing("BTC/KRW", "116450000", "10000", "0.00000001", "0.01", "5000", orders=0)
    made = Desk(load("coinone"), listing)
    made.order("buy", 11645, 1_180_000)
    made.order("buy", 11644, 4_695_328)
    made.order("sell", 11646, 2_320_000)
    made.order("sell", 11664, 65_700)
    made.connect()
    for channel in channels:
        message = {"request_type": "SUBSCRIBE", "channel": channel, "topic": {**BTC, **topic}}
        made.say({**message, "format": "SHORT"} if short else message)
    made.pass_time(0.2)
    return made


def sent(desk: Desk, side: str, price: int, amount: int) -> list[str]:
    actions = [*desk.order("buy" if side == "buy" else "sell", price, amount), *desk.pass_time(0.1)]
    payloads = []
    for action in actions:
        assert isinstance(action, Delivery)
        assert (action.binary, action.symbol) == (False, "BTC/KRW")
        payloads.append(action.payload.decode())
    return payloads


def test_trades_have_ids_of_their_millisecond_and_say_who_waited() -> None:
    exchange = desk("TRADE")
    exchange.order("sell", 11647, 1_000)
    first, second = sent(exchange, "buy", 11647, 2_320_500)
    assert first == (
        f'{{"response_type":"DATA","channel":"TRADE","data":{{{PAIR},"id":"1795305600450001",'
        '"timestamp":1795305600450,"price":"116460000","qty":"0.0232","is_seller_maker":true}}'
    )
    assert json.loads(second)["data"]["id"] == "1795305600450002"
    [sold] = sent(exchange, "sell", 11645, 500)
    assert json.loads(sold)["data"]["is_seller_maker"] is False


def test_a_short_trade() -> None:
    [frame] = sent(desk("TRADE", short=True), "sell", 11645, 483_595)
    assert frame == (
        '{"r":"DATA","c":"TRADE","d":{"qc":"KRW","tc":"BTC","i":"1795305600450001",'
        '"t":1795305600450,"p":"116450000","q":"0.00483595","sm":false}}'
    )


def test_a_book_is_whole_and_its_worst_ask_comes_first() -> None:
    [frame] = sent(desk("ORDERBOOK"), "buy", 11643, 100)
    assert frame == (
        f'{{"response_type":"DATA","channel":"ORDERBOOK","data":{{{PAIR},'
        '"timestamp":1795305600450,"id":"1795305600450001",'
        '"asks":[{"price":"116640000","qty":"0.000657"},{"price":"116460000","qty":"0.0232"}],'
        '"bids":[{"price":"116450000","qty":"0.0118"},{"price":"116440000","qty":"0.04695328"},'
        '{"price":"116430000","qty":"0.000001"}]}}'
    )


def test_a_short_book() -> None:
    [frame] = sent(desk("ORDERBOOK", short=True), "buy", 11643, 100)
    data = json.loads(frame)["d"]
    assert list(data) == ["qc", "tc", "t", "i", "a", "b"]
    assert data["a"][-1] == {"p": "116460000", "q": "0.0232"}


def test_the_first_book_has_a_timestamp_of_ten_seconds_ago_and_the_right_id() -> None:
    exchange = desk()
    message = {"request_type": "SUBSCRIBE", "channel": "ORDERBOOK", "topic": BTC}
    _, book = exchange.say(message)
    assert isinstance(book, Delivery)
    data = json.loads(book.payload)["data"]
    # four changes in the millisecond of the opening
    assert data["id"] == "1795305600250004"
    assert data["timestamp"] == exchange.now // 1000 - 10_117


def test_only_16_levels_are_shown_and_changes_below_them_repeat_the_book() -> None:
    exchange = desk()
    for price in range(11620, 11644):
        exchange.order("buy", price, 100)
    exchange.say({"request_type": "SUBSCRIBE", "channel": "ORDERBOOK", "topic": BTC})
    exchange.pass_time(0.2)
    [before] = sent(exchange, "buy", 11619, 100)
    [after] = sent(exchange, "buy", 11618, 100)
    old, new = json.loads(before)["data"], json.loads(after)["data"]
    assert len(old["bids"]) == 16
    assert (old["bids"], old["asks"]) == (new["bids"], new["asks"])
    assert int(new["id"]) > int(old["id"])


def test_nothing_is_sent_while_a_book_stands_still() -> None:
    assert desk("ORDERBOOK").pass_time(30) == []


def test_the_ticker_of_a_first_day() -> None:
    [frame] = sent(desk("TICKER"), "sell", 11645, 500_000)
    assert frame == (
        f'{{"response_type":"DATA","channel":"TICKER","data":{{{PAIR},"timestamp":1795305600450,'
        '"quote_volume":"582250","target_volume":"0.005","high":"116450000","low":"116450000",'
        '"first":"116450000","last":"116450000","volume_power":"0","ask_best_price":"116460000",'
        '"ask_best_qty":"0.0232","bid_best_price":"116450000","bid_best_qty":"0.0068",'
        '"id":"1795305600450001","yesterday_high":"116450000","yesterday_low":"116450000",'
        '"yesterday_first":"116450000","yesterday_last":"116450000","yesterday_quote_volume":"0",'
        '"yesterday_target_volume":"0"}}'
    )


def test_an_empty_side_has_no_best_price() -> None:
    exchange = desk("TICKER", short=True)
    frame = sent(exchange, "sell", 11640, 1_180_000 + 4_695_328)[-1]
    data = json.loads(frame)["d"]
    assert (data["bbp"], data["bbq"], data["abp"]) == (None, None, "116460000")


def test_the_day_before_stands_in_the_ticker() -> None:
    exchange = desk("TICKER")
    sent(exchange, "sell", 11645, 500_000)
    exchange.say({"request_type": "PING"})
    exchange.until(exchange.now // 86_400_000_000 * 86_400_000_000 + 86_400_000_000)
    [frame] = sent(exchange, "buy", 11646, 100_000)
    data = json.loads(frame)["data"]
    names = ("first", "yesterday_first", "yesterday_last", "yesterday_target_volume")
    expected = ["116460000", "116450000", "116450000", "0.005"]
    assert [data[name] for name in names] == expected


def test_a_chart_is_the_candle_so_far() -> None:
    exchange = desk("CHART", interval="1m")
    sent(exchange, "sell", 11645, 500_000)
    [frame] = sent(exchange, "buy", 11646, 100_000)
    assert frame == (
        f'{{"response_type":"DATA","channel":"CHART","data":{{{PAIR},"interval":"1m",'
        '"timestamp":1795305600550,"id":"1795305600550001","candle_timestamp":1795305600000,'
        '"high":"116460000","low":"116450000","first":"116450000","last":"116460000",'
        '"quote_volume":"698710","target_volume":"0.006"}}'
    )
