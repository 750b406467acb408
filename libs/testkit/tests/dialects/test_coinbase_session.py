"""Coinbase's sessions against its simulation: what is Coinbase's alone."""

from __future__ import annotations

from collector_core.events import Book, Candle, Trade
from collector_feed.options import SessionOptions
from collector_feed.outputs import Connect

from .live import Live


def test_a_subscription_begins_with_the_last_hundred_trades() -> None:
    live = Live("coinbase", ["trade"])
    live.begin()
    for symbol in live.symbols:
        past = [row for row in live.of(Trade, symbol) if row.backfilled]
        assert 0 < len(past) <= 100
        assert live.of(Trade, symbol)[: len(past)] == past
    live.settle()
    live.assert_trades()


def test_a_candle_of_the_stream_is_that_of_the_market() -> None:
    live = Live("coinbase", ["candle"], rate=10.0)
    live.start()
    live.run(315)
    closed = {row.symbol: row for row in live.of(Candle) if row.closed}
    assert set(closed) == set(live.symbols)
    for symbol, row in closed.items():
        [fetched] = live.ask(live.asked.candles(symbol, "5m", row.open_time, row.close_time)).rows
        for name in ("open", "high", "low", "close", "volume", "close_time"):
            assert getattr(row, name) == getattr(fetched, name)


def test_a_lost_frame_breaks_each_book_of_the_connection_and_all_are_whole_again() -> None:
    live = Live("coinbase")
    live.begin()
    live.fault("drop", 20, channel="book", count=1)
    live.settle()
    books = len(live.symbols)
    assert live.states()["book", "gap"] == books
    assert live.states()["book", "synced"] == 2 * books
    assert len(live.of(Connect)) == 1
    live.assert_books()
    live.assert_trades()


def test_a_frame_twice_is_nothing_and_one_out_of_order_a_gap() -> None:
    for kind in ("double", "reorder"):
        live = Live("coinbase", ["book"])
        live.begin()
        live.fault(kind, 20, channel="book", count=2)
        live.settle()
        assert (live.states()["book", "gap"] > 0) == (kind == "reorder")
        live.assert_books()


def test_trades_of_a_short_outage_come_with_the_new_subscription() -> None:
    live = Live("coinbase", ["trade"], rate=20.0)
    live.begin()
    live.fault("cut", 20)
    for symbol in live.symbols:
        found = sorted(int(row.id or 0) for row in live.of(Trade, symbol))
        assert found == list(range(found[0], found[0] + len(found)))


def test_a_product_that_the_exchange_does_not_know_is_rejected_in_the_end() -> None:
    live = Live("coinbase", more={"NOPE/USD": "NOPE-USD"}, rate=2.0)
    live.start()
    live.run(100)
    live.settle()
    refused = {(row.symbol, row.channel) for row in live.said("rejected")}
    assert refused == {("NOPE/USD", channel) for channel in live.channels}
    assert len(live.of(Connect)) == 1
    live.assert_books()


def test_heartbeats_keep_a_quiet_connection() -> None:
    live = Live("coinbase", rate=0.001, options=SessionOptions(data_timeout=1_000.0))
    live.start()
    live.run(200)
    live.assert_calm()
    assert live.said("disconnected") == []
    assert live.of(Book)
