from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_indicators.book_indicator import TopOfBook
from collector_indicators.selection import parse_choice

from .books import top, tops


def read(book: TopOfBook, levels: int) -> float | None:
    values = parse_choice(f"book_imbalance:{levels}").create_of_book().read(book)
    assert list(values) == ["book_imbalance"]
    return values["book_imbalance"]


def test_the_best_levels_of_each_side_count_and_no_others() -> None:
    book = top([("9", "3"), ("8", "1"), ("7", "96")], [("10", "1"), ("11", "3"), ("12", "9")])
    assert [read(book, levels) for levels in (1, 2, 3)] == [0.5, 0.0, (100 - 13) / 113]


def test_a_side_with_fewer_levels_counts_with_those_that_it_has() -> None:
    assert read(top([("9", "3")], [("10", "1"), ("11", "4")]), 5) == -0.25


@pytest.mark.parametrize(
    "book", [top([], [("1", "1")]), top([("1", "1")], []), top([], [])], ids=["bids", "asks", "all"]
)
def test_an_empty_side_has_none(book: TopOfBook) -> None:
    assert read(book, 5) is None


@given(tops(), st.integers(1, 50))
def test_agrees_with_its_definition(book: TopOfBook, levels: int) -> None:
    got = read(book, levels)
    if not (book.bids and book.asks):
        assert got is None
        return
    bid = sum(Fraction(amount) for _, amount in book.bids[:levels])
    ask = sum(Fraction(amount) for _, amount in book.asks[:levels])
    assert got is not None
    assert -1 <= got <= 1
    assert abs(got - float((bid - ask) / (bid + ask))) <= 1e-15
