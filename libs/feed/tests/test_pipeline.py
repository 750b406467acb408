"""From frames to rows, with an adapter that a test scripts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, ClassVar

import msgspec
import pytest

from collector_core.errors import FrameError
from collector_core.events import Candle, Clock, Instrument, Status, Ticker, Trade
from collector_core.symbols import SymbolTable
from collector_exchanges.binance.spec import SPEC
from collector_feed.adapter import Adapter
from collector_feed.outputs import (
    Acknowledged,
    BookDelta,
    BookSnapshot,
    Decoded,
    Notice,
    Rejected,
    Request,
    Send,
    Subscription,
    Undecodable,
)
from collector_feed.pipeline import Pipeline
from collector_feed.recent_trades import TradeSeed
from collector_feed.spec import Spec

MINUTE = 60_000_000


class ScriptedAdapter(Adapter):
    """Decodes each frame to what the test put into ``says`` for it."""

    spec: ClassVar[Spec] = msgspec.structs.replace(SPEC, exchange="x")

    def __init__(self) -> None:
        super().__init__(SymbolTable([("A/X", "AX")]))
        self.says: list[Decoded] = []

    @staticmethod
    def read_symbol(venue_symbol: str) -> str:
        return venue_symbol

    def change(
        self,
        held: Collection[Subscription],
        add: Sequence[Subscription],
        remove: Sequence[Subscription],
    ) -> list[tuple[Send, tuple[Subscription, ...]]]:
        raise NotImplementedError

    def on_frame(self, frame: bytes | memoryview, receive_time: int | None) -> list[Decoded]:  # noqa: ARG002  # the contract
        if frame == b"nested":
            raise RecursionError("maximum recursion depth exceeded while deserializing an object")
        if frame == b"bad":
            raise FrameError("expected something else, was b'bad'")
        return self.says

    def instruments(self) -> Request[list[Instrument]]:
        raise NotImplementedError


class Whole(ScriptedAdapter):
    spec = msgspec.structs.replace(
        SPEC, exchange="x", book_rule="whole", book_by_rest=False, candle_flag=False
    )


class Linked(ScriptedAdapter):
    spec = msgspec.structs.replace(SPEC, exchange="x", book_rule="link", book_by_rest=False)


def trade(ident: int, symbol: str = "A/X") -> Trade:
    return Trade("x", symbol, 1_000_000 * ident, 5, 0, 0, str(ident), "1", "1", "buy")


def candle(minute: int, close: str) -> Candle:
    at = minute * MINUTE
    return Candle(
        *("x", "A/X", at, at, 0, 0, "1m", at, at + MINUTE, "1", "1", "1", close, "1", None, None),
        closed=False,
    )


def rows_of(pipeline: Pipeline, *says: Decoded) -> list[object]:
    assert isinstance(pipeline.adapter, ScriptedAdapter)
    pipeline.adapter.says = list(says)
    return [*pipeline.on_frame(b"frame", 5)]


@pytest.mark.parametrize("frame", [b"bad", b"nested"])
def test_a_frame_that_cannot_be_read_is_kept_as_a_copy(frame: bytes) -> None:
    buffer = bytearray(frame)
    (row,) = Pipeline(ScriptedAdapter()).on_frame(memoryview(buffer), 7)
    assert isinstance(row, Undecodable)
    assert (row.frame, row.receive_time) == (frame, 7)
    assert row.error
    buffer[:] = b"\x00" * len(buffer)
    assert row.frame == frame


def test_only_symbols_that_were_opened_pass() -> None:
    pipeline = Pipeline(ScriptedAdapter())
    pipeline.open_trades("A/X")
    delta = BookDelta("B/X", None, 1, 1, [], [])
    book = BookSnapshot("B/X", None, 1, [], [])
    assert rows_of(pipeline, trade(1, "B/X"), delta, book, trade(1)) == [trade(1)]
    assert rows_of(pipeline, trade(2, "B/X")) == []
    assert pipeline.foreign == 4


def test_a_replay_takes_every_symbol() -> None:
    pipeline = Pipeline(ScriptedAdapter(), accept_any=True)
    assert rows_of(pipeline, trade(1, "B/X"), trade(2, "B/X"), trade(9, "C/X")) == [
        trade(1, "B/X"),
        trade(2, "B/X"),
        trade(9, "C/X"),
    ]
    delta = BookDelta("B/X", None, 1, 1, [], [])
    (row,) = rows_of(pipeline, delta)
    assert isinstance(row, Status)
    assert row.state == "resyncing"
    assert pipeline.snapshots_wanted == ["B/X"]
    assert [symbol for symbol, _ in pipeline.trades()] == ["B/X", "C/X"]
    assert [symbol for symbol, _ in pipeline.books()] == ["B/X"]


def test_what_concerns_the_connection_is_kept_for_the_holder() -> None:
    pipeline = Pipeline(ScriptedAdapter())
    said: tuple[Decoded, ...] = (Acknowledged(1), Rejected(None, "no"), Notice("soon"))
    assert rows_of(pipeline, *said) == []
    assert pipeline.control == list(said)
    assert pipeline.attention
    pipeline.interrupted()
    assert pipeline.control == []


def test_other_events_pass_as_they_are() -> None:
    ticker = Ticker("x", "A/X", 1, 2, 0, 0, last="5")
    assert rows_of(Pipeline(ScriptedAdapter()), ticker, candle(1, "2")) == [ticker, candle(1, "2")]


def test_candles_without_a_flag_are_closed_here() -> None:
    pipeline = Pipeline(Whole())
    assert rows_of(pipeline, candle(1, "1")) == [candle(1, "1")]
    rows = rows_of(pipeline, candle(2, "5"))
    assert rows == [msgspec.structs.replace(candle(1, "1"), closed=True), candle(2, "5")]
    assert pipeline.closed_candles(3 * MINUTE) == []
    assert pipeline.closed_candles(4 * MINUTE) == [
        msgspec.structs.replace(candle(2, "5"), closed=True)
    ]
    assert Pipeline(ScriptedAdapter()).closed_candles(9 * MINUTE) == []


def test_an_outage_closes_no_candle() -> None:
    pipeline = Pipeline(Whole())
    rows_of(pipeline, candle(1, "1"))
    pipeline.interrupted()
    assert pipeline.closed_candles(9 * MINUTE) == []
    assert rows_of(pipeline, candle(5, "5")) == [candle(5, "5")]


def test_a_candle_that_is_no_longer_wanted_is_forgotten() -> None:
    pipeline = Pipeline(Whole())
    rows_of(pipeline, candle(1, "1"))
    pipeline.close("candle", "A/X")
    assert pipeline.closed_candles(9 * MINUTE) == []


def test_whole_books_need_no_snapshot_and_no_repetition() -> None:
    pipeline = Pipeline(Whole())
    pipeline.open_book("A/X")
    pipeline.begin("book", "A/X", 1, [])
    book = BookSnapshot("A/X", 3, None, [("1", "1")], [("2", "1")])
    status, row = rows_of(pipeline, book)
    assert isinstance(status, Status)
    assert status.state == "synced"
    assert pipeline.book_rows(9) == []
    assert pipeline.snapshots_wanted == []
    assert row


def test_a_streamed_snapshot_is_waited_for_and_not_fetched() -> None:
    pipeline = Pipeline(Linked())
    pipeline.open_book("A/X")
    begun: list[Any] = []
    pipeline.begin("book", "A/X", 1, begun)
    assert [row.state for row in begun] == ["resyncing"]
    # what came before the snapshot is part of it
    assert rows_of(pipeline, BookDelta("A/X", None, 9, 10, [("1", "1")], [])) == []
    assert (pipeline.snapshots_wanted, pipeline.snapshots_awaited) == ([], ["A/X"])
    rows = rows_of(pipeline, BookSnapshot("A/X", None, 10, [("1", "1")], [("2", "1")]))
    assert [getattr(row, "state", None) or getattr(row, "kind", None) for row in rows] == [
        "synced",
        "snapshot",
    ]
    (again,) = pipeline.book_rows(77)
    assert (again.receive_time, again.exchange_time) == (77, None)


def test_trades_begin_from_their_seed_and_leave_one() -> None:
    seeds = {"A/X": TradeSeed(("4",), 4_000_000)}
    pipeline = Pipeline(ScriptedAdapter(), seeds)
    stream = pipeline.open_trades("A/X")
    assert pipeline.open_trades("A/X") is stream
    assert seeds == {}
    assert rows_of(pipeline, trade(4), trade(5)) == [trade(5)]
    pipeline.close("trade", "A/X")
    assert seeds == {"A/X": TradeSeed(("5",), 5_000_000)}
    pipeline.close("trade", "A/X")
    assert rows_of(pipeline, trade(6)) == []


def test_the_short_way_of_a_trade_is_the_long_one() -> None:
    one, two = Pipeline(ScriptedAdapter()), Pipeline(ScriptedAdapter())
    for pipeline in (one, two):
        pipeline.open_trades("A/X")
        pipeline.begin("trade", "A/X", 1, [])
    idents = [1, 2, 3, 3, 6, 4, 7, 8]
    alone = [row for ident in idents for row in rows_of(one, trade(ident))]
    together = rows_of(two, *(trade(ident) for ident in idents))
    assert alone == together
    assert [getattr(row, "id", None) or getattr(row, "state", None) for row in alone] == [
        *("1", "2", "3", "gap", "6", "4", "backfilled", "7", "8")
    ]


def test_clock_rows_are_of_healthy_streams_alone() -> None:
    pipeline = Pipeline(ScriptedAdapter())
    pipeline.open_trades("A/X")
    pipeline.open_trades("B/X")
    pipeline.begin("trade", "A/X", 1, [])
    assert pipeline.clock_rows(5_000_000, 9) == [Clock("x", "A/X", 5_000_000, 9, 0, 0, 5_000_000)]
    pipeline.interrupted()
    assert pipeline.clock_rows(6_000_000, 9) == []


def test_answers_for_books_that_do_not_wait_are_dropped() -> None:
    pipeline = Pipeline(ScriptedAdapter())
    book = BookSnapshot("A/X", None, 1, [], [])
    assert pipeline.on_snapshot(book, 1) == []
    assert pipeline.snapshot_failed("A/X", "no", 1) == []
    assert pipeline.without_snapshot("A/X", "no", 1) == []
    assert not pipeline.wants_snapshot("A/X")
    pipeline.open_book("A/X")
    assert pipeline.on_snapshot(book, 1) == []
    pipeline.begin("book", "A/X", 1, [])
    assert pipeline.wants_snapshot("A/X")
    # confirmed once more, it does not begin once more
    rows: list[object] = []
    pipeline.begin("book", "A/X", 1, rows)  # type: ignore[arg-type]  # a list of events
    assert rows == []
    assert [r.state for r in pipeline.snapshot_failed("A/X", "no", 1)] == ["resyncing"]  # type: ignore[attr-defined]  # status rows
    assert [r.state for r in pipeline.without_snapshot("A/X", "no", 1)] == ["resyncing"]  # type: ignore[attr-defined]  # status rows
    pipeline.close("book", "A/X")
    assert not pipeline.wants_snapshot("A/X")


def test_an_adapter_without_rest_says_so() -> None:
    adapter = Linked()
    for call in (
        lambda: adapter.book("A/X"),
        lambda: adapter.trades("A/X"),
        lambda: adapter.candles("A/X", "1m", None, None),
    ):
        with pytest.raises(NotImplementedError, match="x has no"):
            call()
    assert adapter.url("wss://x") == "wss://x"
    assert adapter.login() is None
    adapter.reset()
