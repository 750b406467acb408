"""Fetching snapshots: one at a time for a symbol, later if in vain, never for nothing."""

from __future__ import annotations

from itertools import count
from math import inf

from collector_core.errors import RequestError, Throttled
from collector_core.events import Book, Event, Level, Status
from collector_core.symbols import SymbolTable
from collector_exchanges.binance import ADAPTER
from collector_feed.backoff import Backoff
from collector_feed.outputs import BookSnapshot, Fetch
from collector_feed.pipeline import Pipeline
from collector_feed.resync import Resync

BIDS: list[Level] = [("10", "1")]
ASKS: list[Level] = [("11", "1")]


def diff(symbol: str, first: int, last: int) -> bytes:
    return (
        f'{{"e":"depthUpdate","E":1,"s":"{symbol}","U":{first},"u":{last},'
        f'"b":[["9.5","{last}"]],"a":[]}}'
    ).encode()


def snapshot(last: int, symbol: str = "BTC/USDT") -> BookSnapshot:
    return BookSnapshot(symbol, None, last, BIDS, ASKS)


class Bench:
    """A pipeline of two books and the fetches that it wants."""

    def __init__(self) -> None:
        table = SymbolTable([("BTC/USDT", "BTCUSDT"), ("ETH/USDT", "ETHUSDT")])
        self.pipeline = Pipeline(ADAPTER(table))
        self.resync = Resync(
            self.pipeline, lambda: Backoff(lambda: 0.5, base=4.0, cap=60.0), count(1)
        )
        for symbol in ("BTC/USDT", "ETH/USDT"):
            self.pipeline.open_book(symbol)

    def begin(self, symbol: str = "BTC/USDT") -> Fetch:
        self.pipeline.open_book(symbol)
        self.pipeline.begin("book", symbol, 1, [])
        (fetch,) = self.resync.wanted()
        return fetch

    def frame(self, first: int, last: int, symbol: str = "BTCUSDT") -> list[str]:
        return said([r for r in self.pipeline.on_frame(diff(symbol, first, last), 5) if r])  # type: ignore[misc]  # no frame here is unreadable


def said(rows: list[Event]) -> list[str]:
    return [
        row.state if isinstance(row, Status) else f"{row.kind} {row.venue_sequence}"
        for row in rows
        if isinstance(row, Status | Book)
    ]


def test_a_wish_is_one_fetch_and_its_answer_the_book() -> None:
    bench = Bench()
    fetch = bench.begin()
    assert ("symbol", "BTCUSDT") in fetch.request.query
    bench.frame(90, 101)
    # further deltas wish again while the fetch is under way: nothing more is asked
    assert bench.resync.wanted() == []
    rows = bench.resync.on_answer(fetch.token, snapshot(100), 10.0, 7)
    assert said(rows) == ["synced", "snapshot 100", "delta 101"]
    assert bench.resync.deadline() is None
    assert bench.resync.wanted() == []


def test_symbols_are_fetched_each_for_itself() -> None:
    bench = Bench()
    one, two = bench.begin("BTC/USDT"), bench.begin("ETH/USDT")
    assert one.token != two.token
    assert said(bench.resync.on_answer(two.token, snapshot(5, "ETH/USDT"), 1.0, 7)) == [
        "synced",
        "snapshot 5",
    ]
    assert bench.pipeline.wants_snapshot("BTC/USDT")


def test_a_failure_is_said_and_tried_again_later() -> None:
    bench = Bench()
    fetch = bench.begin()
    rows = bench.resync.on_answer(fetch.token, RequestError("503", 503), 10.0, 7)
    assert said(rows) == ["resyncing"]
    # half of the base of 4 seconds
    assert bench.resync.deadline() == 12.0
    bench.frame(90, 101)
    assert bench.resync.wanted() == []
    assert bench.resync.on_time(11.9) == []
    (again,) = bench.resync.on_time(12.0)
    assert again.token != fetch.token
    assert bench.resync.deadline() == inf
    assert bench.resync.on_time(99.0) == []
    # the second failure waits twice as long
    bench.resync.on_answer(again.token, RequestError("503", 503), 12.0, 7)
    assert bench.resync.deadline() == 16.0
    (third,) = bench.resync.on_time(16.0)
    assert said(bench.resync.on_answer(third.token, snapshot(100), 16.0, 7))[0] == "synced"
    assert bench.resync.deadline() is None


def test_a_throttle_is_waited_for() -> None:
    bench = Bench()
    fetch = bench.begin()
    bench.resync.on_answer(fetch.token, Throttled("429", 429, retry_after=30.0), 10.0, 7)
    assert bench.resync.deadline() == 40.0


def test_a_snapshot_that_is_too_old_is_asked_for_again_later() -> None:
    bench = Bench()
    fetch = bench.begin()
    bench.frame(200, 201)
    assert said(bench.resync.on_answer(fetch.token, snapshot(100), 10.0, 7)) == ["resyncing"]
    assert bench.resync.wanted() == []
    assert bench.resync.deadline() == 12.0


def test_an_answer_that_nobody_waits_for_is_dropped() -> None:
    bench = Bench()
    fetch = bench.begin()
    assert bench.resync.on_answer(999, snapshot(1), 1.0, 7) == []
    bench.resync.clear()
    bench.pipeline.interrupted()
    assert bench.resync.on_answer(fetch.token, snapshot(100), 10.0, 7) == []
    assert bench.resync.deadline() is None


def test_a_retry_of_a_symbol_that_is_gone_is_dropped() -> None:
    bench = Bench()
    fetch = bench.begin()
    bench.resync.on_answer(fetch.token, RequestError("503", 503), 10.0, 7)
    bench.pipeline.close("book", "BTC/USDT")
    assert bench.resync.on_time(12.0) == []
    assert bench.resync.deadline() is None


def test_a_symbol_that_went_during_its_retry_and_came_back_is_fetched() -> None:
    bench = Bench()
    fetch = bench.begin()
    bench.resync.on_answer(fetch.token, RequestError("503", 503), 10.0, 7)
    (again,) = bench.resync.on_time(12.0)
    bench.pipeline.close("book", "BTC/USDT")
    assert bench.resync.on_answer(again.token, snapshot(100), 13.0, 7) == []
    third = bench.begin()
    assert said(bench.resync.on_answer(third.token, snapshot(100), 14.0, 7)) == [
        "synced",
        "snapshot 100",
    ]
