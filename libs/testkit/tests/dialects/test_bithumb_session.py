"""Bithumb's sessions against its simulation: what is Bithumb's alone."""

from __future__ import annotations

from decimal import Decimal

from collector_core.events import Book, Trade
from collector_feed.outputs import Mark, Send

from .live import SECOND, Live


def test_a_subscription_more_brings_every_snapshot_anew_and_no_row_twice() -> None:
    live = Live("bithumb", ["trade"])
    live.begin()
    more = live.stream("ticker", live.symbols[0])
    live.subscribe(more)
    live.run(5)
    live.unsubscribe(more)
    live.run(5)
    assert len(live.of(Send)) == 3
    live.settle()
    live.assert_trades()


def test_books_repeat_on_the_wire_and_never_on_the_bus() -> None:
    live = Live("bithumb", ["book"], rate=10.0)
    frames: list[bytes] = []
    live.heard = frames.append
    live.begin()
    live.run(20)
    assert len(frames) > len(live.of(Book)) > 100


def test_the_time_of_a_book_is_that_of_its_last_change_in_microseconds() -> None:
    live = Live("bithumb", ["book"])
    live.begin()
    live.settle()
    for symbol in live.symbols:
        row = live.of(Book, symbol)[-1]
        assert row.kind == "snapshot"
        changed = live.venue.market.symbols[symbol].changed
        # a change below the levels that are shown gives no row
        assert 0 <= changed - (row.exchange_time or 0) < SECOND
        assert all(len(amount.partition(".")[2]) == 4 for _, amount in row.bids)
        assert Decimal(row.bids[0][0]) < Decimal(row.asks[0][0])


def test_trades_of_rest_have_ids_of_another_scheme_on_several_pages() -> None:
    live = Live("bithumb", ["trade"], rate=100.0)
    live.begin()
    live.run(30)
    symbol = live.symbols[0]
    first = live.of(Trade, symbol)[0]
    request = live.asked.trades(symbol, Mark(first.id, first.exchange_time))
    assert live.ask(request).more is not None
    rows = live.pages(request)
    assert {row.id[:5] for row in rows} == {"rest-"}
    assert len(rows) > 500
