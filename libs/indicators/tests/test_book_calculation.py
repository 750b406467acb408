"""Indicators over books: when intervals close, what is doubted, where rows stand in time."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest

from collector_core.errors import StateError
from collector_core.events import Event, Indicator
from collector_indicators.calculation import Calculation, read_state, write_state

from .book_rows import DOUBTED, HARMLESS, delta, doubt, snapshot
from .rows import MINUTE, SECOND, at, calculation, candle, continued, feed

Told = tuple[float, dict[str, float | None], bool]


def made(
    intervals: str = "1m",
    indicators: str = "spread",
    *,
    live_every: int | None = None,
    grace: int = 100_000,
) -> Calculation:
    return calculation(intervals, indicators, input="book", live_every=live_every, grace=grace)


def told(rows: list[Event]) -> list[Told]:
    """Return minute, values and whether it is incomplete, of each row."""
    return [
        ((row.open_time - at(0)) / MINUTE, row.values, row.incomplete)
        for row in rows
        if isinstance(row, Indicator)
    ]


def spread(now: float | None, mean_bps: float | None, middle: float = 100.0) -> Told:
    bps = None if now is None else 10_000 * now / middle
    return 0, {"spread": now, "bps": bps, "mean_bps": mean_bps}, False


def mean(*parts: tuple[float, float]) -> float:
    """Return the mean of values, each with its seconds, rounded once."""
    whole = sum(Fraction(value) * Fraction(seconds) for value, seconds in parts)
    return float(whole / sum(Fraction(seconds) for _, seconds in parts))


def test_an_interval_has_a_row_with_the_values_at_its_end_and_the_mean_over_its_time() -> None:
    calculation = made(indicators="spread,book_imbalance:1")
    assert feed(calculation, snapshot(0), delta(45, [("99.5", "1")])) == []
    [first, second] = feed(calculation, delta(60, [("99.5", "3"), ("99", "0")]))
    assert first == Indicator(
        exchange="x",
        symbol="BTC/USDT",
        exchange_time=at(60),
        receive_time=at(60) + 500,
        epoch=at(0) + 500,
        seq=1,
        name="spread",
        params="",
        input="book",
        interval="1m",
        open_time=at(0),
        values={
            "spread": 1.5,
            "bps": 15_000 / 100.25,
            "mean_bps": mean((200.0, 45), (15_000 / 100.25, 15)),
        },
        bars_seen=1,
        warm=True,
        closed=True,
    )
    assert isinstance(second, Indicator)
    assert second.values == {"book_imbalance": 0.0, "mean": 0.375}


def test_several_intervals_each_close_on_their_own_grid() -> None:
    calculation = made("30s,1m")
    rows = feed(calculation, snapshot(0), delta(31), delta(60), delta(61))
    assert [(row.interval, row.open_time) for row in rows if isinstance(row, Indicator)] == [
        ("30s", at(0)),
        ("30s", at(30)),
        ("1m", at(0)),
    ]


def test_the_first_interval_is_incomplete_unless_it_was_seen_from_its_start() -> None:
    assert [row[2] for row in told(feed(made(), snapshot(1), delta(60), delta(120)))] == [
        True,
        False,
    ]


def test_nothing_is_told_before_the_first_snapshot() -> None:
    assert feed(made(), delta(1, [("99", "1")]), doubt("resyncing"), delta(70)) == []


def test_a_quiet_interval_has_a_row_of_the_book_as_it_stands() -> None:
    rows = told(feed(made(), snapshot(0), delta(185)))
    assert rows == [(minute, spread(2.0, 200.0)[1], False) for minute in range(3)]


def test_a_very_long_silence_is_not_carried_on_for_ever() -> None:
    rows = feed(made("1s"), snapshot(0), delta(3_600.5), delta(3_601))
    times = [row.open_time for row in rows if isinstance(row, Indicator)]
    assert times == [*(at(second) for second in range(601)), at(3_600)]
    assert not any(row.incomplete for row in rows if isinstance(row, Indicator))


@pytest.mark.parametrize("state", DOUBTED)
def test_what_is_doubted_is_unknown_since_the_row_before(state: str) -> None:
    rows = feed(
        made(),
        snapshot(0),
        delta(30),
        doubt(state),  # type: ignore[arg-type]  # one of the states
        # not to be trusted: the base is not known
        delta(50, [("100", "9")]),
        delta(61),
        snapshot(200),
        delta(240),
    )
    assert told(rows) == [
        (0, {"spread": None, "bps": None, "mean_bps": 200.0}, True),
        # none in which nothing was known
        (3, {"spread": 2.0, "bps": 200.0, "mean_bps": 200.0}, True),
    ]
    assert [row.bars_seen for row in rows if isinstance(row, Indicator)] == [1, 2]


@pytest.mark.parametrize("state", HARMLESS)
def test_other_states_change_nothing(state: str) -> None:
    calculation = made()
    rows = feed(calculation, snapshot(0), doubt(state), delta(60))  # type: ignore[arg-type]  # as above
    assert told(rows) == [spread(2.0, 200.0)]


def test_doubt_of_another_channel_is_none_of_ours() -> None:
    gap = msgspec.structs.replace(doubt(), channel="trade")
    assert told(feed(made(), snapshot(0), gap, delta(60))) == [spread(2.0, 200.0)]


def test_an_empty_side_has_no_values_and_is_not_incomplete() -> None:
    rows = told(feed(made(), snapshot(0), delta(45, asks=[("101", "0"), ("102", "0")]), delta(60)))
    assert rows == [spread(None, 200.0)]


@pytest.mark.parametrize(
    "wrong",
    [
        delta(45, [("101", "1")]),
        delta(45, [("x", "1")]),
        delta(45, [("99", "x")]),
        delta(45, [("99", "-1")]),
        delta(45, [("99", "inf")]),
        delta(45, [("9" * 101, "1")]),
        delta(45, [("1", "x")]),
        snapshot(45, [("x", "1")]),
        snapshot(45, [("101", "1")]),
    ],
    ids=[
        "crossed",
        "price",
        "amount",
        "negative",
        "infinite",
        "huge",
        "deep",
        "base",
        "crossed base",
    ],
)
def test_a_book_that_contradicts_itself_is_doubted_until_the_next_snapshot(wrong: Event) -> None:
    log = [snapshot(0), wrong, delta(50), snapshot(54), delta(60)]
    assert told(feed(made(), *log)) == [(0, spread(2.0, 200.0)[1], True)]


def test_numbers_of_many_digits_are_numbers() -> None:
    long = delta(1, [("99." + "0" * 60 + "1", "0." + "0" * 60 + "1")])
    [(_, values, incomplete)] = told(feed(made(), snapshot(0), long, delta(60)))
    assert (values["spread"], incomplete) == (2.0, False)


def test_a_row_that_is_before_the_one_above_it_counts_at_that_one_s_time() -> None:
    log = [snapshot(0), delta(45), delta(30, [("99.5", "1")]), delta(60)]
    [(_, values, _)] = told(feed(made(), *log))
    assert values["mean_bps"] == mean((200.0, 45), (15_000 / 100.25, 15))


def test_a_row_without_an_exchange_time_is_placed_by_the_difference_of_the_clocks() -> None:
    # theirs is 5 s behind ours, and the grace 0.1 s
    log = [snapshot(0, received=5), delta(45, received=50), snapshot(None, received=65.05)]
    assert feed(made(), *log) == []
    assert told(feed(made(), *log, snapshot(None, received=65.1))) == [spread(2.0, 200.0)]
    assert told(feed(made(grace=0), *log)) == [spread(2.0, 200.0)]


def test_without_any_exchange_time_the_times_of_receipt_count() -> None:
    log = [snapshot(None, received=0), snapshot(None, received=60)]
    assert told(feed(made(), *log)) == [spread(2.0, 200.0)]


def test_rows_without_any_time_count_at_that_of_the_row_before() -> None:
    nowhere = snapshot(None)
    log = [nowhere, delta(0), delta(30), delta(None, [("99.5", "1")]), delta(60)]
    [(_, values, incomplete)] = told(feed(made(), *log))
    assert (values["mean_bps"], incomplete) == (mean((200.0, 30), (15_000 / 100.25, 30)), False)


def test_live_values_are_given_on_the_grid_if_a_row_came_since() -> None:
    calculation = made(indicators="spread", live_every=SECOND)
    rows = feed(
        calculation,
        snapshot(0),
        delta(0.5, [("99.5", "1")]),
        # a new slot: as of before this row
        delta(1.25, [("99.5", "0")]),
        delta(1.5),
        delta(4.5),
        doubt(),
        # nothing came that could be trusted
        delta(6),
        delta(7),
    )
    assert [
        (row.values["spread"], row.closed, row.incomplete)
        for row in rows
        if isinstance(row, Indicator)
    ] == [(1.5, False, False), (2.0, False, False), (None, False, True)]
    first = rows[0]
    assert isinstance(first, Indicator)
    assert first.values["mean_bps"] == mean((200.0, 0.5), (15_000 / 100.25, 0.75))


def test_rows_of_other_types_are_counted_and_left_out() -> None:
    calculation = made()
    assert feed(calculation, candle(0)) == []
    assert (calculation.foreign, calculation.late, calculation.dropped) == (1, {"1m": 0}, {"1m": 0})


def test_without_indicators_nothing_is_told() -> None:
    assert feed(made(indicators=""), snapshot(0), delta(61)) == []


def test_the_closed_state_is_the_last_snapshot_and_changes_with_it_alone() -> None:
    calculation = made()
    feed(calculation, snapshot(0))
    changed = [calculation.closed_changed]
    calculation.closed_state()
    feed(calculation, delta(1, [("98.5", "1")]), delta(61))
    changed.append(calculation.closed_changed)
    size = len(calculation.open_state())
    other = continued(calculation)
    # the level that only the base has is there again once the others are gone
    [row] = feed(other, delta(62, [("99", "0"), ("98.5", "0")]), delta(120))
    assert isinstance(row, Indicator)
    assert row.values["spread"] == 3.0
    feed(calculation, snapshot(63))
    assert [*changed, calculation.closed_changed] == [True, False, True]
    assert len(calculation.open_state()) < size


def test_a_new_indicator_begins_where_the_state_ends() -> None:
    old = made()
    feed(old, snapshot(0), delta(70))
    new = made("30s,1m", "book_imbalance:1,spread")
    new.restore(old.open_state(), old.closed_state())
    begins = new.begins
    new.begin_here()
    assert (begins, new.begins) == (True, False)
    rows = [row for row in feed(new, delta(120)) if isinstance(row, Indicator)]
    assert [(row.interval, row.name, row.bars_seen, row.incomplete) for row in rows] == [
        ("30s", "book_imbalance", 1, True),
        ("30s", "spread", 1, True),
        ("30s", "book_imbalance", 2, False),
        ("30s", "spread", 2, False),
        ("1m", "book_imbalance", 1, True),
        ("1m", "spread", 2, False),
    ]


def test_a_history_that_begins_too_late_gives_nothing() -> None:
    old, reader, new = made(), made("30s,1m", "spread"), made("30s,1m", "spread")
    feed(old, snapshot(0), delta(70))
    feed(reader, delta(70))
    new.restore(old.open_state(), old.closed_state())
    new.adopt(reader)
    rows = [row for row in feed(new, delta(120)) if isinstance(row, Indicator)]
    assert [(row.interval, row.bars_seen, row.incomplete) for row in rows] == [
        ("30s", 1, True),
        ("30s", 2, False),
        ("1m", 2, False),
    ]


def test_a_state_whose_prices_are_none_is_refused() -> None:
    calculation = made()
    feed(calculation, snapshot(0))
    closed = read_state(calculation.closed_state(), calculation.closed_decoder, "closed state")
    closed.book.bids = [("x", "1")]  # type: ignore[attr-defined]  # of this calculation's layout
    with pytest.raises(StateError, match="open state: expected the numbers of a book, expected a"):
        made().restore(calculation.open_state(), write_state(closed))
