"""One connection after another: the successor goes on where its predecessor stands."""

from __future__ import annotations

import pytest

from collector_core.events import Book, Candle, Event, Status, Ticker, Trade
from collector_exchanges.binance import ADAPTER
from collector_exchanges.binance.spec import SPEC
from collector_feed.options import SessionOptions
from collector_feed.outputs import BookDelta, BookSnapshot, Disconnect, Mark, Subscription
from collector_feed.overheard import Overheard
from collector_feed.pipeline import Pipeline
from collector_feed.rotation import Rotation
from collector_feed.trade_stream import TradeStream

from .scripted import BTC, table


def trade(ident: int) -> Trade:
    return Trade("binance", BTC, ident * 1_000, 1, 0, 0, str(ident), "10", "1", "buy")


def candle(opened: int, close: str, *, closed: bool) -> Candle:
    return Candle(
        "binance", BTC, None, 1, 0, 0, "1m", opened, opened + 60, "1", "1", "1", close, "1", None,
        None, closed,
    )  # fmt: skip


def delta(first: int, last: int) -> BookDelta:
    return BookDelta(BTC, 1, first, last, [("9", str(last))], [])


def said(rows: list[Event]) -> list[str]:
    found = []
    for row in rows:
        match row:
            case Trade():
                found.append(f"trade {row.id}")
            case Book():
                found.append(f"{row.kind} {row.venue_sequence}")
            case Candle():
                found.append(f"candle {row.open_time} {row.close}{' closed' * row.closed}")
            case Status():
                found.append(row.state)
    return found


def test_the_successor_drops_what_is_on_the_bus_and_goes_on() -> None:
    old, new = Pipeline(ADAPTER(table())), Pipeline(ADAPTER(table()))
    out: list[Event] = []
    for pipeline in (old,):
        pipeline.open_trades(BTC)
        pipeline.begin("trade", BTC, 1, out)
        book = pipeline.open_book(BTC)
        book.start(1, out)
        book.on_snapshot(BookSnapshot(BTC, 1, 10, [("9", "1")], [("11", "1")]), 1, out)
    for item in (trade(5), trade(6), delta(11, 12), candle(60, "2", closed=True)):
        old._take(item, 1, out)
    heard = new.overheard = Overheard(SPEC)
    for item in (
        *(trade(6), trade(7), delta(9, 12), delta(13, 14)),
        *(candle(60, "2", closed=True), candle(120, "3", closed=False)),
        *(candle(120, "4", closed=False), Ticker("binance", BTC, 1, 1, 0, 0, "1")),
    ):
        heard.add(item, 2)
    assert heard.joins(old.trades(), old.books())
    assert said(new.adopt(old)) == ["trade 7", "delta 14", "candle 120 4"]
    rows = new.candles
    assert rows.last(Subscription("candle", BTC, "1m")) == 120
    assert [symbol for symbol, _ in old.trades()] == []
    # the predecessor's repairs are the successor's to do
    assert new.overheard is None


def test_a_successor_that_is_ahead_waits_for_its_predecessor() -> None:
    trades = TradeStream("binance", BTC, "contiguous")
    out: list[Event] = []
    trades.take(trade(5), out)
    heard = Overheard(SPEC)
    heard.add(trade(8), 1)
    assert not heard.joins(iter([(BTC, trades)]), iter([]))
    trades.take(trade(6), out)
    trades.take(trade(7), out)
    assert heard.joins(iter([(BTC, trades)]), iter([]))


def test_a_book_must_have_reached_the_first_update_that_was_overheard() -> None:
    pipeline = Pipeline(ADAPTER(table()))
    book = pipeline.open_book(BTC)
    out: list[Event] = []
    book.on_snapshot(BookSnapshot(BTC, 1, 10, [("9", "1")], [("11", "1")]), 1, out)
    heard = Overheard(SPEC)
    heard.add(delta(13, 14), 1)
    assert not heard.joins(pipeline.trades(), pipeline.books())
    book.on_delta(delta(11, 12), 1, out)
    assert heard.joins(pipeline.trades(), pipeline.books())


def test_what_a_predecessor_was_fetching_is_fetched_by_its_successor() -> None:
    old = Pipeline(ADAPTER(table()), fills=True)
    new = Pipeline(ADAPTER(table()), fills=True)
    out: list[Event] = []
    old.open_trades(BTC)
    old.begin("trade", BTC, 1, out)
    for item in (trade(5), trade(8)):
        old._take(item, 1, out)
    stream = old.trade_stream(BTC)
    assert stream is not None
    assert stream.filling is not None
    new.overheard = Overheard(SPEC)
    new.adopt(old)
    assert new.fills_wanted == [BTC]
    assert new.trade_stream(BTC) is stream
    assert (stream.filling.after, stream.filling.before()) == (Mark("5", 5_000), Mark("8", 8_000))


def test_age_and_announcement_make_a_rotation_due() -> None:
    rotation = Rotation(SPEC, SessionOptions(rotate_after=100.0), lambda: 0.0)
    rotation.connected(1_000.0)
    assert not rotation.due(1_099.0)
    assert rotation.due(1_100.0)
    rotation.postponed(1_100.0, 50.0)
    assert not rotation.due(1_149.0)
    rotation.announced()
    assert rotation.due(1_101.0)
    assert rotation.ended_by_plan()
    rotation.connected(2_000.0)
    assert not rotation.ended_by_plan()


@pytest.mark.parametrize("settled", [True, False])
def test_both_connections_overlap_for_a_while(*, settled: bool) -> None:
    rotation = Rotation(SPEC, SessionOptions(), lambda: 0.5)
    assert not rotation.overlapped(10.0, settled=True)
    assert not rotation.overlapped(11.0, settled=settled)
    assert rotation.overlapped(12.5, settled=True) == settled


def test_connections_of_one_process_do_not_all_go_at_once() -> None:
    dues = set()
    for tenth in range(10):
        rotation = Rotation(SPEC, SessionOptions(), lambda share=tenth / 10: share)
        rotation.connected(0.0)
        at = next(second for second in range(70_000, 90_000, 60) if rotation.due(float(second)))
        dues.add(at)
    assert len(dues) == 10
    assert max(dues) < (SPEC.max_age or 0)
    assert Disconnect("rotated").reason == "rotated"
