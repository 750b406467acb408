"""Indicators over the books of recorded connections, against the books kept without them."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from collector_core.events import Book, Event, Indicator, Status
from collector_indicators.calculation import Calculation
from collector_indicators.engine import create
from collector_indicators.kept_book import DOUBTS
from collector_indicators.selection import parse_set
from collector_indicators.settings import CalculationSettings
from collector_testkit.captures import Session

from .replaying import NaiveBook, pipeline_of, steps

pytestmark = pytest.mark.captures

RECORDED: Final = [
    ("binance", "session-2021-04-05-3symbols"),
    ("bybit", "session-2026-08-09"),
    ("coinbase", "session-2026-08-09"),
    ("upbit", "session-2021-04-05"),
]
SETTINGS: Final = CalculationSettings(
    "book", ("1s", "5s"), parse_set("spread,book_imbalance:5"), live_every=250_000
)


@pytest.fixture(scope="module", params=RECORDED, ids=lambda one: one[0])
def topics(request: pytest.FixtureRequest, captures: Path) -> dict[str, list[Event]]:
    """Return the rows of each symbol's book topic."""
    exchange, name = request.param
    found: dict[str, list[Event]] = defaultdict(list)
    for step in steps(pipeline_of(exchange), Session(captures / exchange / name)):
        for row in step.rows:
            if isinstance(row, Book) or (isinstance(row, Status) and row.channel == "book"):
                found[row.symbol].append(row)
    return found


def calculation_of(rows: list[Event]) -> Calculation:
    return create(rows[0].exchange, rows[0].symbol, SETTINGS)


def touch(book: NaiveBook) -> tuple[Decimal, Decimal] | None:
    """Return the best prices, None where a side is empty."""
    bids, asks = (sorted(map(Decimal, side)) for side in book.sides)
    return (bids[-1], asks[0]) if bids and asks else None


def test_values_are_those_of_the_books_before_the_row(topics: dict[str, list[Event]]) -> None:
    seen = 0
    for rows in topics.values():
        calculation, book, sound = calculation_of(rows), NaiveBook(), False
        for row in rows:
            for given in calculation.feed(row):
                assert isinstance(given, Indicator)
                if given.name != "spread":
                    continue
                best = touch(book) if sound else None
                got = given.values["spread"]
                assert got == (None if best is None else float(best[1] - best[0]))
                assert got is None or got > 0
                mean = given.values["mean_bps"]
                assert mean is None or mean > 0
                seen += got is not None
            if isinstance(row, Status):
                sound = sound and row.state not in DOUBTS
            elif isinstance(row, Book):
                sound = sound or row.kind == "snapshot"
                book.take(row)
    assert seen > 10


def test_imbalances_are_within_their_bounds(topics: dict[str, list[Event]]) -> None:
    values = [
        value
        for rows in topics.values()
        for given in calculation_of(rows).feed_many(rows)
        if isinstance(given, Indicator) and given.name == "book_imbalance"
        for value in given.values.values()
        if value is not None
    ]
    assert values
    assert all(-1 <= value <= 1 for value in values)


def test_every_interval_has_one_closed_row(topics: dict[str, list[Event]]) -> None:
    for rows in topics.values():
        closed = [
            (row.name, row.interval, row.open_time)
            for row in calculation_of(rows).feed_many(rows)
            if isinstance(row, Indicator) and row.closed
        ]
        assert len(closed) == len(set(closed))


def test_a_restore_in_the_middle_changes_nothing(topics: dict[str, list[Event]]) -> None:
    for rows in topics.values():
        whole, one = calculation_of(rows), calculation_of(rows)
        half = len(rows) // 2
        given = one.feed_many(rows[:half])
        two = calculation_of(rows)
        two.restore(one.open_state(), one.closed_state())
        assert whole.feed_many(rows) == [*given, *two.feed_many(rows[half:])]
