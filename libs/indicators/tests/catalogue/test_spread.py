from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given

from collector_indicators.book_indicator import TopOfBook
from collector_indicators.selection import parse_choice

from .books import top, tops


def read(book: TopOfBook) -> tuple[float | None, ...]:
    values = parse_choice("spread").create_of_book().read(book)
    return values["spread"], values["bps"]


def test_the_difference_of_the_best_prices_is_exact() -> None:
    # as doubles 0.30000000000000004 less 0.2 and the like
    assert read(top([("0.2", "1")], [("0.3", "1")])) == (0.1, 4_000.0)
    assert read(top([("37000.00", "1")], [("37000.010", "1")])) == (0.01, 20_000 / 7_400_001)


@pytest.mark.parametrize(
    "book", [top([], [("1", "1")]), top([("1", "1")], []), top([], [])], ids=["bids", "asks", "all"]
)
def test_an_empty_side_has_none(book: TopOfBook) -> None:
    assert read(book) == (None, None)


def test_where_the_middle_is_not_above_zero_there_are_no_basis_points() -> None:
    assert read(top([("-0.5", "1")], [("0.5", "1")])) == (1.0, None)
    assert read(top([("-3", "1")], [("-2", "1")])) == (1.0, None)


@given(tops())
def test_agrees_with_its_definition(book: TopOfBook) -> None:
    if not (book.bids and book.asks):
        assert read(book) == (None, None)
        return
    bid, ask = Fraction(book.bids[0][0]), Fraction(book.asks[0][0])
    assert read(book) == (float(ask - bid), float(10_000 * (ask - bid) / ((bid + ask) / 2)))
