from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_core.codec import encode
from collector_core.errors import NumberError, StateError
from collector_core.events import Bar, Book, Event, Indicator
from collector_indicator.computation import Computation
from collector_indicator.intake import Drained, Intake, decode_all
from collector_indicator.rebuild import Rebuild
from collector_indicator.sources import Source
from collector_indicator.state_rows import StoredStates
from collector_indicators.computable import computable
from collector_indicators.following import Following
from collector_indicators.plan import Entry, Plan
from collector_indicators.selection import parse_set
from collector_indicators.settings import CalculationSettings

from .rows import PLAN, SECOND, SETTINGS, START, raw, trade, trades

SYMBOL = Source(
    "trade", "binance", "md.trade.binance.BTC-USDT", 0, frozenset({"BTC/USDT"}), keyed=False
)
KEYED = Source("trade", "binance", "md.trade.binance", 3, frozenset({"BTC/USDT"}), keyed=True)
COUNT = 60
HEAD = ("binance", "BTC/USDT", None, 1, 1, 1)


def intake(source: Source = SYMBOL, **options: object) -> Intake:
    return Intake(source, PLAN, **options)  # type: ignore[arg-type]  # as given


def take(target: Intake, values: list[bytes]) -> None:
    start = target.next_offset or 0
    target.take(start + len(values) - 1, values)


def restored(states: StoredStates, source: Source = SYMBOL) -> Intake:
    again = intake(source)
    again.restore(states.by_place()[source.place])
    return again


def store(states: StoredStates, drained: Drained) -> list[Event]:
    """Write the state of a transaction; return its rows."""
    for key, value in drained.state:
        states.visit(key, value)
    return drained.rows


def undisturbed(values: list[bytes], source: Source = SYMBOL) -> list[bytes]:
    whole = intake(source)
    take(whole, values)
    return [encode(row) for row in whole.drain().rows]


@given(st.lists(st.tuples(st.integers(1, 12), st.sampled_from(["go on", "commit", "die"]))))
def test_batches_commits_and_deaths_change_no_byte(steps: list[tuple[int, str]]) -> None:
    values = trades(0, COUNT)
    states = StoredStates()
    published: list[Event] = []
    here = intake()
    for size, then in [*steps, (COUNT, "commit")]:
        start = here.next_offset or 0
        if start < COUNT:
            take(here, values[start : start + size])
        if then == "commit" and here.changed:
            published += store(states, here.drain())
        elif then == "die":
            here = restored(states) if states.rows else intake()
    if here.next_offset != COUNT:
        take(here, values[here.next_offset or 0 :])
        published += store(states, here.drain())
    assert undisturbed(values) == [encode(row) for row in published]


def test_nothing_changed_after_a_drain() -> None:
    here = intake()
    seen = [here.changed]
    take(here, trades(0, 5))
    seen.append(here.changed)
    first = here.drain()
    seen.append(here.changed)
    assert seen == [False, True, False]
    # open and closed state of one symbol
    assert len(first.state) == 2
    take(here, raw(trade(5)))
    # no bar closed: the windows are as stored
    assert [key[-5:] for key, _ in here.drain().state] == [b"|open"]


def test_a_keyed_partition_has_a_calculation_a_symbol() -> None:
    mixed = [
        value
        for pair in zip(
            trades(0, 20), trades(0, 20, "ETH/USDT"), trades(0, 20, "NO/EUR"), strict=True
        )
        for value in pair
    ]
    states = StoredStates()
    here = intake(KEYED)
    take(here, mixed[:31])
    published = store(states, here.drain())
    here = restored(states, KEYED)
    assert here.next_offset == 31
    take(here, mixed[31:])
    published += store(states, here.drain())
    assert states.by_place()[KEYED.place].offset == 60
    for symbol in ("BTC/USDT", "ETH/USDT"):
        own = [encode(row) for row in published if row.symbol == symbol]
        alone = Source("trade", "binance", "t", 0, frozenset({symbol}), keyed=False)
        assert undisturbed(trades(0, 20, symbol), alone) == own
    assert {"BTC/USDT", "ETH/USDT"} == {row.symbol for row in published}


def test_a_quiet_symbol_s_state_is_not_written_again() -> None:
    here = intake(KEYED)
    take(here, trades(0, 3) + trades(0, 3, "ETH/USDT"))
    here.drain()
    take(here, trades(3, 6))
    assert all(b"ETH" not in key for key, _ in here.drain().state)


