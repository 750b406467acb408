"""Candles over REST: those of intervals that nobody pushes, and those missed in an outage."""

from __future__ import annotations

from itertools import count

from collector_core.errors import RequestError, Throttled
from collector_core.events import Candle, Event
from collector_core.symbols import SymbolTable
from collector_exchanges.bithumb import ADAPTER
from collector_feed.backoff import Backoff
from collector_feed.candle_history import CandleHistory
from collector_feed.outputs import Fetch, Page, Subscription
from collector_feed.pipeline import Pipeline

MINUTE = 60_000_000
START = 1_795_305_600_000_000 // MINUTE * MINUTE
ONE = Subscription("candle", "BTC/KRW", "1m")


def candle(number: int, *, closed: bool = True, backfilled: bool = True) -> Candle:
    opened = START + number * MINUTE
    return Candle(
        "bithumb", "BTC/KRW", None, 1, 0, 0, "1m", opened, opened + MINUTE, "1", "1", "1", "1", "1",
        None, None, closed, backfilled,
    )  # fmt: skip


class Bench:
    def __init__(self) -> None:
        self.pipeline = Pipeline(ADAPTER(SymbolTable([("BTC/KRW", "KRW-BTC")])))
        self.history = CandleHistory(
            self.pipeline, lambda: Backoff(lambda: 0.5, base=4.0), count(1), lambda: 0.5
        )
        self.now = 100.0
        self.out: list[Event] = []

    @property
    def wall(self) -> int:
        return START + round((self.now - 100.0) * 1e6)

    def run(self, seconds: float) -> list[tuple[float, Fetch]]:
        """Let time pass from deadline to deadline; return what is fetched, and when."""
        fetched = []
        end = self.now + seconds
        for _ in range(1_000):
            at = self.history.deadline()
            if at is None or at > end:
                break
            self.now = max(self.now, at)
            fetched += [(self.now, f) for f in self.history.on_time(self.now, self.wall)]
        self.now = end
        return fetched

    def answer(self, fetch: Fetch, answer: object) -> list[Fetch]:
        return self.history.on_answer(fetch.token, answer, self.now, self.wall, self.out)  # type: ignore[arg-type]  # a page or an error


def numbers(rows: list[Event]) -> list[int]:
    return [(row.open_time - START) // MINUTE for row in rows if isinstance(row, Candle)]


def test_a_polled_interval_is_fetched_as_it_closes_and_each_candle_once() -> None:
    bench = Bench()
    bench.history.begin(ONE, bench.now, polled=True)
    ((_, first),) = bench.run(1.0)
    assert dict(first.request.query)["market"] == "KRW-BTC"
    bench.answer(first, Page([candle(-2), candle(-1)]))
    # the next one closes at a minute, and the exchange is given two seconds and a spread
    ((at, second),) = bench.run(90.0)
    assert 160.0 + 2.0 <= at <= 160.0 + 3.0
    bench.answer(second, Page([candle(-1), candle(0)]))
    assert numbers(bench.out) == [-2, -1, 0]
    assert all(row.backfilled for row in bench.out if isinstance(row, Candle))


def test_an_interval_in_which_nobody_traded_is_passed_over() -> None:
    bench = Bench()
    bench.history.begin(ONE, bench.now, polled=True)
    ((_, fetch),) = bench.run(1.0)
    bench.answer(fetch, Page([candle(-1)]))
    times = []
    for _ in range(330):
        for at, fetch in bench.run(1.0):
            times.append(at - 100.0)
            found = [candle(-1)] if at < 400.0 else [candle(-1), candle(4)]
            bench.answer(fetch, Page(found))
    # when a candle is due, and the first time once more, for it may be late
    assert [round(at) // 60 for at in times] == [1, 1, 2, 3, 4, 5]
    assert numbers(bench.out) == [-1, 4]


def test_a_failure_is_tried_again_and_a_throttle_waited_for() -> None:
    bench = Bench()
    bench.history.begin(ONE, bench.now, polled=True)
    ((_, fetch),) = bench.run(1.0)
    bench.answer(fetch, RequestError("expected an answer, was silent"))
    ((at, fetch),) = bench.run(10.0)
    assert at <= 101.0 + 4.0
    bench.answer(fetch, Throttled("expected status 200, was 429", 429, 30.0))
    began = bench.now
    ((at, _),) = bench.run(60.0)
    assert at >= began + 30.0


def test_pages_are_followed_and_bound_together() -> None:
    bench = Bench()
    bench.history.begin(ONE, bench.now, polled=True)
    ((_, fetch),) = bench.run(1.0)
    (more,) = bench.answer(fetch, Page([candle(-9)], fetch.request))
    assert bench.answer(more, Page([candle(-8)])) == []
    assert numbers(bench.out) == [-9, -8]


def test_a_pushed_series_waits_for_what_an_outage_cost_it() -> None:
    bench = Bench()
    candles = bench.pipeline.candles
    for row in (candle(-3, backfilled=False), candle(-2, closed=False, backfilled=False)):
        candles.take(row, bench.out)
    bench.pipeline.interrupted()
    bench.out.clear()
    bench.history.begin(ONE, bench.now, polled=False)
    candles.take(candle(0, closed=False, backfilled=False), bench.out)
    assert bench.out == []
    ((_, fetch),) = bench.run(10.0)
    bench.answer(fetch, Page([candle(-3), candle(-2), candle(-1)]))
    assert numbers(bench.out) == [-2, -1, 0]
    assert bench.history.deadline() is None


def test_a_series_without_a_past_has_missed_nothing() -> None:
    bench = Bench()
    bench.history.begin(ONE, bench.now, polled=False)
    assert bench.history.deadline() is None


def test_an_answer_to_what_is_wanted_no_longer_is_dropped() -> None:
    bench = Bench()
    bench.history.begin(ONE, bench.now, polled=True)
    ((_, fetch),) = bench.run(1.0)
    bench.history.forget(ONE)
    assert bench.answer(fetch, Page([candle(-1)])) == []
    assert bench.out == []
