"""Each dialect and the adapter of the same exchange, written apart, understand each other."""

from __future__ import annotations

import random
from typing import TypeVar
from urllib.parse import urlsplit

import pytest

from collector_core.events import Candle, Ticker, Trade
from collector_core.symbols import SymbolTable
from collector_exchanges.discovery import adapter as adapter_of
from collector_feed.outputs import BookDelta, BookSnapshot, Decoded, Rejected, Subscription
from collector_feed.outputs import Request as RestRequest
from collector_testkit.dialects import Action, Delivery, Request, available, load
from collector_testkit.dialects.venue import Venue
from collector_testkit.truth import TruthRecord, TruthTrade

START = 1_795_305_600_250_250
SECOND = 1_000_000
Answer = TypeVar("Answer")


def ask(venue: Venue, request: RestRequest[Answer]) -> Answer:
    reply = venue.request(Request(request.path, dict(request.query), method=request.method))
    assert reply.status == 200, reply.body
    return request.parse(reply.body, venue.now)


@pytest.mark.parametrize("name", available())
def test_the_adapter_reads_every_frame_and_every_answer(name: str) -> None:
    truth: list[TruthRecord] = []
    venue = Venue(load(name), random.Random(3), START, rate=100.0, truth=truth.extend)
    venue.advance(START + 125 * SECOND)
    table = SymbolTable()
    adapter = adapter_of(name)(table)
    instruments = ask(venue, adapter.instruments())
    assert [row.symbol for row in instruments] == list(venue.market.symbols)
    for row in instruments:
        table.add(row.symbol, str(row.venue_symbol))

    found: list[Decoded] = []

    def read(actions: list[Action]) -> None:
        for action in actions:
            assert isinstance(action, Delivery)
            found.extend(adapter.on_frame(action.payload, venue.now))

    channels = adapter.spec.channels
    pushed = [name for name in ("trade", "ticker", "book", "candle") if channels[name].stream]
    intervals = channels["candle"].intervals
    interval = "1m" if "1m" in intervals else next(iter(intervals), "")
    wanted = [
        Subscription(channel, symbol, interval if channel == "candle" else "")
        for channel in pushed
        for symbol in venue.market.symbols
    ]
    for number, path in enumerate(sorted({channels[name].path for name in pushed})):
        url = urlsplit(adapter.url(f"ws://127.0.0.1{venue.dialect.websocket_path}", path))
        assert venue.refuse(Request(url.path)) is None
        venue.open(number, Request(url.path))
        there = [s for s in wanted if channels[s.channel].path == path]
        for send, _ in adapter.change((), there, ()):
            read(venue.receive(number, send.text))
    assert not [row for row in found if isinstance(row, Rejected)]
    found.clear()
    truth.clear()
    read(venue.advance(venue.now + 10 * SECOND))
    rows = [
        (row.symbol, row.id, row.price, row.amount, row.side, row.exchange_time)
        for row in found
        if isinstance(row, Trade)
    ]
    assert rows == [
        (t.symbol, t.id, t.price, t.amount, t.side, t.exchange_time)
        for t in truth
        if isinstance(t, TruthTrade)
    ]
    for kind in (Ticker, BookDelta | BookSnapshot, *([Candle] if "candle" in pushed else [])):
        symbols = {row.symbol for row in found if isinstance(row, kind)}
        assert symbols == set(venue.market.symbols)


@pytest.mark.parametrize("name", available())
def test_the_adapter_reads_the_history(name: str) -> None:
    venue = Venue(load(name), random.Random(3), START, rate=20.0)
    venue.advance(START + 185 * SECOND)
    table = SymbolTable((symbol, venue.dialect.to_venue(symbol)) for symbol in venue.market.symbols)
    adapter = adapter_of(name)(table)
    for symbol, own in venue.market.symbols.items():
        venue.advance(venue.now + SECOND)
        book = ask(venue, adapter.book(symbol))
        # the least that any exchange gives; dust that is written as zero is no level
        assert len(book.bids) >= min(15, len(own.engine.levels("buy")))
        trades = ask(venue, adapter.trades(symbol)).rows
        assert len(trades) > 20
        # some give microseconds
        assert (trades[-1].exchange_time or 0) // 1000 == own.tape.newest(1)[0].time // 1000
        candles = ask(venue, adapter.candles(symbol, "1m", None, None)).rows
        assert len(candles) == 3
        assert all(candle.closed for candle in candles)
