"""Sessions of every exchange against its simulation: what all of them have to get right."""

from __future__ import annotations

from collections import Counter

import pytest

from collector_core.events import Book, Candle, Status, Ticker, Trade
from collector_feed.outputs import Mark, Undecodable
from collector_testkit.dialects import available
from collector_testkit.dialects.dialect import Levels, Limits

from .live import MINUTE, Live, content, units

BOOK = {"gap", "book_invalid", "resyncing", "synced"}
every = pytest.mark.parametrize("name", available())


def counted_books() -> list[str]:
    """Exchanges whose books consist of changes, one of which may be missed."""
    return [name for name in available() if Live(name).spec.book_rule != "whole"]


def pushed_candles() -> list[str]:
    return [name for name in available() if Live(name).interval]


@every
def test_a_minute_of_market_arrives_whole(name: str) -> None:
    live = Live(name)
    live.begin()
    live.run(60)
    live.settle()
    live.assert_calm()
    states = live.states()
    for channel in live.channels:
        assert states.pop((channel, "subscribed")) == len(live.symbols)
    assert states.pop(("book", "synced")) == len(live.symbols)
    # what a book says of itself until its first snapshot is there
    assert set(states) <= {("book", "resyncing")}
    live.assert_trades()
    live.assert_books()
    live.assert_tickers()
    for symbol in live.symbols:
        assert len(live.of(Trade, symbol)) > 300
        assert len(live.of(Ticker, symbol)) > 30
        if "candle" in live.channels:
            assert live.of(Candle, symbol)


@every
@pytest.mark.parametrize("kind", ["double", "reorder"])
def test_frames_that_come_twice_or_in_another_order_lose_nothing(name: str, kind: str) -> None:
    live = Live(name, ["trade", "book"])
    live.begin()
    for channel in live.channels:
        live.fault(kind, 10, channel=channel, count=40)
    live.run(15)
    live.settle()
    assert live.struck() == {kind: 80}
    assert live.of(Undecodable) == []
    live.assert_books()
    for symbol in live.symbols:
        rows = [content(row) for row in live.of(Trade, symbol)]
        facts = [content(fact) for fact in live.trades(symbol)]
        # one that was held back may be the first of all
        assert Counter(rows) == Counter(facts[-len(rows) :])


@every
def test_a_frame_that_is_cut_short_is_a_dead_letter_and_the_book_heals(name: str) -> None:
    live = Live(name, ["book"])
    live.begin()
    live.fault("corrupt", 25, channel="book", count=5)
    live.settle()
    letters = live.of(Undecodable)
    assert live.struck() == {"corrupt": 5}
    assert len(letters) == 5
    assert all(letter.error.startswith("expected ") for letter in letters)
    live.assert_books()


@every
def test_a_connection_that_is_cut_is_opened_anew_and_says_what_it_missed(name: str) -> None:
    live = Live(name)
    live.begin()
    before = live.states()["trade", "subscribed"]
    live.fault("cut", 25)
    live.settle()
    states = live.states()
    assert states["trade", "subscribed"] == 2 * before
    assert {row.channel for row in live.said("disconnected")} >= {"trade", "book"}
    assert not live.said("rejected", "stale")
    live.assert_books()
    live.assert_tickers()
    live.assert_no_trade_twice()


@every
def test_streams_come_and_go_without_a_row_twice(name: str) -> None:
    live = Live(name, ["trade"])
    live.begin()
    first, other, *_ = live.symbols
    more = live.stream("trade", first)
    live.unsubscribe(more)
    live.run(3)
    count, others = len(live.of(Trade, first)), len(live.of(Trade, other))
    assert live.states()["trade", "stopped"] == 1
    live.run(5)
    assert len(live.of(Trade, first)) == count > 0
    assert len(live.of(Trade, other)) > others
    live.subscribe(more)
    live.run(10)
    live.settle()
    assert len(live.of(Trade, first)) > count
    for symbol in live.symbols:
        rows = Counter(content(row) for row in live.of(Trade, symbol))
        assert rows <= Counter(content(fact) for fact in live.trades(symbol))
    live.symbols.remove(first)
    live.assert_trades()


