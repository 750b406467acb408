"""Exact sums against rational numbers."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from collector_indicators.exact_sum import ExactSum

DOUBLES = st.floats(-1e100, 1e100, allow_nan=False, allow_infinity=False)


@settings(deadline=None)
@given(st.lists(DOUBLES))
def test_a_sum_is_exact(terms: list[float]) -> None:
    total = ExactSum()
    for term in terms:
        total.add(term)
    assert sum(map(Fraction, terms)) == Fraction(total.total, 2**total.shift)


@settings(deadline=None)
@given(st.lists(DOUBLES), st.lists(DOUBLES))
def test_what_is_subtracted_leaves_nothing(terms: list[float], others: list[float]) -> None:
    total = ExactSum()
    for term in (*terms, *others):
        total.add(term)
    for term in terms:
        total.subtract(term)
    assert sum(map(Fraction, others)) == Fraction(total.total, 2**total.shift)


def test_the_smallest_doubles_are_terms_too() -> None:
    total = ExactSum()
    for term in (5e-324, 1e100, -1e100, 0.0):
        total.add(term)
    assert Fraction(5e-324) == Fraction(total.total, 2**total.shift)
    total.add(2.5)
    assert Fraction(5e-324) + Fraction(5, 2) == Fraction(total.total, 2**total.shift)
