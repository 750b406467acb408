"""Bybit's sessions against its simulation: what is Bybit's alone."""

from __future__ import annotations

from collector_core.events import Book, Trade
from collector_feed.outputs import Send

from .live import Live, told


def test_numbers_of_a_book_count_up_by_one() -> None:
    live = Live("bybit", ["book"])
    live.begin()
    live.run(20)
    for symbol in live.symbols:
        chain = [r.venue_sequence or 0 for r in live.of(Book, symbol) if r.kind == "delta"]
        assert chain == list(range(chain[0], chain[0] + len(chain)))


def test_a_connection_is_pinged_in_the_words_of_the_exchange() -> None:
    live = Live("bybit", ["trade"], rate=0.0)
    live.start()
    live.run(65)
    texts = [send.text for send in live.of(Send)]
    assert texts.count('{"op":"ping"}') == 3
    live.assert_calm()


def test_one_lost_update_is_one_gap() -> None:
    live = Live("bybit", ["book"])
    live.begin()
    broken = live.symbols[0]
    live.fault("drop", 20, channel="book", symbol=broken)
    live.settle()
    assert [(row.symbol, row.count) for row in live.said("gap")] == [(broken, 1)]
    live.assert_books()


def test_numbers_that_begin_anew_are_taken_without_a_gap() -> None:
    live = Live("bybit", ["book"])
    live.begin()
    live.fault("sequence_reset", 2)
    live.settle()
    assert live.states()["book", "gap"] == 0
    live.assert_books()
    for symbol in live.symbols:
        assert (live.of(Book, symbol)[-1].venue_sequence or 0) < 100


def test_an_acknowledgement_that_is_lost_loses_no_stream() -> None:
    live = Live("bybit", ["trade", "book", "ticker"])
    live.begin()
    late = [live.stream("candle", symbol) for symbol in live.symbols]
    live.fault("no_ack")
    live.subscribe(*late)
    live.run(1)
    assert live.states()["candle", "subscribed"] == 0
    # they flow already, and the exchange refuses to begin them again
    live.run(15)
    assert live.states()["candle", "subscribed"] == len(late)
    assert live.said("rejected") == []


def test_one_refused_topic_leaves_the_others() -> None:
    live = Live("bybit", ["trade"], rate=5.0)
    live.begin()
    live.fault("reject")
    live.subscribe(*(live.stream("ticker", symbol) for symbol in live.symbols))
    live.run(15)
    said = live.said("rejected", "subscribed")
    states = {(row.symbol, row.state) for row in said if row.channel == "ticker"}
    first, *others = live.symbols
    assert states == {(first, "rejected"), *((symbol, "subscribed") for symbol in others)}


def test_a_short_outage_is_filled_from_the_newest_sixty() -> None:
    live = Live("bybit", ["trade"], rate=5.0)
    live.begin()
    live.fault("cut", 10)
    live.settle()
    for symbol in live.symbols:
        rows = live.of(Trade, symbol)
        facts = [told(fact) for fact in live.trades(symbol)]
        assert [told(row) for row in rows] == facts[facts.index(told(rows[0])) :]
    assert [row for row in live.of(Trade) if row.backfilled]
