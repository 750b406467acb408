"""Every recorded connection to Binance through the pipeline, against an independent reading."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any, Final

import pytest

from collector_core.events import Book, Candle, Event, Ticker, Trade
from collector_feed.outputs import Undecodable
from collector_testkit.captures import Session, tree

from .replaying import ALL, NaiveBook, Step, pipeline_of, statuses, steps, values

pytestmark = pytest.mark.captures

EXCHANGE: Final = "binance"
SESSIONS: Final = (
    "session-2021-04-05-10symbols",
    "session-2021-04-05-3symbols",
    "session-2021-04-17",
    "session-2021-09-14",
)
_SYMBOLS: Final = {"session-2021-04-05-10symbols": 10, "session-2021-04-05-3symbols": 3}
_CANDLE = "interval open_time close_time open high low close volume quote_volume trade_count closed"


def kind_of(frame: Any) -> str:  # noqa: ANN401  # JSON
    return str(frame["data"].get("e", "bookTicker"))


def frames_of(replayed: list[Step], kind: str) -> list[tuple[Any, list[Event | Undecodable]]]:
    return [
        (step.frame["data"], step.rows)
        for step in replayed
        if step.frame is not None and kind_of(step.frame) == kind
    ]


def test_no_frame_is_undecodable_or_unknown(replayed: list[Step]) -> None:
    kinds = Counter(kind_of(step.frame) for step in replayed if step.frame is not None)
    assert kinds.keys() <= {"aggTrade", "bookTicker", "depthUpdate", "kline"}
    assert [row for step in replayed for row in step.rows if isinstance(row, Undecodable)] == []


def test_each_trade_frame_is_one_trade_row_and_there_is_no_other(replayed: list[Step]) -> None:
    trades = frames_of(replayed, "aggTrade")
    assert trades
    for data, rows in trades:
        (row,) = rows
        assert isinstance(row, Trade)
        assert values(row, "id", "price", "amount", "side", "exchange_time", "backfilled") == (
            f"agg-{data['a']}",
            data["p"],
            data["q"],
            "sell" if data["m"] else "buy",
            int(data["T"]) * 1000,
            False,
        )
    rows = [row for step in replayed for row in step.rows if isinstance(row, Trade)]
    assert len(rows) == len(trades)


def test_each_candle_frame_is_one_candle_row_digit_for_digit(replayed: list[Step]) -> None:
    for data, rows in frames_of(replayed, "kline"):
        (row,) = rows
        k = data["k"]
        assert isinstance(row, Candle)
        assert values(row, *_CANDLE.split()) == (
            *(k["i"], int(k["t"]) * 1000, int(k["T"]) * 1000 + 1000),
            *(k["o"], k["h"], k["l"], k["c"], k["v"], k["q"], int(k["n"]), k["x"]),
        )


def test_each_touch_is_one_ticker_row_digit_for_digit(replayed: list[Step]) -> None:
    for data, rows in frames_of(replayed, "bookTicker"):
        (row,) = rows
        assert isinstance(row, Ticker)
        assert values(row, "bid", "bid_amount", "ask", "ask_amount", "last", "exchange_time") == (
            *(data["b"], data["B"], data["a"], data["A"]),
            *(None, None),
        )


def test_changes_are_published_digit_for_digit_once_the_book_is_synced(
    replayed: list[Step],
) -> None:
    published = 0
    for data, rows in frames_of(replayed, "depthUpdate"):
        for row in rows:
            if isinstance(row, Book):
                published += 1
                assert values(row, "kind", "venue_sequence", "exchange_time") == (
                    *("delta", int(data["u"]), int(data["E"]) * 1000),
                )
                for side, levels in (("b", row.bids), ("a", row.asks)):
                    assert levels == [
                        (price, amount if Decimal(amount) else "0") for price, amount in data[side]
                    ]
    assert published


def test_the_chain_of_each_book_is_whole_and_joined_to_its_snapshot(
    session: Session, replayed: list[Step]
) -> None:
    told = defaultdict(list)
    for step in replayed:
        for row in step.rows:
            if isinstance(row, Event) and (found := statuses([row])):
                told[row.symbol].extend(found)
    # asked for at the first change, joined at the answer, and never in doubt again
    assert {symbol: [("book", "resyncing"), ("book", "synced")] for symbol in told} == told
    assert len(told) == len(session.snapshots)
    assert len(told) == _SYMBOLS.get(session.name, len(told))


def test_books_are_never_crossed_and_equal_plain_dicts_and_what_consumers_hold(
    session: Session,
) -> None:
    pipeline = pipeline_of(EXCHANGE)
    early: dict[str, list[Any]] = defaultdict(list)
    books: dict[str, NaiveBook] = {}
    sequence: dict[str, int] = {}
    consumers: dict[str, NaiveBook] = defaultdict(NaiveBook)
    for step in steps(pipeline, session):
        if step.answer is not None and step.symbol is not None:
            snapshot = tree(step.answer.body)
            book = books[step.symbol] = NaiveBook()
            book.replace(snapshot["bids"], snapshot["asks"])
            sequence[step.symbol] = int(snapshot["lastUpdateId"])
            for data in early.pop(step.symbol, []):
                follow(book, sequence, step.symbol, data)
        elif kind_of(step.frame) == "depthUpdate":
            data = step.frame["data"]
            symbol = pipeline.adapter.symbols.from_venue(data["s"])
            if symbol in books:
                follow(books[symbol], sequence, symbol, data)
            else:
                early[symbol].append(data)
        for row in step.rows:
            if isinstance(row, Book):
                consumers[row.symbol].take(row)
                stream = dict(pipeline.books())[row.symbol]
                bid, ask = stream.book.best_bid(), stream.book.best_ask()
                assert bid is not None
                assert ask is not None
                assert Decimal(bid[0]) < Decimal(ask[0])
    held = dict(pipeline.books())
    assert held.keys() == books.keys() == consumers.keys()
    for symbol, book in books.items():
        assert not book.crossed()
        assert book.levels() == held[symbol].book.depth(ALL)
        assert book.levels() == consumers[symbol].levels()
        assert held[symbol].book.sequence == sequence[symbol]
        assert (held[symbol].gaps, held[symbol].resyncs) == (0, 0)


def follow(book: NaiveBook, sequence: dict[str, int], symbol: str, data: Any) -> None:  # noqa: ANN401  # JSON
    if int(data["u"]) > sequence[symbol]:
        assert int(data["U"]) <= sequence[symbol] + 1
        book.apply(data["b"], data["a"])
        sequence[symbol] = int(data["u"])


def test_symbols_by_quote_currencies_are_those_of_the_catalogue(session: Session) -> None:
    if session.instruments is None:
        assert session.name.startswith("session-2021-04-05")
        return
    with_catalogue = [
        step.rows for step in steps(pipeline_of(EXCHANGE, session.instruments), session)
    ]
    without = [step.rows for step in steps(pipeline_of(EXCHANGE), session)]
    assert without == with_catalogue


def test_rows_carry_the_times_at_which_their_frames_came(session: Session) -> None:
    pipeline = pipeline_of(EXCHANGE)
    for frame in session.frames[:2_000]:
        for row in pipeline.on_frame(frame.data, frame.receive_time):
            assert isinstance(row, Event)
            assert row.receive_time == frame.receive_time
