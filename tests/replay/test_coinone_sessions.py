"""What was recorded of Coinone: no connection, only isolated frames and answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector_core.errors import FrameError
from collector_core.events import Book, Event, Ticker, Trade
from collector_exchanges.discovery import replay_adapter
from collector_feed.outputs import Undecodable
from collector_testkit.captures import samples, tree

from .replaying import pipeline_of, statuses

pytestmark = pytest.mark.captures

EXCHANGE = "coinone"
# no connection was recorded
SESSIONS = ()
FRAMES = "samples-ccxt-comments/ws-public.jsonl"
ANSWERS = "samples-ccxt-comments/rest-public.jsonl"


def lines(captures: Path, file: str) -> dict[int, bytes]:
    """Return a file's samples by line."""
    return {s.line: s.data for s in samples(captures, EXCHANGE) if s.file == file}


def rows(captures: Path) -> list[Event | Undecodable]:
    """Return the rows of the frames that stand in their envelopes, in their order."""
    pipeline = pipeline_of(EXCHANGE)
    frames = lines(captures, FRAMES)
    return [row for line in (1, 2, 4, 6) for row in pipeline.on_frame(frames[line], 1)]


def test_a_recorded_book_is_a_row(captures: Path) -> None:
    found = rows(captures)
    assert statuses(found) == [("book", "synced")]
    [book] = [row for row in found if isinstance(row, Book)]
    data = tree(lines(captures, FRAMES)[1])["data"]
    assert (book.symbol, book.kind) == ("BTC/KRW", "snapshot")
    assert book.venue_sequence == int(data["id"])
    assert book.exchange_time == int(data["timestamp"]) * 1000
    for side, levels in (("bids", book.bids), ("asks", book.asks)):
        assert levels == [(level["price"], level["qty"]) for level in data[side]]


def test_a_recorded_ticker_is_a_row(captures: Path) -> None:
    [ticker] = [row for row in rows(captures) if isinstance(row, Ticker)]
    data = tree(lines(captures, FRAMES)[2])["data"]
    assert (ticker.last, ticker.volume, ticker.quote_volume) == (
        data["last"],
        data["target_volume"],
        data["quote_volume"],
    )
    assert (ticker.bid, ticker.ask) == (data["bid_best_price"], data["ask_best_price"])
    # of the day, not of 24 hours
    assert (ticker.open, ticker.high, ticker.low) == (None, None, None)


def test_a_recorded_trade_is_a_row(captures: Path) -> None:
    [trade] = [row for row in rows(captures) if isinstance(row, Trade)]
    data = tree(lines(captures, FRAMES)[4])["data"]
    assert (trade.id, trade.price, trade.amount) == (data["id"], data["price"], data["qty"])
    # the buyer waited in the book, so the taker sold
    assert data["is_seller_maker"] is False
    assert trade.side == "sell"


def test_nothing_recorded_is_unexplained(captures: Path) -> None:
    assert [row for row in rows(captures) if isinstance(row, Undecodable)] == []


@pytest.mark.parametrize(("line", "text"), [(9, "107 Parameter value"), (10, "108 Unknown Crypto")])
def test_a_recorded_refusal_is_an_error_with_its_text(captures: Path, line: int, text: str) -> None:
    adapter = replay_adapter(EXCHANGE)
    adapter.symbols.from_venue("KRW-BTC")
    with pytest.raises(FrameError, match=text):
        adapter.book("BTC/KRW").parse(lines(captures, ANSWERS)[line], None)
