"""Every recorded connection to Upbit through the pipeline, against an independent reading."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import pytest

from collector_core.events import Book, Event, Level, Status, Trade
from collector_feed.outputs import Undecodable
from collector_testkit.captures import Session, written_out

from .replaying import NaiveBook, Step, pipeline_of, steps, values

pytestmark = pytest.mark.captures

EXCHANGE: Final = "upbit"
SESSIONS: Final = ("session-2021-04-05",)


def symbol_of(code: str) -> str:
    quote, base = code.split("-")
    return f"{base}/{quote}"


def levels_of(frame: Any, price: str, amount: str) -> list[Level]:  # noqa: ANN401  # JSON
    return [
        (written_out(unit[price]), written_out(unit[amount]))
        for unit in frame["obu"]
        if Decimal(unit[price]) and Decimal(unit[amount])
    ]


def test_no_frame_is_undecodable_or_unknown(replayed: list[Step]) -> None:
    assert {"trade", "orderbook"} == {step.frame["ty"] for step in replayed}
    assert [row for step in replayed for row in step.rows if isinstance(row, Undecodable)] == []


def test_each_trade_frame_is_one_trade_row_and_there_is_no_other(replayed: list[Step]) -> None:
    trades = [step for step in replayed if step.frame["ty"] == "trade"]
    assert trades
    for step in trades:
        (row,) = step.rows
        frame = step.frame
        assert isinstance(row, Trade)
        assert values(row, "symbol", "id", "price", "amount", "side", "exchange_time") == (
            symbol_of(frame["cd"]),
            frame["sid"],
            written_out(frame["tp"]),
            written_out(frame["tv"]),
            {"BID": "buy", "ASK": "sell"}[frame["ab"]],
            int(frame["ttms"]) * 1000,
        )
    rows = [row for step in replayed for row in step.rows if isinstance(row, Trade)]
    assert len(rows) == len(trades)


def test_each_changed_book_is_one_snapshot_row_digit_for_digit(replayed: list[Step]) -> None:
    shown: dict[str, tuple[list[Level], list[Level]]] = {}
    for step in replayed:
        if step.frame["ty"] != "orderbook":
            continue
        symbol = symbol_of(step.frame["cd"])
        book = levels_of(step.frame, "bp", "bs"), levels_of(step.frame, "ap", "as")
        rows = [row for row in step.rows if isinstance(row, Book)]
        if shown.get(symbol) == book:
            assert rows == []
            continue
        (row,) = rows
        assert (row.bids, row.asks) == book
        assert values(row, "symbol", "kind", "exchange_time", "venue_sequence") == (
            *(symbol, "snapshot", int(step.frame["tms"]) * 1000, None),
        )
        shown[symbol] = book
    assert shown


def test_books_are_synced_once_and_never_in_doubt_again(replayed: list[Step]) -> None:
    told = [row for step in replayed for row in step.rows if isinstance(row, Status)]
    books = {symbol_of(s.frame["cd"]) for s in replayed if s.frame["ty"] == "orderbook"}
    assert sorted(books) == sorted(row.symbol for row in told)
    assert {("book", "synced")} == {(row.channel, row.state) for row in told}


def test_books_are_in_order_and_never_crossed(replayed: list[Step]) -> None:
    for step in replayed:
        for row in step.rows:
            if isinstance(row, Book):
                book = NaiveBook()
                book.take(row)
                assert not book.crossed()
                assert book.levels() == (row.bids, row.asks)


def test_the_last_book_is_the_last_frame(session: Session) -> None:
    pipeline = pipeline_of(EXCHANGE)
    last: dict[str, Any] = {}
    for step in steps(pipeline, session):
        if step.frame["ty"] == "orderbook":
            last[symbol_of(step.frame["cd"])] = step.frame
    held = dict(pipeline.books())
    assert held.keys() == last.keys()
    for symbol, frame in last.items():
        whole = held[symbol].whole
        assert whole is not None
        assert (whole.bids, whole.asks) == (
            levels_of(frame, "bp", "bs"),
            levels_of(frame, "ap", "as"),
        )
        assert held[symbol].outdated == 0


def test_rows_carry_the_times_at_which_their_frames_came(session: Session) -> None:
    pipeline = pipeline_of(EXCHANGE)
    for frame in session.frames:
        for row in pipeline.on_frame(frame.data, frame.receive_time):
            assert isinstance(row, Event)
            assert row.receive_time == frame.receive_time
