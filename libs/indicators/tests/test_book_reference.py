"""Whole logs against a second reading of them: plain dicts, Decimal and Fraction, no shortcuts."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import NamedTuple

import pytest
from hypothesis import given, settings

from collector_core.events import Book, Event, Indicator, Status
from collector_core.intervals import open_time
from collector_indicators.kept_book import DOUBTS

from .book_rows import book_logs
from .rows import SECOND, calculation, feed

GRACE = 100_000
LENGTHS = {"5s": 5 * SECOND, "20s": 20 * SECOND, "1m": 60 * SECOND}
Sides = tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]
Values = tuple[Fraction | None, ...]


class Span(NamedTuple):
    """A book that stood, in [start, end); None if it was not to be trusted."""

    start: int
    end: int
    sides: Sides | None


def changed(sides: Sides, row: Book) -> Sides | None:
    """Return a book after a row, None if that is no book."""
    new = ({}, {}) if row.kind == "snapshot" else (dict(sides[0]), dict(sides[1]))
    try:
        for side, levels in zip(new, (row.bids, row.asks), strict=True):
            for price, amount in levels:
                side[Decimal(price)] = Decimal(amount)
    except InvalidOperation:
        return None
    if any(amount.is_nan() for side in new for amount in side.values()):
        return None
    bids, asks = ({p: a for p, a in side.items() if a} for side in new)
    return None if bids and asks and max(bids) >= min(asks) else (bids, asks)


def spans_of(log: list[Event]) -> list[Span]:
    """Return what stood when, from the first row of a log to its last."""
    spans: list[Span] = []
    sides: Sides | None = None
    now: int | None = None
    skew: int | None = None
    for row in log:
        if isinstance(row, Status):
            if row.channel == "book" and row.state in DOUBTS:
                sides = None
            continue
        assert isinstance(row, Book)
        time = row.exchange_time
        if time is not None and row.receive_time is not None:
            skew = time - row.receive_time
        if time is None and row.receive_time is not None:
            time = row.receive_time if skew is None else row.receive_time + skew - GRACE
        if time is not None and now is not None:
            time = max(time, now)
            spans.append(Span(now, time, sides))
        now = now if time is None else time
        if sides is not None or row.kind == "snapshot":
            sides = changed(sides or ({}, {}), row)
    return spans


def spread(sides: Sides) -> Values:
    bids, asks = sides
    if not (bids and asks):
        return None, None
    bid, ask = Fraction(max(bids)), Fraction(min(asks))
    return ask - bid, 10_000 * (ask - bid) / ((ask + bid) / 2)


def imbalance(sides: Sides) -> Values:
    bids, asks = sides
    if not (bids and asks):
        return (None,)
    bid = Fraction(sum(bids[p] for p in sorted(bids)[-3:]))
    ask = Fraction(sum(asks[p] for p in sorted(asks)[:3]))
    return ((bid - ask) / (bid + ask),)


def expected(
    spans: list[Span], interval: str, read: Callable[[Sides], Values]
) -> dict[int, tuple[Values, bool]]:
    """Return values, the mean of the last of them, and whether it is incomplete, by open time."""
    found: dict[int, tuple[Values, bool]] = {}
    if not spans:
        return found
    last, length = spans[-1].end, LENGTHS[interval]
    opened = open_time(interval, spans[0].start)
    while opened + length <= last:
        end = opened + length
        inside = [
            (min(span.end, end) - max(span.start, opened), span.sides)
            for span in spans
            if span.sides is not None and span.start < end and span.end > opened
        ]
        known = sum(held for held, _ in inside)
        if known:
            [at_end] = [s for s in spans if s.start < end <= s.end]
            measured = [(held, read(sides)[-1]) for held, sides in inside if sides is not None]
            weights = [(held, value) for held, value in measured if value is not None]
            time = sum(held for held, _ in weights)
            whole = sum((held * value for held, value in weights), Fraction(0))
            mean = whole / time if time else None
            now = (None,) * len(read(({}, {}))) if at_end.sides is None else read(at_end.sides)
            found[opened] = (*now, mean), known < length
        opened = end
    return found


@pytest.mark.parametrize(("choice", "read"), [("spread", spread), ("book_imbalance:3", imbalance)])
@settings(deadline=None, max_examples=80)
@given(log=book_logs())
def test_rows_are_those_of_a_second_reading(
    choice: str, read: Callable[[Sides], Values], log: list[Event]
) -> None:
    made = calculation(",".join(LENGTHS), "spread,book_imbalance:3", input="book")
    rows = [row for row in feed(made, *log) if isinstance(row, Indicator)]
    spans = spans_of(log)
    for interval in LENGTHS:
        own = [r for r in rows if r.interval == interval and r.name == choice.partition(":")[0]]
        reference = expected(spans, interval, read)
        assert list(reference) == [row.open_time for row in own]
        for row, (values, incomplete) in zip(own, reference.values(), strict=True):
            assert row.incomplete == incomplete
            for got, wanted in zip(row.values.values(), values, strict=True):
                if wanted is None or got is None:
                    assert got == wanted
                else:
                    assert got == pytest.approx(float(wanted), rel=1e-13, abs=1e-14)
