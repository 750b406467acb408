"""Holes in trades: what was missed is fetched and stands before the live trades that waited."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from collector_core.events import Status, Trade
from collector_feed.options import SessionOptions
from collector_feed.outputs import Mark, Subscription
from collector_feed.recent_trades import TradeSeed
from collector_feed.trade_fill import Fill, between, by_id, content, identity
from collector_feed.trade_stream import TradeStream

from .scripted import BTC, ETH, Exchange

SECOND = 1_000_000


def live(
    *, seeds: dict[str, TradeSeed] | None = None, options: SessionOptions | None = None
) -> Exchange:
    exchange = Exchange(history=True, seeds=seeds, options=options)
    exchange.start(Subscription("trade", BTC))
    exchange.run(1.0)
    return exchange


def test_missed_trades_stand_before_the_live_ones_that_waited() -> None:
    exchange = live()
    exchange.trade(BTC, 1)
    for ident in (2, 3):
        exchange.missed(BTC, ident)
    exchange.trade(BTC, 4)
    exchange.trade(BTC, 5)
    assert exchange.rows(BTC) == ["subscribed", "1"]
    exchange.run(2.0)
    rows = [row for row in exchange.rows(BTC) if row != "clock"]
    assert rows == ["subscribed", "1", "gap", "2b", "3b", "backfilled", "4", "5"]
    gap, filled = [r for r in exchange.of(Status) if r.state in {"gap", "backfilled"}]
    assert (gap.from_, gap.to, gap.count, gap.unit) == ("2", "3", 2, "id")
    assert (filled.from_, filled.to, filled.count, filled.unit) == ("2", "3", 2, "id")


def test_a_trade_that_came_behind_a_later_one_fills_its_own_hole() -> None:
    exchange = live()
    for ident in (1, 3, 2, 4):
        exchange.trade(BTC, ident)
    exchange.run(2.0)
    rows = [row for row in exchange.rows(BTC) if row != "clock"]
    assert rows == ["subscribed", "1", "2", "3", "4"]


def test_what_the_history_does_not_have_is_a_gap_of_its_own() -> None:
    exchange = live()
    exchange.trade(BTC, 1)
    exchange.missed(BTC, 3)
    exchange.trade(BTC, 6)
    exchange.run(10.0)
    said = [
        (r.state, r.from_, r.to, r.count)
        for r in exchange.of(Status)
        if r.state in {"gap", "backfilled"}
    ]
    assert said == [
        ("gap", "2", "5", 4),
        ("backfilled", "3", "3", 1),
        ("gap", "2", "2", 1),
        ("gap", "4", "5", 2),
    ]
    # a trade that comes late into what is still missing is taken
    exchange.trade(BTC, 5, age=10.0)
    assert exchange.rows(BTC)[-2:] == ["5b", "backfilled"]


def test_after_an_outage_nothing_missed_is_known_without_a_trade() -> None:
    exchange = live()
    exchange.trade(BTC, 1)
    exchange.run(2.0)
    exchange.closed()
    exchange.run(60.0)
    rows = exchange.rows(BTC)
    assert "gap" not in rows
    # the history shows that nothing happened: the clock of a quiet symbol goes on
    assert rows[-1] == "clock"


def test_after_an_outage_what_was_missed_is_fetched_without_waiting_for_a_trade() -> None:
    exchange = live()
    exchange.trade(BTC, 1)
    exchange.closed()
    exchange.missed(BTC, 2)
    exchange.run(10.0)
    assert [row for row in exchange.rows(BTC) if row != "clock"] == [
        *("subscribed", "1", "disconnected", "subscribed", "gap", "2b", "backfilled")
    ]
    exchange.trade(BTC, 3)
    assert exchange.rows(BTC)[-1] == "3"


def test_a_restart_fetches_from_its_seed() -> None:
    seeds = {BTC: TradeSeed(("7",), 1)}
    exchange = Exchange(history=True, seeds=seeds)
    exchange.missed(BTC, 7)
    exchange.missed(BTC, 8)
    exchange.start(Subscription("trade", BTC))
    exchange.run(5.0)
    assert exchange.rows(BTC)[:4] == ["subscribed", "gap", "8b", "backfilled"]


def test_trades_wait_no_longer_than_the_bound() -> None:
    exchange = live(options=SessionOptions(backfill_timeout=5.0))
    exchange.trades_fail = True
    exchange.trade(BTC, 1)
    exchange.trade(BTC, 3)
    exchange.run(4.0)
    assert exchange.rows(BTC)[-1] in {"1", "clock"}
    exchange.run(3.0)
    assert [row for row in exchange.rows(BTC) if row != "clock"] == [
        *("subscribed", "1", "gap", "gap", "3")
    ]


def test_a_failing_history_is_asked_again_and_neighbours_go_on() -> None:
    exchange = live()
    exchange.carry(
        exchange.session.subscribe([Subscription("trade", ETH)], exchange.time.monotonic)
    )
    exchange.run(1.0)
    exchange.trades_fail = True
    exchange.trade(BTC, 1)
    exchange.missed(BTC, 2)
    exchange.trade(BTC, 3)
    exchange.run(2.0)
    exchange.trade(ETH, 1)
    assert exchange.rows(ETH)[-1] == "1"
    exchange.trades_fail = False
    exchange.run(8.0)
    assert [row for row in exchange.rows(BTC) if row != "clock"] == [
        *("subscribed", "1", "gap", "2b", "backfilled", "3")
    ]


def test_live_trades_of_a_fill_cut_short_are_not_lost() -> None:
    exchange = live()
    exchange.trade(BTC, 1)
    exchange.trade(BTC, 3)
    # the history forgets what it was never asked for
    exchange.history.clear()
    exchange.closed()
    exchange.run(30.0)
    exchange.trade(BTC, 4)
    exchange.run(10.0)
    assert [row for row in exchange.rows(BTC) if row not in {"clock", "disconnected"}] == [
        *("subscribed", "1", "subscribed", "gap", "3b", "backfilled", "gap", "4")
    ]


def test_the_end_of_a_stream_publishes_what_waited() -> None:
    exchange = live()
    exchange.trade(BTC, 1)
    exchange.trade(BTC, 3)
    exchange.carry(exchange.session.stop("shutdown"))
    assert exchange.rows(BTC) == ["subscribed", "1", "gap", "3", "stopped"]


# --- the parts -------------------------------------------------------------------------------


def trade(ident: object, time: int, price: str = "1") -> Trade:
    return Trade("x", "A/B", time, None, 0, 0, str(ident), price, "1", "buy")


@given(st.integers(0, 20), st.integers(0, 20), st.lists(st.integers(0, 45), max_size=40))
def test_parts_cover_a_hole_once_and_in_order(first: int, length: int, ids: list[int]) -> None:
    last = first + length
    parts = by_id(first, last, [trade(ident, ident) for ident in ids])
    covered = [n for part in parts for n in range(part.first, part.last + 1)]
    assert covered == list(range(first, last + 1))
    filled = [int(t.id or "") for part in parts for t in part.trades]
    assert filled == sorted({i for i in ids if first <= i <= last})
    assert all(t.backfilled for part in parts for t in part.trades)
    kinds = [bool(part.trades) for part in parts]
    assert all(one != two for one, two in pairwise(kinds))


def test_without_counting_ids_the_rows_after_the_last_known_one_are_new() -> None:
    found = [trade("a", 1), trade("b", 2), trade("c", 2), trade("d", 3), trade("e", 4)]
    fill = Fill(Mark("b", 2), [trade("e", 4)])
    rows, whole = between(fill, found, {("b", 0)}, identity)
    assert ([r.id for r in rows], whole) == (["c", "d"], True)


def test_without_a_known_row_times_bound_what_is_new() -> None:
    found = [trade("x", 5), trade("y", 6)]
    rows, whole = between(Fill(Mark("b", 2), [trade("z", 9)]), found, {("b", 0)}, identity)
    assert ([r.id for r in rows], whole) == (["x", "y"], False)
    rows, whole = between(Fill(Mark("b", 6), []), [trade("p", 3), *found], set(), identity)
    assert ([r.id for r in rows], whole) == (["y"], True)


def test_two_trades_alike_are_two_where_ids_differ() -> None:
    found = [trade("r1", 5), trade("r2", 5), trade("r3", 5)]
    known = {(content(trade("w", 5)), 0)}
    rows, whole = between(Fill(Mark("w", 5), []), found, known, content)
    assert ([r.id for r in rows], whole) == (["r2", "r3"], True)
    assert content(trade(1, 5, "10.50")) == content(trade(2, 5, "10.5"))


def unique(*, seed: TradeSeed | None = None) -> TradeStream:
    stream = TradeStream("x", "A/B", "unique", seed, fills=True)
    stream.begin()
    return stream


def test_an_outage_of_unique_ids_is_filled_in_times() -> None:
    stream, out = unique(), []  # type: ignore[var-annotated]  # rows of several kinds
    stream.take(trade("a", 1 * SECOND), out)
    stream.interrupted()
    stream.begin()
    stream.take(trade("d", 4 * SECOND), out)
    found = [trade("a", 1 * SECOND), trade("b", 2 * SECOND), trade("d", 4 * SECOND)]
    stream.fetched(found, 9, out)
    said = [
        (row.state, row.from_, row.to, row.count) if isinstance(row, Status) else row.id
        for row in out
    ]
    assert said == [
        "a",
        ("gap", "1000000", "4000000", None),
        "b",
        ("backfilled", "1000000", "4000000", 1),
        "d",
    ]
    assert stream.healthy


def test_a_history_that_is_too_short_leaves_its_beginning_as_a_gap() -> None:
    stream, out = unique(), []  # type: ignore[var-annotated]  # rows of several kinds
    stream.take(trade("a", 1 * SECOND), out)
    stream.interrupted()
    stream.begin()
    stream.fetched([trade("c", 3 * SECOND)], 9, out)
    said = [
        (row.state, row.from_, row.to) if isinstance(row, Status) else row.id for row in out[1:]
    ]
    assert said == [
        ("gap", "1000000", "3000000"),
        "c",
        ("backfilled", "3000001", "3000000"),
        ("gap", "1000000", "3000000"),
    ]


def test_what_two_connections_brought_while_a_hole_was_open_stands_once() -> None:
    stream, out = unique(), []  # type: ignore[var-annotated]  # rows of several kinds
    stream.take(trade("a", 1 * SECOND), out)
    for _ in range(2):
        stream.interrupted()
        stream.begin()
        stream.take(trade("c", 3 * SECOND), out)
    stream.interrupted()
    stream.begin()
    stream.fetched([trade("a", 1 * SECOND), trade("b", 2 * SECOND)], 9, out)
    assert [row.id for row in out if isinstance(row, Trade)] == ["a", "b", "c"]


def test_what_was_fetched_under_another_id_is_no_news_when_the_stream_brings_it() -> None:
    stream = TradeStream("x", "A/B", "unique", fills=True, same_ids=False)
    stream.begin()
    out = []  # type: ignore[var-annotated]  # rows of several kinds
    stream.take(trade("w1", 1 * SECOND), out)
    stream.interrupted()
    stream.begin()
    # two alike, of which the stream brings one more than the history had
    stream.fetched([trade("r1", 1 * SECOND), trade("r2", 2 * SECOND)], 9, out)
    # the same once more when it is subscribed anew
    for ident in ("w2", "w2", "w3"):
        stream.take(trade(ident, 2 * SECOND), out)
    stream.take(trade("w4", 3 * SECOND), out)
    assert [row.id for row in out if isinstance(row, Trade)] == ["w1", "r2", "w3", "w4"]
    assert stream.doubles == 2


def test_what_a_fill_cut_short_kept_does_not_hide_what_is_missing_behind_it() -> None:
    stream, out = unique(), []  # type: ignore[var-annotated]  # rows of several kinds
    stream.take(trade("a", 1 * SECOND), out)
    stream.interrupted()
    stream.begin()
    stream.take(trade("c", 3 * SECOND), out)
    # lost again before its history came; by then that does not go back so far
    stream.interrupted()
    stream.begin()
    stream.take(trade("z", 9 * SECOND), out)
    stream.fetched([trade("y", 7 * SECOND), trade("z", 9 * SECOND)], 9, out)
    said = [
        (row.state, row.from_, row.to) if isinstance(row, Status) else row.id for row in out[1:]
    ]
    assert said == [
        ("gap", "1000000", "9000000"),
        "c",
        "y",
        ("backfilled", "7000001", "9000000"),
        ("gap", "1000000", "7000000"),
        "z",
    ]


def test_a_quiet_outage_of_unique_ids_says_nothing() -> None:
    stream, out = unique(), []  # type: ignore[var-annotated]  # rows of several kinds
    stream.take(trade("a", 1 * SECOND), out)
    stream.interrupted()
    stream.begin()
    stream.fetched([trade("a", 1 * SECOND)], 9, out)
    assert [row.id for row in out] == ["a"]
    assert stream.healthy
