"""A session from connect to stop, against a scripted exchange."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from collector_core.events import Book, Candle, Clock, Status, Trade
from collector_exchanges.binance import ADAPTER
from collector_feed.options import SessionOptions
from collector_feed.outputs import (
    Connect,
    Disconnect,
    Fetch,
    Ping,
    Send,
    Subscription,
    Undecodable,
)
from collector_feed.recent_trades import TradeSeed
from collector_feed.session import Phase

from .scripted import BTC, ETH, XRP, Exchange, acknowledge, book, books, never, table, trades

SECOND = 1_000_000


def live(*subscriptions: Subscription, options: SessionOptions | None = None) -> Exchange:
    exchange = Exchange(options=options)
    exchange.start(*(subscriptions or trades(BTC, ETH)))
    exchange.run(0.5)
    return exchange


# --- connect and subscribe -------------------------------------------------------------------


def test_a_session_connects_subscribes_and_is_acknowledged() -> None:
    exchange = Exchange()
    assert exchange.session.next_deadline() is None
    exchange.start(*trades(BTC), *books(BTC))
    assert exchange.of(Connect) == [Connect("wss://exchange/ws")]
    exchange.run(0.5)
    assert exchange.session.phase is Phase.LIVE
    assert exchange.messages() == [["btcusdt@trade", "btcusdt@depth@100ms"]]
    assert exchange.rows(BTC) == ["subscribed"]
    assert exchange.rows(BTC, "book") == ["subscribed", "resyncing", "synced", "snapshot 100"]


def test_subscriptions_go_in_messages_of_the_exchanges_size_and_pace() -> None:
    symbols = [f"A{number}/USDT" for number in range(1000)]
    exchange = Exchange(ADAPTER(table(symbols)))
    exchange.start(*trades(*symbols))
    exchange.run(5.0)
    sizes = [len(message) for message in exchange.messages()]
    assert sizes == [200] * 5
    assert len({name for message in exchange.messages() for name in message}) == 1000
    # pings among them
    times = exchange.times_of(Send, Ping)
    for first, fifth in zip(times, times[4:], strict=False):
        assert fifth - first >= 1.0
    assert exchange.states().count("subscribed") == 1000


def test_a_subscription_that_cannot_be_had_is_rejected_alone() -> None:
    exchange = Exchange()
    exchange.start(
        *trades(BTC, "NONE/USDT"), Subscription("candle", BTC, "7m"), Subscription("depth", BTC)
    )
    exchange.run(1.0)
    assert exchange.messages() == [["btcusdt@trade"]]
    rejected = [(row.channel, row.symbol) for row in exchange.of(Status) if row.state == "rejected"]
    assert rejected == [("trade", "NONE/USDT"), ("candle", BTC), ("depth", BTC)]


def test_a_refusal_hits_its_own_message_and_no_neighbour() -> None:
    exchange = live(*trades(BTC))
    exchange.acknowledges = lambda message: json.dumps(
        {"error": {"code": 2, "msg": "Invalid request"}, "id": message["id"]}
    )
    exchange.carry(exchange.session.subscribe(trades(ETH), exchange.time.monotonic))
    exchange.run(1.0)
    (row,) = [row for row in exchange.of(Status) if row.state == "rejected"]
    assert (row.symbol, row.reason) == (ETH, "2 Invalid request")
    assert exchange.states(BTC) == ["subscribed"]
    assert exchange.trade(BTC, 1)
    # a reconnect does not ask for it again
    exchange.forget()
    exchange.acknowledges = acknowledge
    exchange.closed()
    exchange.run(5.0)
    assert exchange.messages() == [["btcusdt@trade"]]


def test_a_refusal_that_names_no_message_is_the_reason_of_the_one_that_stays_silent() -> None:
    exchange = Exchange()
    exchange.acknowledges = never
    exchange.start(*trades(BTC))
    exchange.run(0.5)
    exchange.frame('{"code":2,"msg":"Invalid JSON"}')
    (row,) = [row for row in exchange.of(Status) if row.state == "rejected"]
    assert (row.symbol, row.reason) == (BTC, "2 Invalid JSON")


def test_what_is_never_acknowledged_is_asked_three_times_and_then_rejected() -> None:
    exchange = Exchange()
    exchange.acknowledges = never
    exchange.start(*trades(BTC))
    exchange.run(60.0)
    times = exchange.times_of(Send)
    assert exchange.messages() == [["btcusdt@trade"]] * 3
    assert [round(later - first) for first, later in pairwise(times)] == [
        10,
        10,
    ]
    assert exchange.states() == ["rejected"]
    assert exchange.of(Status)[0].reason == "the exchange never acknowledged it"
    assert exchange.of(Disconnect) == []


def test_an_acknowledgement_that_comes_late_is_one() -> None:
    exchange = Exchange()
    exchange.acknowledges = never
    exchange.start(*trades(BTC))
    exchange.run(12.0)
    assert len(exchange.messages()) == 2
    exchange.frame('{"result":null,"id":1}')
    exchange.run(60.0)
    assert exchange.states() == ["subscribed"]
    assert len(exchange.messages()) == 2


def test_symbols_are_added_while_live() -> None:
    exchange = live(*trades(BTC))
    exchange.carry(exchange.session.subscribe(trades(BTC, ETH), exchange.time.monotonic))
    exchange.run(1.0)
    assert exchange.messages() == [["btcusdt@trade"], ["ethusdt@trade"]]
    assert exchange.rows(ETH) == ["subscribed"]


# --- rows ------------------------------------------------------------------------------------


def test_trades_pass_and_their_losses_are_said() -> None:
    exchange = live()
    for ident in (1, 2, 5, 2):
        exchange.trade(BTC, ident)
    exchange.trade(ETH, 900)
    assert exchange.rows(BTC) == ["subscribed", "1", "2", "gap", "5"]
    assert exchange.rows(ETH) == ["subscribed", "900"]
    assert exchange.of(Trade)[0].receive_time == exchange.time.wall


def test_a_frame_that_cannot_be_read_disturbs_nothing() -> None:
    exchange = live()
    for text in ('{"e":"trade"', "[1]", "pong", '{"e":"somethingNew"}'):
        exchange.frame(text)
    exchange.trade(BTC, 1)
    assert len(exchange.of(Undecodable)) == 4
    assert exchange.rows(BTC) == ["subscribed", "1"]


def test_quiet_streams_have_a_clock_row_for_each_second_and_busy_ones_none() -> None:
    exchange = live()
    exchange.trade(BTC, 1)
    exchange.trade(ETH, 1)
    for ident in range(2, 42):
        exchange.run(0.25)
        exchange.trade(ETH, ident)
    exchange.run(1.0)
    rows = [row for row in exchange.of(Clock) if row.symbol == BTC]
    assert 8 <= len(rows) <= 10
    assert all(row.time % SECOND == 0 for row in rows)
    assert [b.time - a.time for a, b in pairwise(rows)] == [SECOND] * (len(rows) - 1)
    assert [row for row in exchange.of(Clock) if row.symbol == ETH] == []


def test_a_wholly_quiet_connection_is_asked_and_so_has_clock_rows() -> None:
    exchange = live()
    exchange.trade(BTC, 1)
    exchange.run(30.0)
    assert 25 <= exchange.rows(BTC).count("clock") <= 30
    last = [row for row in exchange.of(Clock) if row.symbol == BTC][-1]
    assert exchange.time.wall - 4 * SECOND < last.time < exchange.time.wall


def test_unanswered_pings_prove_nothing() -> None:
    exchange = live()
    exchange.trade(BTC, 1)
    exchange.run(5.0)
    exchange.answers_pings = False
    # an answer that came before is good for one row more
    exchange.run(2.0)
    exchange.forget()
    exchange.run(20.0)
    assert exchange.times_of(Ping)
    assert exchange.of(Clock) == []


def test_no_clock_row_after_an_outage_until_the_stream_is_whole_again() -> None:
    exchange = live()
    exchange.trade(BTC, 1)
    exchange.trade(ETH, 1)
    exchange.run(5.0)
    exchange.closed()
    exchange.run(5.0)
    exchange.forget()
    exchange.trade(ETH, 2)
    exchange.run(10.0)
    assert exchange.rows(BTC) == []
    assert "clock" in exchange.rows(ETH)
    exchange.trade(BTC, 9)
    exchange.run(5.0)
    assert exchange.rows(BTC)[:2] == ["gap", "9"]
    assert "clock" in exchange.rows(BTC)


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_a_wall_jump_of_an_hour_moves_no_deadline_and_no_clock_row(jump: float) -> None:
    exchange = live()
    exchange.trade(BTC, 1)
    exchange.run(10.0)
    true = exchange.time.wall
    exchange.time.jump_wall(jump)
    # the exchange's own clock did not jump: its times stay where they were
    exchange.forget()
    exchange.run(20.0)
    assert exchange.of(Disconnect) == []
    assert exchange.states() == []
    assert all(row.time <= true + 20 * SECOND for row in exchange.of(Clock))
    assert exchange.times_of(Ping)
    exchange.trade(BTC, 2, age=jump)
    exchange.run(10.0)
    rows = exchange.of(Clock)
    assert rows
    assert all(row.time <= true + 30 * SECOND for row in rows)


def test_live_books_are_repeated_every_ten_seconds() -> None:
    exchange = live(*books(BTC, ETH))
    exchange.forget()
    exchange.run(35.0)
    assert exchange.rows(BTC, "book") == ["snapshot 100"] * 3
    assert all(row.exchange_time is None for row in exchange.of(Book))


def test_a_candle_of_the_exchange_passes_as_it_is() -> None:
    exchange = live(Subscription("candle", BTC, "1m"))
    exchange.frame(
        '{"e":"kline","E":1700000000100,"s":"BTCUSDT","k":{"t":1699999980000,"T":1700000039999,'
        '"i":"1m","o":"1","c":"2","h":"3","l":"0.5","v":"9","n":4,"x":false,"q":"18"}}'
    )
    (row,) = exchange.of(Candle)
    assert (row.interval, row.close_time, row.closed) == ("1m", 1_700_000_040 * SECOND, False)


def test_a_restart_goes_on_from_the_seed() -> None:
    exchange = Exchange(seeds={BTC: TradeSeed(("41",), 1_700_000_000 * SECOND)})
    exchange.start(*trades(BTC))
    exchange.run(0.5)
    exchange.trade(BTC, 41)
    exchange.trade(BTC, 45)
    assert exchange.rows(BTC) == ["subscribed", "gap", "45"]


# --- books -----------------------------------------------------------------------------------


def test_a_books_gap_resyncs_that_book_alone() -> None:
    exchange = live(*books(BTC, ETH))
    exchange.forget()
    exchange.diff(BTC, 101, 101)
    exchange.diff(ETH, 101, 101)
    exchange.diff(BTC, 105, 106)
    exchange.diff(ETH, 102, 102)
    exchange.snapshot = lambda symbol: book(symbol, 105)
    exchange.run(1.0)
    assert exchange.rows(BTC, "book") == [
        *("delta 101", "gap", "resyncing", "synced", "snapshot 105", "delta 106")
    ]
    assert exchange.rows(ETH, "book") == ["delta 101", "delta 102"]
    assert len(exchange.of(Fetch)) == 1


# --- unsubscribe and stop --------------------------------------------------------------------


def test_unsubscribing_one_leaves_its_neighbours() -> None:
    exchange = live(*trades(BTC, ETH), *books(BTC))
    exchange.trade(BTC, 1)
    exchange.forget()
    exchange.carry(exchange.session.unsubscribe(trades(BTC), exchange.time.monotonic))
    exchange.run(1.0)
    assert exchange.messages("UNSUBSCRIBE") == [["btcusdt@trade"]]
    assert exchange.rows(BTC) == ["stopped"]
    # frames under way are nobody's any longer
    exchange.trade(BTC, 2)
    exchange.trade(ETH, 1)
    exchange.diff(BTC, 101, 101)
    assert exchange.rows(BTC) == ["stopped"]
    assert "1" in exchange.rows(ETH)
    assert exchange.rows(BTC, "book") == ["delta 101"]
    exchange.forget()
    exchange.closed()
    exchange.run(5.0)
    assert exchange.messages() == [["ethusdt@trade", "btcusdt@depth@100ms"]]


def test_a_stream_that_was_left_and_comes_back_knows_where_it_was() -> None:
    exchange = live(*trades(BTC))
    exchange.trade(BTC, 7)
    exchange.carry(exchange.session.unsubscribe(trades(BTC), exchange.time.monotonic))
    exchange.run(1.0)
    exchange.carry(exchange.session.subscribe(trades(BTC), exchange.time.monotonic))
    exchange.run(1.0)
    exchange.trade(BTC, 12)
    rows = [row for row in exchange.rows(BTC) if row != "clock"]
    assert rows == ["subscribed", "7", "stopped", "subscribed", "gap", "12"]


def test_a_candle_is_closed_with_its_last_interval() -> None:
    exchange = live(Subscription("candle", BTC, "1m"), Subscription("candle", BTC, "1h"))
    exchange.forget()
    session = exchange.session
    exchange.carry(
        session.unsubscribe([Subscription("candle", BTC, "1m")], exchange.time.monotonic)
    )
    assert exchange.messages("UNSUBSCRIBE") == [["btcusdt@kline_1m"]]


def test_what_is_not_held_is_not_given_up() -> None:
    exchange = live(*trades(BTC))
    exchange.forget()
    exchange.carry(exchange.session.unsubscribe(trades(XRP), exchange.time.monotonic))
    assert exchange.log == []


def test_nothing_is_sent_while_there_is_no_connection() -> None:
    exchange = Exchange()
    exchange.accepts = False
    exchange.start(*trades(BTC))
    exchange.run(1.0)
    session, now = exchange.session, exchange.time.monotonic
    exchange.carry(session.subscribe(trades(ETH, XRP), now))
    exchange.carry(session.unsubscribe(trades(XRP), now))
    assert exchange.of(Send) == []
    exchange.accepts = True
    exchange.run(20.0)
    assert exchange.messages() == [["btcusdt@trade", "ethusdt@trade"]]


def test_stop_ends_each_stream_and_the_socket() -> None:
    exchange = live(*trades(BTC), *books(ETH))
    exchange.forget()
    exchange.carry(exchange.session.stop("the operator said so"))
    assert [type(output) for _, output in exchange.log] == [Status, Status, Disconnect]
    assert exchange.states() == ["stopped", "stopped"]
    exchange.run(100.0)
    exchange.closed()
    assert len(exchange.log) == 3
    assert exchange.session.next_deadline() is None


def test_stop_before_start_asks_for_nothing() -> None:
    exchange = Exchange()
    assert exchange.session.stop("never mind") == []
