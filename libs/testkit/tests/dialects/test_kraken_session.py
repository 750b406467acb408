"""Kraken's sessions against its simulation: what is Kraken's alone."""

from __future__ import annotations

from typing import Any

from collector_core.events import Book, Trade
from collector_feed.outputs import Connect, Disconnect
from collector_testkit.dialects.dialect import Limits

from .live import Live

NOPE = {"NOPE/USD": "NOPE/USD"}


def messages(live: Live) -> list[Any]:
    return [message for message in live.sent() if message["method"] != "ping"]


def test_a_subscription_takes_few_messages_and_the_decimals_come_first() -> None:
    live = Live("kraken")
    live.begin()
    asked = [message["params"]["channel"] for message in messages(live)]
    assert asked == ["instrument", "trade", "ticker", "book", "ohlc"]
    assert live.states()["book", "synced"] == len(live.symbols)
    assert live.states()["book", "book_invalid"] == 0
    assert {row.venue_sequence for row in live.of(Book)} == {None}


def test_lost_updates_break_one_book_which_is_subscribed_anew() -> None:
    live = Live("kraken")
    live.begin()
    live.forget_statuses()
    before = len(messages(live))
    live.fault("drop", 20, channel="book", symbol="ETH/USD", count=20)
    live.settle()
    said = [(row.symbol, row.state) for row in live.said("book_invalid", "resyncing", "synced")]
    assert said[:2] == [("ETH/USD", "book_invalid"), ("ETH/USD", "resyncing")]
    assert said[-1] == ("ETH/USD", "synced")
    asked = [(m["method"], m["params"]["symbol"]) for m in messages(live)[before:]]
    assert asked[:2] == [("unsubscribe", ["ETH/USD"]), ("subscribe", ["ETH/USD"])]
    # no storm: each break is mended by one pair of messages
    assert len(asked) <= 4
    assert live.of(Disconnect) == []
    live.assert_trades()
    live.assert_books()


def test_a_symbol_that_is_not_there_is_refused_alone() -> None:
    live = Live("kraken", more=NOPE)
    live.start()
    live.run(15)
    live.settle()
    refused = live.said("rejected")
    assert sorted(row.channel for row in refused) == sorted(live.channels)
    assert {(row.symbol, row.reason) for row in refused} == {
        ("NOPE/USD", "Currency pair not supported NOPE/USD")
    }
    live.assert_books()


def test_too_many_messages_are_sent_again() -> None:
    # under load the exchange serves one message a second, and the session sends two
    live = Live("kraken", limits=Limits(messages=1))
    live.start()
    live.run(5)
    assert live.states()["ticker", "subscribed"] > 0
    assert live.states()["trade", "subscribed"] == 0
    live.venue.dialect.limits = Limits()
    live.run(15)
    live.settle()
    for channel in live.channels:
        assert live.states()[channel, "subscribed"] == len(live.symbols)
    assert live.said("rejected") == []
    live.assert_books()


def test_a_market_that_stands_still_is_kept_by_heartbeats_and_pings() -> None:
    live = Live("kraken", rate=0.0)
    live.start()
    live.run(100)
    live.assert_calm()
    pings = [message for message in live.sent() if message["method"] == "ping"]
    assert 8 <= len(pings) <= 11
    live.assert_books()


def test_after_a_cut_everything_comes_back_with_the_decimals() -> None:
    live = Live("kraken")
    live.begin()
    live.fault("cut", 20)
    live.settle()
    assert len(live.of(Connect)) == 2
    assert live.states()["book", "book_invalid"] == 0
    for symbol in live.symbols:
        [row] = live.of(Book, symbol)[-1:]
        checksum = live.session.adapter.checksum(symbol, row.bids[:10], row.asks[:10])
        assert checksum is not None
    assert [row for row in live.of(Trade) if row.backfilled]
    live.assert_no_trade_twice()
