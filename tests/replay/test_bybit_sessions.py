"""The recorded connections to Bybit through the pipeline, against an independent reading.

The recording has two sockets in one file: that of the spot market, which is ours, and that of the
futures. The protocol of trades and books is the same, so the futures prove the book's rule too;
their tickers are of another form and are explained here.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from collector_core.errors import FrameError
from collector_core.events import Book, Candle, Event, Instrument, Ticker, Trade
from collector_exchanges.discovery import adapter, replay_adapter
from collector_feed.outputs import Acknowledged, Undecodable
from collector_feed.pipeline import Pipeline
from collector_testkit.captures import Frame, Session, tree

from .replaying import ALL, NaiveBook, pipeline_of, statuses, values

pytestmark = pytest.mark.captures

EXCHANGE: Final = "bybit"
SESSIONS: Final = ("session-2026-08-09",)
SPOT: Final = "BYBIT.ws.3"
FUTURES: Final = "BYBIT.ws.2"
_CANDLE = "interval open_time close_time open high low close volume quote_volume trade_count closed"
Read = tuple[Any, list[Event | Undecodable]]


def frames_of(captures: Path, socket: str) -> list[Frame]:
    session = Session(captures / EXCHANGE / SESSIONS[0])
    lines = (session.folder / "session.meta.tsv").read_text(encoding="utf-8").splitlines()[1:]
    sockets = [line.split("\t")[1] for line in lines]
    assert set(sockets) == {SPOT, FUTURES}
    return [f for f, name in zip(session.frames, sockets, strict=True) if name == socket]


def replay(pipeline: Pipeline, frames: list[Frame]) -> list[Read]:
    return [(tree(f.data), pipeline.on_frame(f.data, f.receive_time)) for f in frames]


@pytest.fixture
def spot(captures: Path) -> list[Read]:
    return replay(pipeline_of(EXCHANGE), frames_of(captures, SPOT))


def of_topic(read: list[Read], kind: str) -> list[Read]:
    return [(f, rows) for f, rows in read if f.get("topic", "").partition(".")[0] == kind]


def rows_of(read: list[Read]) -> list[Event | Undecodable]:
    return [row for _, rows in read for row in rows]


def test_no_frame_of_the_spot_market_is_undecodable_or_unknown(spot: list[Read]) -> None:
    kinds = Counter(f["topic"].partition(".")[0] if "topic" in f else f["op"] for f, _ in spot)
    assert kinds == {
        "orderbook": 550, "tickers": 81, "kline": 25, "publicTrade": 18, "subscribe": 7,
    }  # fmt: skip
    assert [row for row in rows_of(spot) if isinstance(row, Undecodable)] == []


def test_of_the_futures_only_the_tickers_are_of_another_form(captures: Path) -> None:
    read = replay(pipeline_of(EXCHANGE), frames_of(captures, FUTURES))
    unread = [f for f, rows in read if any(isinstance(row, Undecodable) for row in rows)]
    assert {(f["topic"].partition(".")[0], f["type"]) for f in unread} == {("tickers", "delta")}
    assert len(unread) == 754


def test_each_trade_is_one_trade_row_and_there_is_no_other(spot: list[Read]) -> None:
    pairs = of_topic(spot, "publicTrade")
    assert pairs
    for frame, rows in pairs:
        assert [item["i"] for item in frame["data"]] == [values(row, "id")[0] for row in rows]
        for item, row in zip(frame["data"], rows, strict=True):
            assert isinstance(row, Trade)
            names = ("price", "amount", "side", "exchange_time", "backfilled")
            side = {"Buy": "buy", "Sell": "sell"}[item["S"]]
            expected = (item["p"], item["v"], side, int(item["T"]) * 1000, False)
            assert values(row, *names) == expected
            assert row.symbol.replace("/", "") == item["s"]
    trades = [row for row in rows_of(spot) if isinstance(row, Trade)]
    assert len(trades) == sum(len(frame["data"]) for frame, _ in pairs)
    assert len({row.id for row in trades}) == len(trades)


def test_each_candle_is_one_candle_row_digit_for_digit(spot: list[Read]) -> None:
    pairs = of_topic(spot, "kline")
    assert any(item["confirm"] for frame, _ in pairs for item in frame["data"])
    for frame, rows in pairs:
        for k, row in zip(frame["data"], rows, strict=True):
            assert isinstance(row, Candle)
            assert values(row, *_CANDLE.split()) == (
                *("1m", int(k["start"]) * 1000, int(k["end"]) * 1000 + 1000),
                *(k["open"], k["high"], k["low"], k["close"], k["volume"], k["turnover"]),
                *(None, k["confirm"]),
            )


def test_each_ticker_is_one_ticker_row_digit_for_digit(spot: list[Read]) -> None:
    pairs = of_topic(spot, "tickers")
    assert pairs
    for frame, rows in pairs:
        (row,) = rows
        data = frame["data"]
        assert isinstance(row, Ticker)
        names = ("last", "open", "high", "low", "volume", "quote_volume", "bid", "exchange_time")
        assert values(row, *names) == (
            *(data["lastPrice"], data["prevPrice24h"], data["highPrice24h"], data["lowPrice24h"]),
            *(data["volume24h"], data["turnover24h"], None, int(frame["ts"]) * 1000),
        )


def test_subscriptions_were_acknowledged(captures: Path) -> None:
    read = replay_adapter(EXCHANGE).on_frame
    answers = [read(f.data, None) for f in frames_of(captures, SPOT) if b'"op"' in f.data]
    assert answers == [[Acknowledged(None)]] * 7


@pytest.mark.parametrize(("socket", "books"), [(SPOT, 2), (FUTURES, 4)])
def test_chains_are_whole_and_books_equal_plain_dicts_and_what_consumers_hold(
    captures: Path, socket: str, books: int
) -> None:
    pipeline = pipeline_of(EXCHANGE)
    naive: dict[str, NaiveBook] = {}
    consumers: dict[str, NaiveBook] = {}
    numbers: dict[str, int] = {}
    published = 0
    for frame, rows in replay(pipeline, frames_of(captures, socket)):
        if not frame.get("topic", "").startswith("orderbook."):
            continue
        data = frame["data"]
        symbol = pipeline.adapter.symbols.from_venue(data["s"])
        if frame["type"] == "snapshot":
            assert symbol not in naive
            naive[symbol], consumers[symbol] = NaiveBook(), NaiveBook()
            naive[symbol].replace(data["b"], data["a"])
            assert statuses(rows) == [("book", "synced")]
        else:
            assert int(data["u"]) == numbers[symbol] + 1
            naive[symbol].apply(data["b"], data["a"])
            assert statuses(rows) == []
            for side, name in (("b", "bids"), ("a", "asks")):
                changes = [(p, a if Decimal(a) else "0") for p, a in data[side]]
                assert [(changes,)] == [values(row, name) for row in rows]
        numbers[symbol] = int(data["u"])
        row = rows[-1]
        assert isinstance(row, Book)
        assert (row.venue_sequence, row.exchange_time) == (
            *(int(data["u"]), int(frame["cts"]) * 1000),
        )
        consumers[symbol].take(row)
        published += 1
        # the exchange itself removes what falls out of the depth
        assert [len(side) for side in naive[symbol].sides] == [200, 200]
        bids, asks = naive[symbol].levels()
        assert Decimal(bids[0][0]) < Decimal(asks[0][0])
    assert published > 500
    held = dict(pipeline.books())
    assert held.keys() == naive.keys() == consumers.keys()
    assert len(held) == books
    for symbol, book in naive.items():
        assert book.levels() == held[symbol].book.depth(ALL) == consumers[symbol].levels()
        assert (held[symbol].gaps, held[symbol].resyncs) == (0, 0)
        assert held[symbol].book.sequence == numbers[symbol]


def catalogue(captures: Path, product: str) -> bytes:
    folder = captures / EXCHANGE / SESSIONS[0]
    return (folder / f"rest-instruments-{product}.json").read_bytes()


def test_symbols_by_quote_currencies_are_those_of_the_catalogue(
    captures: Path, spot: list[Read]
) -> None:
    kind = adapter(EXCHANGE)
    body = catalogue(captures, "spot")
    listed = replay_adapter(EXCHANGE).instruments().parse(body, None)
    assert len(listed) == len(tree(body)["result"]["list"])
    assert all(isinstance(row, Instrument) for row in listed)
    assert [row.symbol for row in listed] == [kind.read_symbol(row.venue_symbol) for row in listed]
    frames = frames_of(captures, SPOT)
    assert rows_of(spot) == rows_of(replay(pipeline_of(EXCHANGE, body), frames))


def test_the_catalogue_of_the_futures_is_not_taken_for_ours(captures: Path) -> None:
    request = replay_adapter(EXCHANGE).instruments()
    with pytest.raises(FrameError, match="expected an answer"):
        request.parse(catalogue(captures, "linear"), None)


def test_rows_carry_the_times_at_which_their_frames_came(captures: Path) -> None:
    pipeline = pipeline_of(EXCHANGE)
    for frame in frames_of(captures, SPOT):
        for row in pipeline.on_frame(frame.data, frame.receive_time):
            assert isinstance(row, Event)
            assert row.receive_time == frame.receive_time
