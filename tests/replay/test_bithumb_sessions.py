"""The recorded connection to Bithumb is of its legacy socket: nothing of it is taken for ours.

The legacy socket sends trades without ids and changes of a book without numbers, and stands in no
current documentation; we speak the current one alone. A recording of that one does not exist, so
its isolated frames are replayed here as a connection of their own.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from collector_core.errors import FrameError
from collector_core.events import Book, Level, Ticker, Trade
from collector_feed.outputs import Undecodable
from collector_testkit.captures import Session, samples, tree, written_out

from .replaying import NaiveBook, pipeline_of, statuses, steps, values

pytestmark = pytest.mark.captures

EXCHANGE: Final = "bithumb"
SESSIONS: Final = ("session-legacy-2021-06-02",)
CURRENT: Final = {
    ("samples-ccxt-comments/ws-public.jsonl", 2),
    ("samples-maxt/book.jsonl", 1),
    ("samples-maxt/ticker.jsonl", 1),
    ("samples-maxt/trades.jsonl", 1),
    ("samples-maxt/trades.jsonl", 2),
}
"""Isolated frames, by file and line, that the current socket sent; see samples-bithumb.json."""


# --- the legacy socket -------------------------------------------------------------------------


def test_each_frame_of_the_legacy_socket_is_told_as_not_ours(session: Session) -> None:
    kinds: Counter[str] = Counter()
    for step in steps(pipeline_of(EXCHANGE), session):
        (row,) = step.rows
        assert isinstance(row, Undecodable)
        assert row.error.startswith("expected a Bithumb frame, was ")
        assert tree(row.frame) == step.frame
        kinds[step.frame.get("type", "status")] += 1
    assert kinds.keys() == {"status", "transaction", "orderbookdepth"}
    assert sum(kinds.values()) == len(session.frames) == 98


def test_the_legacy_socket_has_what_could_not_be_proven_whole(session: Session) -> None:
    names: dict[str, set[str]] = {}
    for frame in session.frames:
        content = tree(frame.data)
        for item in content.get("content", {}).get("list", []):
            names.setdefault(content["type"], set()).update(item)
    # no id of a trade and no number of an update: why this protocol is not spoken
    assert names == {
        "transaction": {
            *("symbol", "buySellGb", "contPrice", "contQty", "contAmt", "contDtm", "updn"),
        },
        "orderbookdepth": {"symbol", "orderType", "price", "quantity", "total"},
    }


def test_legacy_answers_of_rest_are_refused_in_the_exchange_s_words(session: Session) -> None:
    adapter = pipeline_of(EXCHANGE).adapter
    for name in ("rest-ticker-ALL_BTC.json", "rest-ticker-ALL_KRW.json"):
        body = (session.folder / name).read_bytes()
        with pytest.raises(FrameError, match=r"^expected an answer of Bithumb"):
            adapter.instruments().parse(body, None)


# --- the current socket, from isolated frames --------------------------------------------------


@pytest.fixture
def frames(captures: Path) -> list[bytes]:
    """Return the frames that the current socket sent, oldest first."""
    found = [s.data for s in samples(captures, EXCHANGE) if (s.file, s.line) in CURRENT]
    assert len(found) == len(CURRENT)
    # the book's time has three digits more than the others
    return sorted(found, key=lambda frame: tree(frame)["timestamp"][:13])


def levels_of(frame: Any, price: str, amount: str) -> list[Level]:  # noqa: ANN401  # JSON
    return [
        (written_out(unit[price]), written_out(unit[amount]))
        for unit in frame["orderbook_units"]
        if Decimal(unit[price]) and Decimal(unit[amount])
    ]


def test_the_frames_of_the_current_socket_are_read_digit_for_digit(frames: list[bytes]) -> None:
    pipeline = pipeline_of(EXCHANGE)
    kinds: Counter[type] = Counter()
    for frame in frames:
        content = tree(frame)
        rows = pipeline.on_frame(frame, None)
        row = rows[-1]
        quote, base = content["code"].split("-")
        assert values(row, "exchange", "symbol") == (EXCHANGE, f"{base}/{quote}")
        match row:
            case Trade():
                assert rows == [row]
                assert values(row, "id", "price", "amount", "side", "exchange_time") == (
                    content["sequential_id"],
                    content["trade_price"],
                    content["trade_volume"],
                    {"BID": "buy", "ASK": "sell"}[content["ask_bid"]],
                    int(content["trade_timestamp"]) * 1000,
                )
            case Ticker():
                assert rows == [row]
                assert values(row, "last", "volume", "quote_volume", "exchange_time") == (
                    content["trade_price"],
                    content["acc_trade_volume_24h"],
                    content["acc_trade_price_24h"],
                    int(content["timestamp"]) * 1000,
                )
            case Book():
                assert statuses(rows) == [("book", "synced")]
                assert (row.bids, row.asks) == (
                    levels_of(content, "bid_price", "bid_size"),
                    levels_of(content, "ask_price", "ask_size"),
                )
                # 16 digits: microseconds
                assert row.exchange_time == int(content["timestamp"]) > 10**15
                held = NaiveBook()
                held.take(row)
                assert not held.crossed()
                assert held.levels() == (row.bids, row.asks)
        kinds[type(row)] += 1
    assert kinds == {Trade: 2, Ticker: 2, Book: 1}


def test_the_recorded_book_has_dust_that_is_no_level(frames: list[bytes]) -> None:
    (frame,) = (f for f in frames if tree(f)["type"] == "orderbook")
    units = tree(frame)["orderbook_units"]
    dust = sum(not Decimal(unit["bid_size"]) for unit in units)
    row = pipeline_of(EXCHANGE).on_frame(frame, None)[-1]
    assert isinstance(row, Book)
    assert dust > 0
    assert len(row.bids) == len(units) - dust
