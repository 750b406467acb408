"""Every recorded connection to Coinbase through the pipeline, against an independent reading."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import pytest

from collector_core.errors import SymbolError
from collector_core.events import Book, Candle, Event, Level, Ticker, Trade
from collector_core.symbols import SymbolTable
from collector_exchanges.discovery import adapter
from collector_feed.outputs import Acknowledged, Lost, Undecodable
from collector_feed.pipeline import Pipeline
from collector_testkit.captures import Session, tree

from .replaying import ALL, NaiveBook, Step, pipeline_of, statuses, steps, values

pytestmark = pytest.mark.captures

EXCHANGE: Final = "coinbase"
SESSIONS: Final = ("session-2026-08-09",)
_SYMBOLS: Final = {"BTC-USD": "BTC/USD", "ETH-USD": "ETH/USD"}
_CHANNELS: Final = {
    *("market_trades", "ticker", "l2_data", "candles", "heartbeats", "subscriptions"),
}


def of(replayed: list[Step], channel: str) -> Iterator[tuple[Any, list[Event | Undecodable]]]:
    for step in replayed:
        if step.frame["channel"] == channel:
            yield step.frame, step.rows


def items(frame: Any, name: str) -> list[Any]:  # noqa: ANN401  # JSON
    return [item for event in frame["events"] for item in event[name]]


def micro(text: str) -> int:
    """Return the microseconds of a time with up to nine decimals."""
    whole, _, part = text.removesuffix("Z").partition(".")
    second = int(datetime.fromisoformat(f"{whole}+00:00").timestamp())
    return second * 1_000_000 + int(part[:6].ljust(6, "0"))


def test_no_frame_is_undecodable_or_unknown(replayed: list[Step]) -> None:
    kinds = Counter(step.frame["channel"] for step in replayed)
    assert kinds.keys() == _CHANNELS
    assert [row for step in replayed for row in step.rows if isinstance(row, Undecodable)] == []


def test_the_count_of_messages_is_whole_over_all_channels(session: Session) -> None:
    numbers = [int(tree(frame.data)["sequence_num"]) for frame in session.frames]
    assert numbers == list(range(len(numbers)))
    fresh = pipeline_of(EXCHANGE).adapter
    for frame in session.frames:
        assert not [o for o in fresh.on_frame(frame.data, None) if isinstance(o, Lost)]


def test_a_frame_taken_out_is_told_by_the_next_one(session: Session) -> None:
    fresh = pipeline_of(EXCHANGE).adapter
    told: list[Lost] = []
    for number, frame in enumerate(session.frames):
        if number % 100 != 50:
            outputs = fresh.on_frame(frame.data, None)
            told.extend(output for output in outputs if isinstance(output, Lost))
    assert told == [Lost(n, n + 1) for n in range(50, len(session.frames) - 1, 100)]


def test_each_trade_of_a_frame_is_one_trade_row_and_there_is_no_other(
    replayed: list[Step],
) -> None:
    count = 0
    ids = defaultdict(list)
    for frame, rows in of(replayed, "market_trades"):
        trades = [
            (event["type"] == "snapshot", trade)
            for event in frame["events"]
            for trade in reversed(event["trades"])
        ]
        assert len(rows) == len(trades)
        for row, (past, trade) in zip(rows, trades, strict=True):
            assert isinstance(row, Trade)
            assert values(row, "symbol", "id", "price", "amount", "side", "backfilled") == (
                _SYMBOLS[trade["product_id"]],
                trade["trade_id"],
                trade["price"],
                trade["size"],
                {"SELL": "buy", "BUY": "sell"}[trade["side"]],
                past,
            )
            assert row.exchange_time == micro(trade["time"])
            ids[row.symbol].append(int(trade["trade_id"]))
        count += len(rows)
    found = [row for step in replayed for row in step.rows if isinstance(row, Trade)]
    assert len(found) == count == 279
    for listed in ids.values():
        assert listed == list(range(listed[0], listed[0] + len(listed)))


def test_the_side_is_that_of_who_took_from_the_touch(replayed: list[Step]) -> None:
    """A buy is at the best ask, a sell at the best bid, wherever the last ticker is still true."""
    books: dict[str, NaiveBook] = defaultdict(NaiveBook)
    agrees = differs = 0
    for step in replayed:
        for row in step.rows:
            if isinstance(row, Book):
                books[row.symbol].take(row)
            elif isinstance(row, Trade) and not row.backfilled:
                price, (bids, asks) = Decimal(row.price), books[row.symbol].sides
                bid, ask = (
                    max(map(Decimal, bids), default=None),
                    min(map(Decimal, asks), default=None),
                )
                if bid is None or ask is None:
                    continue
                side = "buy" if price >= ask else "sell" if price <= bid else None
                agrees += side == row.side
                differs += side not in {None, row.side}
    assert agrees > 50
    assert differs <= 2


def test_each_ticker_is_one_row_digit_for_digit(replayed: list[Step]) -> None:
    for frame, rows in of(replayed, "ticker"):
        tickers = items(frame, "tickers")
        for row, ticker in zip(rows, tickers, strict=True):
            assert isinstance(row, Ticker)
            assert values(row, "symbol", "exchange_time", "last", "volume", "low", "high") == (
                *(_SYMBOLS[ticker["product_id"]], micro(frame["timestamp"]), ticker["price"]),
                *(ticker["volume_24_h"], ticker["low_24_h"], ticker["high_24_h"]),
            )
            assert values(row, "bid", "bid_amount", "ask", "ask_amount") == (
                *(ticker["best_bid"], ticker["best_bid_quantity"]),
                *(ticker["best_ask"], ticker["best_ask_quantity"]),
            )
            assert row.change_percent == ticker["price_percent_chg_24_h"]


def test_each_candle_is_a_row_digit_for_digit_and_the_one_before_it_is_closed(
    replayed: list[Step],
) -> None:
    seen: dict[str, Any] = {}
    count = 0
    for frame, rows in of(replayed, "candles"):
        wanted = []
        for candle in items(frame, "candles"):
            before = seen.get(candle["product_id"])
            if before is not None and int(before["start"]) < int(candle["start"]):
                wanted.append((before, True))
            wanted.append((candle, False))
            seen[candle["product_id"]] = candle
        for row, (candle, closed) in zip(rows, wanted, strict=True):
            assert isinstance(row, Candle)
            opened = int(candle["start"]) * 1_000_000
            assert values(row, "symbol", "interval", "open_time", "close_time", "closed") == (
                *(_SYMBOLS[candle["product_id"]], "5m", opened, opened + 300_000_000, closed),
            )
            assert values(row, "open", "high", "low", "close", "volume") == (
                *(candle["open"], candle["high"], candle["low"], candle["close"]),
                candle["volume"],
            )
            count += 1
    assert count == 204 + 198


def levels_of(frame: Any, side: str) -> list[Level]:  # noqa: ANN401  # JSON
    return [
        (update["price_level"], update["new_quantity"] if Decimal(update["new_quantity"]) else "0")
        for update in items(frame, "updates")
        if update["side"] == side
    ]


def test_changes_are_published_digit_for_digit(replayed: list[Step]) -> None:
    published = 0
    for frame, rows in of(replayed, "l2_data"):
        if frame["events"][0]["type"] == "snapshot":
            assert statuses(rows)[-1:] == [("book", "synced")]
            continue
        (row,) = rows
        assert isinstance(row, Book)
        published += 1
        assert values(row, "kind", "venue_sequence", "exchange_time") == (
            *("delta", int(frame["sequence_num"])),
            micro(items(frame, "updates")[0]["event_time"]),
        )
        assert (row.bids, row.asks) == (levels_of(frame, "bid"), levels_of(frame, "offer"))
    assert published == 773


def test_books_are_synced_once_and_never_in_doubt_again(replayed: list[Step]) -> None:
    told = defaultdict(list)
    for step in replayed:
        for row in step.rows:
            if isinstance(row, Event) and (found := statuses([row])):
                told[row.symbol].extend(found)
    assert told == {symbol: [("book", "synced")] for symbol in _SYMBOLS.values()}


def test_snapshots_stand_best_first_and_their_levels_are_all_there(replayed: list[Step]) -> None:
    counts = {}
    for frame, rows in of(replayed, "l2_data"):
        if frame["events"][0]["type"] == "snapshot":
            book = NaiveBook()
            book.replace(levels_of(frame, "bid"), levels_of(frame, "offer"))
            row = rows[-1]
            assert isinstance(row, Book)
            assert (row.bids, row.asks) == book.levels()
            assert (row.bids, row.asks) == (levels_of(frame, "bid"), levels_of(frame, "offer"))
            counts[row.symbol] = len(row.bids), len(row.asks)
    assert counts == {"BTC/USD": (18_764, 27_236), "ETH/USD": (6_935, 16_399)}


def test_books_are_never_crossed_and_equal_plain_dicts_and_what_consumers_hold(
    session: Session,
) -> None:
    pipeline = pipeline_of(EXCHANGE)
    books: dict[str, NaiveBook] = defaultdict(NaiveBook)
    consumers: dict[str, NaiveBook] = defaultdict(NaiveBook)
    for step in steps(pipeline, session):
        if step.frame["channel"] == "l2_data":
            symbol = _SYMBOLS[step.frame["events"][0]["product_id"]]
            books[symbol].apply(levels_of(step.frame, "bid"), levels_of(step.frame, "offer"))
        for row in step.rows:
            if isinstance(row, Book):
                consumers[row.symbol].take(row)
                stream = dict(pipeline.books())[row.symbol]
                bid, ask = stream.book.best_bid(), stream.book.best_ask()
                assert bid is not None
                assert ask is not None
                assert Decimal(bid[0]) < Decimal(ask[0])
    held = dict(pipeline.books())
    assert held.keys() == books.keys() == consumers.keys() == set(_SYMBOLS.values())
    for symbol, book in books.items():
        assert not book.crossed()
        assert book.levels() == held[symbol].book.depth(ALL)
        assert book.levels() == consumers[symbol].levels()
        assert (held[symbol].gaps, held[symbol].resyncs, held[symbol].outdated) == (0, 0, 0)


def test_the_top_of_the_book_is_that_of_the_ticker(session: Session) -> None:
    pipeline = pipeline_of(EXCHANGE)
    agrees = count = 0
    for step in steps(pipeline, session):
        books = dict(pipeline.books())
        for row in step.rows:
            if isinstance(row, Ticker) and row.symbol in books:
                bid, ask = books[row.symbol].book.best_bid(), books[row.symbol].book.best_ask()
                count += 1
                agrees += (bid or ("",))[0] == row.bid and (ask or ("",))[0] == row.ask
    # both run behind the market, a few dozen milliseconds apart
    assert count > 100
    assert agrees > count * 0.7


def test_answers_name_what_holds_by_then(session: Session) -> None:
    fresh = pipeline_of(EXCHANGE).adapter
    named = []
    for frame in session.frames:
        for output in fresh.on_frame(frame.data, None):
            if isinstance(output, Acknowledged):
                named.append({(s.channel, s.interval) for s in output.subscriptions})
                assert {s.symbol for s in output.subscriptions} == set(_SYMBOLS.values())
    trades, candles = ("trade", ""), ("candle", "5m")
    ticker, book = ("ticker", ""), ("book", "")
    assert named == [
        {trades},
        {trades, candles},
        {trades, candles, ticker},
        {trades, candles, ticker, book},
        {trades, candles, ticker, book},
    ]


def test_the_list_of_products_names_each_book_once(session: Session) -> None:
    kind = adapter(EXCHANGE)
    body = (session.folder / "rest-products.json").read_bytes()
    products = tree(body)["products"]
    listed = kind(SymbolTable()).instruments().parse(body, None)
    assert [row.venue_symbol for row in listed] == [
        product["product_id"] for product in products if not product["alias"]
    ]
    assert Counter(row.state for row in listed) == {"trading": 516, "delisted": 4}
    table = SymbolTable((row.symbol, row.venue_symbol) for row in listed)
    assert len(table) == len(listed) == 520
    assert "BTC/USD" in table
    with pytest.raises(SymbolError):
        table.to_venue("BTC/USDC")
    with_catalogue = Pipeline(kind(table), accept_any=True, book_levels=ALL)
    rows = [step.rows for step in steps(with_catalogue, session)]
    assert rows == [step.rows for step in steps(pipeline_of(EXCHANGE), session)]


def test_rows_carry_the_times_at_which_their_frames_came(session: Session) -> None:
    pipeline = pipeline_of(EXCHANGE)
    for frame in session.frames:
        for row in pipeline.on_frame(frame.data, frame.receive_time):
            assert isinstance(row, Event)
            assert row.receive_time == frame.receive_time
