from __future__ import annotations

import msgspec
import pytest

from collector_core.errors import StateError
from collector_core.events import Bar, Event, Indicator
from collector_indicator.rebuild import Rebuild, last_closes

from .rows import SECOND, START, trade


def bar(number: int, *, closed: bool = True, size: str = "1s") -> Bar:
    opened = START + number * SECOND
    return Bar(
        "binance",
        "BTC/USDT",
        opened + SECOND,
        opened + SECOND + 5,
        START,
        number,
        size,
        opened,
        opened + SECOND,
        *("1", "1", "1", "1", "2", "2"),
        3,
        closed,
        "time",
        size,
        number,
        "1",
    )


def indicator(number: int, source: str = "bar:time", name: str = "rsi") -> Indicator:
    opened = START + number * SECOND
    return Indicator(
        "binance",
        "BTC/USDT",
        opened + SECOND,
        None,
        START,
        number,
        name,
        "2",
        source,
        "1s",
        opened,
        {"rsi": 50.0},
        number,
        warm=True,
        closed=True,
    )


def test_the_last_close_of_each_series() -> None:
    published: list[Event] = [
        bar(3),
        bar(5),
        bar(4),
        bar(6, closed=False),
        bar(1, size="3s"),
        indicator(2),
        indicator(9, source="candle"),
        trade(1),
    ]
    second = {"time|1s": 5, "time|3s": 1, "bar:time|1s|rsi|2": 2}
    assert {k: START + n * SECOND for k, n in second.items()} == last_closes(published, "bar")
    of_book = indicator(7, "book", "spread")
    assert last_closes([*published, of_book], "book") == {"book|1s|spread|2": START + 7 * SECOND}
    assert last_closes(published, "candle") == {"candle|1s|rsi|2": START + 9 * SECOND}


def test_what_was_published_is_kept_back_and_the_rest_numbered_anew() -> None:
    rebuild = Rebuild({"time|1s": START + 5 * SECOND, "bar:time|1s|rsi|2": START + 4 * SECOND})
    admitted = rebuild.admit([bar(4), indicator(4), bar(5), indicator(5), bar(6), indicator(6)])
    assert [
        (type(row).__name__, (row.open_time - START) // SECOND, row.seq)
        for row in admitted
        if isinstance(row, Bar | Indicator)
    ] == [("Indicator", 5, 1), ("Bar", 6, 1), ("Indicator", 6, 2)]
    # the first row admitted has no receive time, so the epoch is its exchange time
    assert {START + 6 * SECOND} == {row.epoch for row in admitted}


def test_a_new_series_is_kept_back_from_nothing() -> None:
    assert len(Rebuild({"time|1s": START}).admit([bar(0), bar(0, size="3s")])) == 1


def counted(number: int, ordinal: int) -> Bar:
    """Return a bar of ten trades."""
    given = {"interval": None, "bar_kind": "trades", "size": "10", "ordinal": ordinal}
    return msgspec.structs.replace(bar(number), **given)


def test_bars_without_a_grid_are_numbered_on() -> None:
    closes = last_closes([counted(3, 700), counted(4, 701), bar(9)], "bar")
    rebuild = Rebuild(closes)
    # begun anew over what retention has left, the bars count from 0 again
    admitted = rebuild.admit([counted(4, 0), counted(5, 1), bar(10)])
    assert [row.ordinal for row in admitted if isinstance(row, Bar)] == [702, 10]
    admitted = Rebuild.of(rebuild.state()).admit([counted(6, 2), counted(8, 3)])
    assert [row.ordinal for row in admitted if isinstance(row, Bar)] == [703, 704]


def test_it_goes_on_from_its_state() -> None:
    whole, parted = (Rebuild({"time|1s": START + 2 * SECOND}) for _ in range(2))
    rows = [bar(number) for number in range(1, 9)]
    expected = whole.admit([bar(number) for number in range(1, 9)])
    given = parted.admit(rows[:4])
    given += Rebuild.of(parted.state()).admit(rows[4:])
    assert expected == given
    assert [row.seq for row in given] == [1, 2, 3, 4, 5, 6]


def test_a_state_that_is_none() -> None:
    with pytest.raises(StateError, match="expected a state of a rebuild"):
        Rebuild.of(b"{}")


def test_only_what_is_published_has_a_series() -> None:
    with pytest.raises(TypeError, match="was Trade"):
        Rebuild({}).admit([trade(1)])
