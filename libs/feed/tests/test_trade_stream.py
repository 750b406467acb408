"""Integrity of trades: what is dropped, what is said, what is put where it belongs."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from collector_core.events import Clock, Event, Status, Trade
from collector_feed.recent_trades import TradeSeed
from collector_feed.trade_stream import TradeStream

SECOND = 1_000_000
START = 1_700_000_000 * SECOND
Ids = Literal["contiguous", "unique", "none"]


def trade(ident: int | str | None, second: float = 0.0, *, timed: bool = True) -> Trade:
    time = START + round(second * SECOND)
    name = None if ident is None else str(ident)
    return Trade("x", "A/B", time if timed else None, time + 1_000, 0, 0, name, "1", "2", "buy")


def stream(ids: Ids = "contiguous", seed: TradeSeed | None = None) -> TradeStream:
    found = TradeStream("x", "A/B", ids, seed)
    found.begin()
    return found


def feed(to: TradeStream, *trades: Trade) -> list[Event]:
    out: list[Event] = []
    for item in trades:
        to.take(item, out)
    return out


def states(rows: list[Event]) -> list[str]:
    """Return ids of trades and what status rows say, in order."""
    return [
        f"{row.state} {row.from_}..{row.to} n={row.count} {row.unit}"
        if isinstance(row, Status)
        else str(getattr(row, "id", None)) + ("b" if getattr(row, "backfilled", False) else "")
        for row in rows
    ]


# --- contiguous ids --------------------------------------------------------------------------


def test_the_first_trade_of_a_new_stream_is_the_beginning() -> None:
    assert states(feed(stream(), trade(7), trade(8))) == ["7", "8"]


def test_missing_ids_are_named_to_the_last_one() -> None:
    found = stream()
    assert states(feed(found, trade(7), trade(10), trade(11))) == [
        "7",
        "gap 8..9 n=2 id",
        "10",
        "11",
    ]
    assert (found.gaps, found.lost, found.doubles) == (1, 2, 0)


def test_a_trade_that_comes_late_into_its_gap_is_marked_and_told() -> None:
    found = stream()
    rows = feed(found, trade(1), trade(5), trade(3), trade(2), trade(4), trade(6))
    assert states(rows) == [
        "1",
        "gap 2..4 n=3 id",
        "5",
        *("3b", "backfilled 3..3 n=1 id"),
        *("2b", "backfilled 2..2 n=1 id"),
        *("4b", "backfilled 4..4 n=1 id"),
        "6",
    ]
    assert found.doubles == 0


def test_a_trade_that_was_there_is_dropped_and_counted() -> None:
    found = stream()
    rows = feed(found, trade(1), trade(2), trade(2), trade(1), trade(5), trade(3), trade(3))
    assert states(rows) == ["1", "2", "gap 3..4 n=2 id", "5", "3b", "backfilled 3..3 n=1 id"]
    assert found.doubles == 3


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=80),
)
def test_every_id_is_published_once_or_lies_in_a_gap(idents: list[int]) -> None:
    rows = feed(stream(), *(trade(ident) for ident in idents))
    published = [int(row.id or "") for row in rows if isinstance(row, Trade)]
    assert len(published) == len(set(published))
    assert set(published) == {i for i in idents if i >= idents[0]}
    named = {
        number
        for row in rows
        if isinstance(row, Status) and row.state == "gap"
        for number in range(int(row.from_ or ""), int(row.to or "") + 1)
    }
    filled = {int(r.from_ or "") for r in rows if isinstance(r, Status) and r.state == "backfilled"}
    assert set(range(idents[0], max(idents) + 1)) == set(published) | (named - filled)
    assert not (named - filled) & set(published)


def test_the_hot_path_takes_what_the_whole_rule_takes() -> None:
    found = stream()
    feed(found, trade(7))
    assert found.follows(trade(8, 5.0))
    assert (found.next_id, found.time) == (9, START + 5 * SECOND)
    for other in (trade(10), trade(8), trade(None), trade("agg-9"), trade("")):
        assert not found.follows(other)
    found.interrupted()
    assert not found.follows(trade(9))
    assert not stream("unique").follows(trade(9))
    assert states(feed(found, trade(9))) == ["9"]


def test_an_outage_without_a_loss_leaves_no_gap() -> None:
    found = stream()
    feed(found, trade(7))
    found.interrupted()
    assert states(feed(found, trade(8))) == ["8"]
    assert found.healthy


def test_an_outage_with_a_loss_is_a_gap() -> None:
    found = stream()
    feed(found, trade(7))
    found.interrupted()
    found.begin()
    assert states(feed(found, trade(12))) == ["gap 8..11 n=4 id", "12"]


def test_an_outage_before_the_first_trade_is_a_gap_in_time() -> None:
    found = stream()
    found.interrupted()
    found.begin()
    assert states(feed(found, trade(12))) == [f"gap None..{START} n=None time", "12"]


def test_a_restart_goes_on_after_the_last_id_on_the_bus() -> None:
    found = stream(seed=TradeSeed(("99", "100"), START))
    assert states(feed(found, trade(100), trade(101))) == ["101"]
    found = stream(seed=TradeSeed(("99", "100"), START))
    assert states(feed(found, trade(105))) == ["gap 101..104 n=4 id", "105"]


def test_ids_that_begin_anew_are_a_gap_and_not_doubles_for_ever() -> None:
    found = stream(seed=TradeSeed(("5000",), START))
    rows = feed(found, trade(1, 0.5), trade(2, 2.0), trade(3, 2.5))
    # within a second of the last trade an old id is a double still
    assert states(rows) == [f"gap {START}..{START + 2 * SECOND} n=None time", "2", "3"]
    assert isinstance(rows[0], Status)
    assert rows[0].reason == "trade ids began anew; trades may be missing"
    assert found.seed().ids == ("3",)


def test_ids_that_are_no_counter_pass_but_never_prove_anything() -> None:
    found = stream()
    assert states(feed(found, trade(1), trade("agg-77"), trade(2))) == ["1", "agg-77", "2"]


# --- unique ids ------------------------------------------------------------------------------


def test_unique_ids_drop_doubles() -> None:
    found = stream("unique")
    assert states(feed(found, trade("a"), trade("b"), trade("a"), trade("b"))) == ["a", "b"]
    assert found.doubles == 2


def test_an_outage_of_unique_ids_is_bounded_by_the_times_around_it() -> None:
    found = stream("unique")
    feed(found, trade("a", 1.0))
    found.interrupted()
    found.begin()
    assert not found.healthy
    rows = feed(found, trade("d", 9.0), trade("e", 9.5))
    since, until = START + SECOND, START + 9 * SECOND
    assert states(rows) == [f"gap {since}..{until} n=None time", "d", "e"]
    assert found.healthy


def test_a_known_trade_after_an_outage_proves_that_nothing_was_missed() -> None:
    found = stream("unique")
    feed(found, trade("a", 1.0), trade("b", 2.0))
    found.interrupted()
    assert states(feed(found, trade("b", 2.0), trade("c", 3.0))) == ["c"]
    assert found.healthy


def test_a_restart_knows_the_ids_on_the_bus() -> None:
    found = stream("unique", TradeSeed(("a", "b"), START))
    assert not found.healthy
    assert states(feed(found, trade("b"), trade("c"))) == ["c"]
    found = stream("unique", TradeSeed((), None))
    assert states(feed(found, trade("c"))) == [f"gap None..{START} n=None time", "c"]


def test_the_memory_of_ids_is_bounded() -> None:
    found = stream("unique")
    feed(found, *(trade(f"t{number}", number) for number in range(2_500)))
    assert len(found.seed().ids) == 500
    assert feed(found, trade("t2499")) == []
    assert states(feed(found, trade("t0"))) == ["t0"]


# --- no ids ----------------------------------------------------------------------------------


def test_trades_without_ids_pass_as_they_come() -> None:
    found = stream("none")
    assert states(feed(found, trade(None), trade(None))) == ["None", "None"]
    assert found.healthy


@pytest.mark.parametrize("ids", ["none", "unique", "contiguous"])
def test_an_outage_without_ids_is_said_too(ids: Ids) -> None:
    found = stream(ids)
    feed(found, trade(None, 1.0))
    found.interrupted()
    found.begin()
    rows = feed(found, trade(None, 5.0), trade(None, 6.0))
    since, until = START + SECOND, START + 5 * SECOND
    assert states(rows) == [f"gap {since}..{until} n=None time", "None", "None"]
    assert found.healthy


def test_a_trade_without_any_time_bounds_a_gap_on_one_side_only() -> None:
    found = stream("none")
    feed(found, trade(None, 1.0))
    found.interrupted()
    rows = feed(found, replace(trade(None), exchange_time=None, receive_time=None))
    assert states(rows)[0] == f"gap {START + SECOND}..None n=None time"


# --- clock rows ------------------------------------------------------------------------------


def test_a_second_without_a_trade_has_a_clock_row() -> None:
    found = stream()
    feed(found, trade(1, 0.5))
    assert found.clock(START + SECOND, 5) is None
    row = found.clock(START + 2 * SECOND, 5)
    assert row == Clock("x", "A/B", START + 2 * SECOND, 5, 0, 0, START + 2 * SECOND)
    assert found.clock(START + 2 * SECOND, 6) is None


def test_a_trade_on_the_very_second_counts_for_the_second_before() -> None:
    found = stream()
    feed(found, trade(1, 1.0))
    assert found.clock(START + SECOND, 5) is None
    assert found.clock(START + 2 * SECOND, 5) is not None


def test_no_clock_row_is_written_while_the_stream_is_broken() -> None:
    found = TradeStream("x", "A/B", "contiguous")
    assert found.clock(START + SECOND, 5) is None
    found.begin()
    assert found.clock(START + SECOND, 5) is not None
    found.interrupted()
    assert found.clock(START + 2 * SECOND, 5) is None
    found.begin()
    # subscribed again, but what the outage cost is not known yet
    assert found.clock(START + 3 * SECOND, 5) is None
    feed(found, trade(1, 3.0))
    assert found.clock(START + 9 * SECOND, 5) is not None


def test_a_seeded_stream_is_broken_until_its_first_trade() -> None:
    found = stream(seed=TradeSeed(("7",), START))
    assert found.clock(START + 9 * SECOND, 5) is None
    feed(found, trade(8, 1.0))
    assert found.clock(START + 9 * SECOND, 5) is not None


def test_a_stream_that_begins_anew_keeps_its_seed() -> None:
    found = stream()
    assert found.seed() == TradeSeed((), None)
    feed(found, trade(7, 2.0))
    assert found.seed() == TradeSeed(("7",), START + 2 * SECOND)
    assert states(feed(stream(seed=found.seed()), trade(8))) == ["8"]
    unique = stream("unique")
    feed(unique, trade("a"), trade("b"))
    assert unique.seed() == TradeSeed(("a", "b"), START)


def test_without_a_time_of_the_exchange_the_receive_time_counts() -> None:
    found = stream()
    feed(found, trade(1, 5.0, timed=False))
    assert found.time == START + 5 * SECOND + 1_000
