"""Every recorded connection to OKX through the pipeline, against an independent reading.

The recordings are of 2021 and 2022: books have no numbers yet, and their checksum is a real one.
Most of their instruments are futures and options, which are read here under names made up for it,
so that each frame proves something.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import pytest

from collector_core.events import Book, Event, Level, Ticker, Trade
from collector_core.symbols import SymbolTable, join
from collector_exchanges.discovery import adapter
from collector_feed.outputs import Acknowledged, Subscription, Undecodable
from collector_feed.pipeline import Pipeline
from collector_testkit.captures import Session, tree

from .replaying import ALL, NaiveBook, Step, pipeline_of, statuses, steps, values

pytestmark = pytest.mark.captures

EXCHANGE: Final = "okx"
SESSIONS: Final = ("session-2021-07-22-1", "session-2021-07-22-2", "session-2022-02-27-l2tbt")
_CHECKED: Final = 25
"""Levels a side that went into the checksum."""
_NAMES: Final = {"books-l2-tbt": "book", "trades": "trade", "tickers": "ticker"}


def symbol_of(instrument: str) -> str:
    """Return ``BTC/USD``, and for what is not spot ``BTC-SWAP/USD`` and the like."""
    base, quote, *rest = instrument.split("-")
    return join("-".join((base, *rest)), quote)


def of_all() -> Pipeline:
    """Return a pipeline that takes every instrument for a spot symbol."""
    reader = adapter(EXCHANGE)(SymbolTable(fallback=symbol_of))
    return Pipeline(reader, accept_any=True, book_levels=ALL)


@pytest.fixture
def replayed(session: Session) -> list[Step]:
    return list(steps(of_all(), session))


def pushes(replayed: list[Step], channel: str) -> list[tuple[str, Any, list[Any]]]:
    """Return symbol, the one item and the rows of each push of a channel."""
    found = []
    for step in replayed:
        if "data" in step.frame and step.frame["arg"]["channel"] == channel:
            (item,) = step.frame["data"]
            found.append((symbol_of(step.frame["arg"]["instId"]), item, step.rows))
    return found


def checksum(bids: list[Level], asks: list[Level]) -> int:
    """Return the CRC32 of the levels, bid and ask in turn, as a signed number."""
    sides = zip_longest(bids[:_CHECKED], asks[:_CHECKED])
    text = ":".join(":".join(level) for pair in sides for level in pair if level is not None)
    return (crc32(text.encode()) ^ 1 << 31) - (1 << 31)


def test_no_frame_is_undecodable_or_unknown(replayed: list[Step]) -> None:
    kinds = Counter(
        step.frame["arg"]["channel"] if "data" in step.frame else step.frame["event"]
        for step in replayed
    )
    assert kinds.keys() == {"subscribe", *_NAMES}
    assert [row for step in replayed for row in step.rows if isinstance(row, Undecodable)] == []


def test_what_is_not_spot_is_left_out_and_nothing_else(session: Session) -> None:
    left_out = 0
    for step in steps(pipeline_of(EXCHANGE), session):
        spot = step.frame["arg"]["instId"].count("-") == 1
        assert any(isinstance(row, Undecodable) for row in step.rows) == (not spot)
        left_out += not spot
    assert 0 < left_out < len(session.frames)


def test_the_listed_spot_symbols_read_the_same_by_their_names(captures: Path) -> None:
    folder = captures / EXCHANGE / SESSIONS[-1]
    listed = (
        adapter(EXCHANGE)(SymbolTable())
        .instruments()
        .parse((folder / "rest-instruments-SPOT.json").read_bytes(), None)
    )
    assert len(listed) > 500
    for row in listed:
        assert row.symbol == adapter(EXCHANGE).read_symbol(row.venue_symbol)


def test_each_answer_names_its_subscription(session: Session) -> None:
    reader = adapter(EXCHANGE)(SymbolTable(fallback=symbol_of))
    taken = 0
    for frame in session.frames:
        content = tree(frame.data)
        if "event" in content:
            arg = content["arg"]
            named = Subscription(_NAMES[arg["channel"]], symbol_of(arg["instId"]))
            assert reader.on_frame(frame.data, None) == [Acknowledged(None, (named,))]
            taken += 1
    assert taken >= 30


def test_each_trade_frame_is_one_trade_row_and_there_is_no_other(replayed: list[Step]) -> None:
    trades = pushes(replayed, "trades")
    assert trades
    for symbol, item, rows in trades:
        (row,) = rows
        assert isinstance(row, Trade)
        assert values(row, "symbol", "id", "price", "amount", "side", "exchange_time") == (
            *(symbol, item["tradeId"], item["px"], item["sz"], item["side"]),
            int(item["ts"]) * 1000,
        )
    rows = [row for step in replayed for row in step.rows if isinstance(row, Trade)]
    assert len(rows) == len(trades)


def test_ids_of_single_trades_count_up_by_one(replayed: list[Step]) -> None:
    ids: dict[str, list[int]] = defaultdict(list)
    for symbol, item, _ in pushes(replayed, "trades"):
        ids[symbol].append(int(item["tradeId"]))
    assert max(map(len, ids.values())) > 5
    for numbers in ids.values():
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_each_ticker_frame_is_one_ticker_row_digit_for_digit(replayed: list[Step]) -> None:
    tickers = pushes(replayed, "tickers")
    assert tickers
    for symbol, item, rows in tickers:
        (row,) = rows
        assert isinstance(row, Ticker)
        assert row.exchange_time == int(item["ts"]) * 1000
        names = "symbol last open high low volume quote_volume bid bid_amount ask ask_amount"
        theirs = "last open24h high24h low24h vol24h volCcy24h bidPx bidSz askPx askSz"
        assert values(row, *names.split()) == (
            symbol,
            *(item[name] or None for name in theirs.split()),
        )


def test_the_checksum_agrees_with_each_book_after_each_frame(session: Session) -> None:
    pipeline = of_all()
    checked = 0
    for step in steps(pipeline, session):
        if "data" not in step.frame or step.frame["arg"]["channel"] != "books-l2-tbt":
            continue
        stream = dict(pipeline.books())[symbol_of(step.frame["arg"]["instId"])]
        found = checksum(*stream.book.depth(_CHECKED))
        assert found == int(step.frame["data"][0]["checksum"])
        checked += 1
    assert checked > 1_000


def test_books_equal_plain_dicts_and_what_consumers_hold_and_are_never_crossed(
    session: Session,
) -> None:
    pipeline = of_all()
    books: dict[str, NaiveBook] = {}
    consumers: dict[str, NaiveBook] = defaultdict(NaiveBook)
    for step in steps(pipeline, session):
        if "data" in step.frame and step.frame["arg"]["channel"] == "books-l2-tbt":
            symbol = symbol_of(step.frame["arg"]["instId"])
            if step.frame["action"] == "snapshot":
                books[symbol] = NaiveBook()
            (item,) = step.frame["data"]
            books[symbol].apply(*([row[:2] for row in item[side]] for side in ("bids", "asks")))
        for row in step.rows:
            if isinstance(row, Book):
                consumers[row.symbol].take(row)
                assert row.venue_sequence is None
                best = dict(pipeline.books())[row.symbol].book
                bid, ask = best.best_bid(), best.best_ask()
                assert bid is None or ask is None or Decimal(bid[0]) < Decimal(ask[0])
    held = dict(pipeline.books())
    assert held.keys() == books.keys() == consumers.keys()
    for symbol, book in books.items():
        assert not book.crossed()
        assert book.levels() == held[symbol].book.depth(ALL)
        assert book.levels() == consumers[symbol].levels()
        assert (held[symbol].gaps, held[symbol].resyncs) == (0, 0)


def test_changes_are_published_digit_for_digit(replayed: list[Step]) -> None:
    published = 0
    for symbol, item, rows in pushes(replayed, "books-l2-tbt"):
        changed = [row for row in rows if isinstance(row, Book) and row.kind == "delta"]
        for row in changed:
            assert values(row, "symbol", "exchange_time") == (symbol, int(item["ts"]) * 1000)
            for side, levels in ((item["bids"], row.bids), (item["asks"], row.asks)):
                expected = [
                    (price, amount if Decimal(amount) else "0") for price, amount, *_ in side
                ]
                assert levels[: len(expected)] == expected
                # beyond the 400 levels that the stream keeps
                assert {amount for _, amount in levels[len(expected) :]} <= {"0"}
            published += 1
    assert published > 1_000


def test_nothing_is_said_of_books_but_that_they_are_synced(replayed: list[Step]) -> None:
    told = Counter(state for step in replayed for state in statuses(step.rows))
    snapshots = sum(
        "data" in step.frame and step.frame.get("action") == "snapshot" for step in replayed
    )
    assert told == {("book", "synced"): snapshots}


def test_rows_carry_the_times_at_which_their_frames_came(session: Session) -> None:
    pipeline = of_all()
    for frame in session.frames:
        for row in pipeline.on_frame(frame.data, frame.receive_time):
            assert isinstance(row, Event)
            assert row.receive_time == frame.receive_time
