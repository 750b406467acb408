"""What is published against a fresh look over REST."""

from __future__ import annotations

from itertools import count

from msgspec.structs import replace

from collector_core.errors import RequestError
from collector_core.events import Event, Level, Status, Trade
from collector_core.symbols import SymbolTable
from collector_exchanges.binance import ADAPTER as BINANCE
from collector_exchanges.coinone import ADAPTER as COINONE
from collector_exchanges.upbit import ADAPTER as UPBIT
from collector_feed.audit import Audit
from collector_feed.outputs import BookDelta, BookSnapshot, Fetch, Page
from collector_feed.pipeline import Pipeline

SECOND = 1_000_000
BIDS: list[Level] = [("10.0", "1"), ("9", "2")]
ASKS: list[Level] = [("11", "1"), ("12", "2")]


class Bench:
    """One audit of one symbol."""

    def __init__(self, adapter: type, symbol: str, venue_symbol: str) -> None:
        self.symbol = symbol
        # the exchange's clock less ours, in microseconds
        self.skew: int | None = 0
        self.pipeline = Pipeline(adapter(SymbolTable([(symbol, venue_symbol)])))
        self.audit = Audit(self.pipeline, count(1), 10.0, lambda: self.skew)
        self.now = 100.0
        self.wall = 1_000 * SECOND
        self.out: list[Event] = []

    def wait(self, seconds: float) -> list[Fetch]:
        self.now += seconds
        self.wall += round(seconds * SECOND)
        return self.audit.on_time(self.now, self.wall, self.out)

    def answer(self, fetch: Fetch, answer: object) -> list[Fetch]:
        return self.audit.on_answer(fetch.token, answer, self.now, self.wall, self.out)  # type: ignore[arg-type]  # a page of trades or another answer

    def states(self) -> list[str]:
        return [row.state for row in self.out if isinstance(row, Status)]


def book_bench() -> Bench:
    bench = Bench(BINANCE, "BTC/USDT", "BTCUSDT")
    book = bench.pipeline.open_book("BTC/USDT")
    book.on_snapshot(BookSnapshot("BTC/USDT", 1, 100, BIDS, ASKS), 1, [])
    return bench


def delta(bench: Bench, first: int, last: int, *bids: Level) -> None:
    book = bench.pipeline.book_stream(bench.symbol)
    assert book is not None
    book.on_delta(BookDelta(bench.symbol, 1, first, last, list(bids), []), 1, bench.out)


def begun(bench: Bench) -> Fetch:
    assert bench.wait(1.0) == []
    (fetch,) = bench.wait(10.0)
    return fetch


def test_a_book_that_is_right_passes_at_the_very_update_of_the_snapshot() -> None:
    bench = book_bench()
    fetch = begun(bench)
    delta(bench, 101, 102, ("9", "5"))
    delta(bench, 103, 106, ("8", "1"), ("9", "6"))
    delta(bench, 107, 108, ("10.0", "0"))
    # in the middle of the second update: its level of 9 may be old or new
    found = [("10", "1"), ("9", "5.0"), ("8", "1")]
    bench.answer(fetch, BookSnapshot("BTC/USDT", None, 104, found, ASKS))
    assert (bench.audit.done, bench.audit.mismatches) == (1, 0)
    assert bench.states() == []


def test_a_level_that_rots_is_found_and_the_book_starts_anew() -> None:
    bench = book_bench()
    fetch = begun(bench)
    bench.answer(fetch, BookSnapshot("BTC/USDT", None, 100, [("10", "1"), ("9", "3")], ASKS))
    assert bench.audit.mismatches == 1
    assert bench.states() == ["book_invalid", "resyncing"]
    assert bench.pipeline.snapshots_wanted == ["BTC/USDT"]
    assert bench.out[0].reason == (  # type: ignore[attr-defined]  # a status row
        "expected bid 2 to be ('9', '3') as in a fresh snapshot, was ('9', '2')"
    )


def test_a_snapshot_that_is_ahead_is_waited_for() -> None:
    bench = book_bench()
    fetch = begun(bench)
    bench.answer(fetch, BookSnapshot("BTC/USDT", None, 102, [("10", "1"), ("9", "7")], ASKS))
    assert (bench.audit.done, bench.audit.inconclusive) == (0, 0)
    delta(bench, 101, 102, ("9", "7"))
    bench.wait(0.1)
    assert (bench.audit.done, bench.audit.mismatches) == (1, 0)


def test_what_cannot_be_compared_proves_nothing() -> None:
    for spoil in ("old", "never", "broken", "failed"):
        bench = book_bench()
        fetch = begun(bench)
        if spoil == "broken":
            delta(bench, 150, 151, ("9", "7"))
        answer: object = BookSnapshot("BTC/USDT", None, 100, [("10", "9")], ASKS)
        if spoil == "old":
            answer = replace(answer, last=90)  # type: ignore[type-var]  # a struct
        if spoil == "never":
            answer = replace(answer, last=900)  # type: ignore[type-var]  # a struct
        if spoil == "failed":
            answer = RequestError("expected an answer, was silent")
        bench.answer(fetch, answer)
        bench.wait(11.0)
        assert (bench.audit.done, bench.audit.inconclusive) == (0, 1), spoil
        assert bench.audit.mismatches == 0
        book = bench.pipeline.book_stream("BTC/USDT")
        assert book is not None
        if spoil != "failed":
            # nothing is recorded any longer, unless the next audit has begun
            assert book.recorder in (None, [])


