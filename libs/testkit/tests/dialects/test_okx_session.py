"""OKX's sessions against its simulation: what is OKX's alone, two sockets above all."""

from __future__ import annotations

from collections import Counter

from collector_core.events import Book, Status, Trade
from collector_feed.outputs import Connect, Disconnect, Fetch, Send
from collector_testkit.faults import Fault

from .live import Live

PUBLIC = ["ticker", "book"]


def test_channels_are_on_the_socket_that_has_them() -> None:
    live = Live("okx")
    live.begin()
    found = {link.path: {s.channel for s in link.wanted} for link in live.links}
    assert found == {"/public": {"ticker", "book"}, "/business": {"trade", "candle"}}


def test_a_lost_update_breaks_one_book_which_starts_anew() -> None:
    live = Live("okx", PUBLIC)
    live.begin()
    live.fault("drop", 30, channel="book", symbol="ETH/USDT")
    live.settle()
    assert [row.symbol for row in live.said("gap")] == ["ETH/USDT"]
    assert live.of(Disconnect) == []
    live.assert_books()


def test_a_book_whose_stream_sends_no_snapshot_begins_with_one_over_rest() -> None:
    # OKX once announced that subscriptions would open without one
    live = Live("okx", PUBLIC)
    live.venue.start(Fault("drop", channel="book", symbol="ETH/USDT"))
    live.start()
    live.run(20)
    live.settle()
    asked = [dict(fetch.request.query)["instId"] for fetch in live.of(Fetch)]
    assert asked == ["ETH-USDT"]
    said = [row for row in live.of(Status, "ETH/USDT") if row.channel == "book"]
    assert [row.state for row in said][-1] == "synced"
    live.assert_books()


def test_numbers_that_begin_anew_break_nothing() -> None:
    live = Live("okx", PUBLIC)
    live.begin()
    before = {s: stream.book.sequence or 0 for s, stream in live.session.pipeline.books()}
    live.fault("sequence_reset", 5)
    live.settle()
    for symbol, stream in live.session.pipeline.books():
        assert (stream.book.sequence or 0) < before[symbol]
        assert stream.gaps == 0
    live.assert_books()


def test_a_market_that_stands_still_keeps_its_connections_by_the_text_ping() -> None:
    live = Live("okx", rate=0.0)
    live.start()
    live.run(100)
    live.assert_calm()
    assert len(live.of(Connect)) == 2
    assert live.sent().count("ping") >= 8
    # the sign of life of each book after a minute is no row
    assert {row.kind for row in live.of(Book)} == {"snapshot"}
    live.assert_books()


def test_an_announced_close_is_left_before_it_comes() -> None:
    live = Live("okx", PUBLIC)
    live.begin()
    live.fault("planned_close", 30, delay=60.0)
    live.settle()
    assert len(live.of(Connect)) == 2
    assert len(live.venue.connections) == 1
    live.assert_books()


def test_a_symbol_that_is_gone_is_refused_alone() -> None:
    live = Live("okx", PUBLIC)
    live.begin()
    live.act(live.venue.delist_symbol("SOL/USDT"))
    live.fault("cut", 15)
    refused = live.said("rejected")
    assert {(row.channel, row.symbol) for row in refused} == {
        ("ticker", "SOL/USDT"),
        ("book", "SOL/USDT"),
    }
    assert all((row.reason or "").startswith("60018 ") for row in refused)
    assert Counter(row.symbol for row in live.said("subscribed"))["BTC/USDT"] == 4


def test_trades_of_a_lost_frame_and_of_an_outage_are_fetched_in_their_order() -> None:
    live = Live("okx", ["trade", "candle"])
    live.begin()
    live.fault("drop", 10, channel="trade", symbol="BTC/USDT", count=3)
    live.fault("cut", 20)
    live.settle()
    assert len(live.of(Connect)) == 2
    assert {"gap", "backfilled"} <= {r.state for r in live.of(Status) if r.channel == "trade"}
    assert any(row.backfilled for row in live.of(Trade))
    live.assert_trades()


def test_a_subscription_is_one_message_for_each_socket() -> None:
    live = Live("okx")
    live.begin()
    texts = [send.text for send in live.of(Send) if send.text != "ping"]
    assert len(texts) == 2
