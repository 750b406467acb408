"""Coinone's sessions against its simulation: what is Coinone's alone."""

from __future__ import annotations

from decimal import Decimal

from collector_core.events import Book, Candle, Ticker, Trade

from .live import Live

PING = {"request_type": "PING"}
GONE = {"GONE/KRW": "KRW-GONE"}


def test_books_have_sixteen_levels_and_numbers_that_grow() -> None:
    live = Live("coinone", ["book"])
    live.begin()
    live.run(20)
    for symbol in live.symbols:
        books = live.of(Book, symbol)
        assert max(len(row.bids) for row in books) == 16
        numbers = [row.venue_sequence or 0 for row in books]
        assert numbers == sorted(set(numbers))


def test_the_last_ticker_is_of_the_last_trade() -> None:
    live = Live("coinone", ["trade", "ticker"])
    live.begin()
    live.settle()
    for symbol in live.symbols:
        ticker, trade = live.of(Ticker, symbol)[-1], live.of(Trade, symbol)[-1]
        assert (ticker.last, ticker.exchange_time) == (trade.price, trade.exchange_time)


def test_a_closed_candle_of_the_stream_is_that_of_rest() -> None:
    live = Live("coinone", ["candle"])
    live.start()
    live.run(75)
    for symbol in live.symbols:
        [row] = [row for row in live.of(Candle, symbol) if row.closed]
        [kept] = live.ask(live.asked.candles(symbol, "1m", row.open_time, row.close_time)).rows
        for name in ("open", "high", "low", "close", "volume", "quote_volume", "close_time"):
            assert Decimal(getattr(row, name)) == Decimal(getattr(kept, name))


def test_rest_names_trades_and_books_as_the_stream_does() -> None:
    live = Live("coinone", ["trade", "book"], rate=60.0)
    live.begin()
    live.run(20)
    live.settle()
    for symbol in live.symbols:
        rows = live.ask(live.asked.trades(symbol)).rows
        assert len(rows) == 200
        assert [row.id for row in rows] == [row.id for row in live.of(Trade, symbol)[-200:]]
        book, last = live.ask(live.asked.book(symbol)), live.of(Book, symbol)[-1]
        assert (book.bids, book.asks) == (last.bids, last.asks)
        # changes out of sight give new ids and no rows
        assert (book.last or 0) >= (last.venue_sequence or 0)


def test_the_exchange_is_asked_every_twenty_seconds() -> None:
    live = Live("coinone", ["trade"])
    live.start()
    live.run(70)
    assert live.sent().count(PING) == 3


def test_a_symbol_that_is_gone_is_rejected_by_name_once_the_others_have_sent() -> None:
    live = Live("coinone", ["trade"], more=GONE)
    live.start()
    live.run(1)
    # it was acknowledged like the others
    assert "GONE/KRW" in {row.symbol for row in live.said("subscribed")}
    live.run(20)
    refused = [(row.symbol, row.reason) for row in live.said("rejected")]
    assert refused == [("GONE/KRW", "160012 Invalid Topic")]
    assert all(len(live.of(Trade, symbol)) > 50 for symbol in live.symbols)


def test_a_topic_is_a_message() -> None:
    live = Live("coinone", ["trade"])
    live.begin()
    live.unsubscribe(live.stream("trade", live.symbols[0]))
    live.run(5)
    sent = [message["request_type"] for message in live.sent() if message != PING]
    assert sent == ["SUBSCRIBE"] * len(live.symbols) + ["UNSUBSCRIBE"]