def test_rows_that_are_no_events_are_left_out() -> None:
    here = intake()
    values = trades(0, 10)
    here.take(12, [*values[:4], b"{", None, b'{"type":"order"}', *values[4:]])
    assert here.next_offset == 13
    assert here.unusable == 3
    assert undisturbed(values) == [encode(row) for row in here.drain().rows]


def test_events_keep_their_order_when_one_cannot_be_read() -> None:
    assert [trade(1), trade(2)] == decode_all([*raw(trade(1)), b"\xff", *raw(trade(2))])


@pytest.mark.parametrize("price", ["abc", "NaN", "1e200"])
def test_care_leaves_out_what_is_no_number(price: str) -> None:
    values = trades(0, 20)
    poisoned = [*values[:7], *raw(trade(6, price=price)), *values[7:]]
    careless = intake()
    with pytest.raises(NumberError):
        take(careless, poisoned)
    careful = intake()
    careful.careful = True
    take(careful, poisoned)
    assert careful.unusable == 1
    assert undisturbed(values) == [encode(row) for row in careful.drain().rows]


def test_a_rebuild_takes_the_old_rows_away_and_goes_on() -> None:
    states = StoredStates()
    old = intake()
    take(old, trades(0, 21))
    store(states, old.drain())
    stored = states.by_place()[SYMBOL.place]
    closes = {"time|1s": START + 9 * SECOND}
    again = intake(rebuilds={("binance", "BTC/USDT"): Rebuild(closes)})
    again.discard(stored)
    assert again.next_offset is None
    again.take(50, trades(18, 19))
    drained = again.drain()
    # nothing closed yet, so the windows of before are gone and none took their place
    assert {
        key.rpartition(b"|")[2]: value is not None for key, value in dict(drained.state).items()
    } == {b"open": True, b"rebuild": True, b"closed": False}
    store(states, drained)
    here = restored(states)
    assert here.next_offset == 51
    take(here, trades(19, 30))
    rows = here.drain().rows
    bars = [row.open_time for row in rows if isinstance(row, Bar)]
    assert bars == [START + second * SECOND for second in range(10, 14)]
    # no close of an indicator was published, so nothing of it is kept back
    assert START + 9 * SECOND in {r.open_time for r in rows if isinstance(r, Indicator)}


def test_windows_without_open_bars_are_no_state() -> None:
    with pytest.raises(StateError, match="expected an open state row, was closed alone"):
        Computation.restored("binance", "BTC/USDT", SETTINGS, {"closed": b"x"})


def test_late_rows_are_told_once() -> None:
    here = intake()
    take(here, [*trades(20, 40), *trades(0, 2)])
    here.drain()
    assert here.late_since_told() == 2
    assert here.late_since_told() == 0
    states = StoredStates()
    take(here, trades(40, 42))
    store(states, here.drain())
    # a restart does not count them again
    again = restored(states)
    take(again, trades(42, 44))
    again.drain()
    assert again.late_since_told() == 0


def book(number: int, symbol: str, bid: str = "99") -> Book:
    """Return the snapshot of a number; there are two in a second."""
    time = START + number * SECOND // 2
    return Book(
        "binance", symbol, time, time + 1, START, 1, "snapshot", [(bid, "1")], [("101", "2")]
    )


@pytest.mark.parametrize("keyed", [False, True])
def test_books_are_taken_as_the_other_inputs_are(keyed: bool) -> None:  # noqa: FBT001  # a parameter
    chosen = CalculationSettings("book", ("1s",), parse_set("spread"), live_every=None)
    symbols = ["BTC/USDT", "ETH/USDT"] if keyed else ["BTC/USDT"]
    source = Source("book", "binance", "b", 0, frozenset(symbols), keyed)
    here = Intake(source, Plan([Entry(Following(["*:*"]), chosen)]))
    events = [book(number, symbol) for number in range(9) for symbol in symbols]
    # a number that is none: the book is doubted until the next row, and nothing stops
    events[8 * len(symbols) // 2] = book(4, symbols[0], "x")
    assert all(computable(row) for row in events)
    take(here, raw(*events[:5]))
    states = StoredStates()
    rows = store(states, here.drain())
    again = Intake(source, Plan([Entry(Following(["*:*"]), chosen)]))
    again.restore(states.by_place()[source.place])
    take(again, raw(*events[5:]))
    rows += store(states, again.drain())
    assert dict.fromkeys(symbols, 4) == Counter(row.symbol for row in rows)
    marks = [r.incomplete for r in rows if isinstance(r, Indicator) and r.symbol == symbols[0]]
    assert marks == [False, False, True, False]