def test_whole_books_are_compared_where_their_numbers_meet() -> None:
    bench = Bench(COINONE, "BTC/KRW", "KRW-BTC")
    book = bench.pipeline.open_book("BTC/KRW")
    book.on_whole(BookSnapshot("BTC/KRW", 1, 5, BIDS, ASKS), 1, [])
    fetch = begun(bench)
    book.on_whole(BookSnapshot("BTC/KRW", 2, 6, [("10", "4")], ASKS), 1, [])
    bench.answer(fetch, BookSnapshot("BTC/KRW", 1, 5, BIDS, ASKS))
    assert (bench.audit.done, bench.audit.mismatches) == (1, 0)


def trade(ident: int, second: float) -> Trade:
    return Trade(
        "upbit", "BTC/KRW", 1_000 * SECOND + round(second * SECOND), 1, 0, 0, str(ident), "1", "1",
        "buy",
    )  # fmt: skip


def trade_bench() -> tuple[Bench, list[Event]]:
    bench = Bench(UPBIT, "BTC/KRW", "KRW-BTC")
    stream = bench.pipeline.open_trades("BTC/KRW")
    stream.begin()
    published: list[Event] = []
    for ident in range(10):
        stream.take(trade(ident, ident - 20), published)
    return bench, published


def test_a_trade_that_a_live_connection_never_brought_is_found() -> None:
    bench, _ = trade_bench()
    stream = bench.pipeline.trade_stream("BTC/KRW")
    assert stream is not None
    fetch = begun(bench)
    for ident in (20, 22):
        stream.take(trade(ident, ident - 8), [])
    # the second audit compares what the first one could not yet
    bench.answer(fetch, Page([trade(n, n - 20) for n in range(10)]))
    assert bench.audit.done == 1
    (fetch,) = bench.wait(30.0)
    rows = [trade(n, n - 8) for n in (20, 21, 22)]
    bench.answer(fetch, Page(rows))
    assert [getattr(row, "id", None) or getattr(row, "state", None) for row in bench.out] == [
        *("gap", "21", "backfilled")
    ]
    assert (bench.audit.done, bench.audit.mismatches) == (2, 1)
    # it is on the bus now
    stream.take(trade(21, 13), bench.out)
    assert len(bench.out) == 3


def test_the_newest_moments_of_a_history_are_left_to_the_next_audit() -> None:
    bench, _ = trade_bench()
    fetch = begun(bench)
    bench.answer(fetch, Page([trade(99, 10.9)]))
    assert bench.out == []
    (fetch,) = bench.wait(10.0)
    bench.answer(fetch, Page([trade(9, -11), trade(99, 10.9)]))
    assert [getattr(row, "id", None) for row in bench.out] == [None, "99", None]


def test_what_was_lost_before_the_first_audit_is_found() -> None:
    bench, _ = trade_bench()
    fetch = begun(bench)
    # of these the first ten are on the bus
    bench.answer(fetch, Page([trade(n, n / 2 - 20) for n in range(20)]))
    found = [row.id for row in bench.out if isinstance(row, Trade)]
    assert found == [str(n) for n in range(10, 20)]


def test_a_stream_that_is_behind_is_compared_from_its_last_trade_on() -> None:
    bench, _ = trade_bench()
    fetch = begun(bench)
    bench.answer(fetch, Page([]))
    # nothing has come since; the second audit may not skip what the first one could not see
    (fetch,) = bench.wait(60.0)
    bench.answer(fetch, Page([trade(50, -2.0), trade(51, 30.0)]))
    assert [row.id for row in bench.out if isinstance(row, Trade)] == ["50", "51"]


def test_a_clock_of_ours_that_jumped_does_not_mislead() -> None:
    bench, _ = trade_bench()
    bench.wall += 3_600 * SECOND
    bench.skew = None
    assert bench.wait(1.0) == []
    assert bench.wait(10.0) == []
    bench.skew = -3_600 * SECOND
    (fetch,) = bench.wait(10.0)
    rows = [trade(99, 15.0), trade(100, 17.0)]
    bench.answer(fetch, Page(rows))
    # it is 1021 at the exchange, and the last seconds are left to the next audit
    assert [row.id for row in bench.out if isinstance(row, Trade)] == ["99"]


def test_a_replacement_goes_on_where_its_predecessor_stood() -> None:
    old, _ = trade_bench()
    old.answer(begun(old), Page([]))
    new = Bench(UPBIT, "BTC/KRW", "KRW-BTC")
    new.pipeline.adopt(old.pipeline)
    new.audit.adopt(old.audit)
    new.wall = old.wall
    fetch = begun(new)
    new.answer(fetch, Page([trade(50, -15.5), trade(51, 9.0)]))
    assert [row.id for row in new.out if isinstance(row, Trade)] == ["51"]


def test_a_history_that_is_too_short_says_so() -> None:
    bench, _ = trade_bench()
    bench.wall += 60 * SECOND
    fetch = begun(bench)
    bench.answer(fetch, Page([trade(50, 40.0), trade(51, 41.0)]))
    said = [
        row.id if isinstance(row, Trade) else (row.state, row.from_, row.to)
        for row in bench.out
        if isinstance(row, Trade | Status)
    ]
    last, first, end = ("989000000", "1040000000", "1041000000")
    assert said == [
        ("gap", last, end),
        *("50", "51"),
        ("backfilled", "1040000001", end),
        ("gap", last, first),
    ]