@pytest.mark.parametrize("name", counted_books())
def test_a_lost_update_breaks_a_book_which_is_mended(name: str) -> None:
    live = Live(name, ["book"])
    live.begin()
    live.forget_statuses()
    broken = live.symbols[1]
    live.fault("drop", 30, channel="book", symbol=broken, count=20)
    live.settle()
    said = [(row.symbol, row.state) for row in live.of(Status)]
    assert {"gap", "book_invalid"} & {state for symbol, state in said if symbol == broken}
    assert [state for symbol, state in said if symbol == broken and state in BOOK][-1] == "synced"
    # where only the messages of the connection are counted, nobody knows whose is missing
    everybody = live.spec.book_rule == "unnumbered" and not live.spec.checksum_levels
    assert {symbol for symbol, _ in said} == (set(live.symbols) if everybody else {broken})
    live.assert_books()
    live.assert_calm()


@pytest.mark.parametrize("name", pushed_candles())
def test_closed_candles_are_the_folds_of_the_trades(name: str) -> None:
    live = Live(name, ["trade", "candle"], rate=6.0)
    live.start()
    live.run(75 if live.interval == "1m" else 315)
    closed = [row for row in live.of(Candle) if row.closed]
    assert {row.symbol for row in closed} == set(live.symbols)
    times = [(row.symbol, row.open_time) for row in closed]
    assert len(times) == len(set(times))
    for row in closed:
        live.assert_fold(row)


@every
def test_what_rest_tells_is_what_was_pushed(name: str) -> None:
    live = Live(name, ["trade", "book"], limits=Limits(weight=100_000))
    live.begin()
    live.run(50)
    live.settle()
    opened = live.venue.now // MINUTE * MINUTE - MINUTE
    for symbol in live.symbols:
        rows = live.of(Trade, symbol)
        first = rows[len(rows) // 4]
        fetched = live.pages(live.asked.trades(symbol, Mark(first.id, first.exchange_time)))
        found = [row for row in fetched if (row.exchange_time or 0) > (first.exchange_time or 0)]
        later = [row for row in rows if (row.exchange_time or 0) > (first.exchange_time or 0)]
        # some have but the newest
        assert len(found) >= min(60, len(later))
        assert Counter(map(content, found)) == Counter(map(content, later[-len(found) :]))
        same = {row.id for row in found} & {row.id for row in rows}
        assert len(same) == (len(found) if live.spec.rest_trade_ids else 0)
        [candle] = live.ask(live.asked.candles(symbol, "1m", opened, opened + 2 * MINUTE)).rows
        assert (candle.open_time, candle.close_time) == (opened, opened + MINUTE)
        live.assert_fold(candle)
        book = live.ask(live.asked.book(symbol))
        for side, shown in zip(units((book.bids, book.asks)), live.books()[symbol], strict=True):
            depth = min(len(side), len(shown))
            # the least that REST writes of an amount is a thousandth
            assert thousandths(side[:depth]) == thousandths(shown[:depth])


def thousandths(levels: Levels) -> Levels:
    return [(price, amount // 100_000) for price, amount in levels]


@every
def test_a_book_is_never_told_twice_and_never_crossed(name: str) -> None:
    live = Live(name, ["book"], rate=10.0)
    live.begin()
    live.run(20)
    last: dict[str, object] = {}
    for row in live.of(Book):
        if row.kind == "delta" or live.spec.book_rule == "whole":
            assert last.get(row.symbol) != (row.bids, row.asks)
            assert row.bids or row.asks
            last[row.symbol] = row.bids, row.asks
    assert last.keys() == set(live.symbols)
    for link in live.links:
        for symbol, stream in link.session.pipeline.books():
            assert not stream.book.crossed(), symbol
