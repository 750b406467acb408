"""Exact sums against rational numbers."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from collector_indicators.exact_sum import ExactMoments, ExactSum

DOUBLES = st.floats(-1e100, 1e100, allow_nan=False, allow_infinity=False)


@given(st.lists(DOUBLES))
def test_a_sum_is_exact(terms: list[float]) -> None:
    total = ExactSum()
    for term in terms:
        total.add(term)
    assert sum(map(Fraction, terms)) == Fraction(total.total, 2**total.shift)


@given(st.lists(DOUBLES), st.lists(DOUBLES))
def test_what_is_subtracted_leaves_nothing(terms: list[float], others: list[float]) -> None:
    total = ExactSum()
    for term in (*terms, *others):
        total.add(term)
    for term in terms:
        total.subtract(term)
    assert sum(map(Fraction, others)) == Fraction(total.total, 2**total.shift)


@given(st.lists(st.floats(-1e15, 1e15), min_size=1))
def test_moments_are_rounded_once(terms: list[float]) -> None:
    sums = ExactMoments(len(terms))
    for term in terms:
        units = sums.units(term)
        sums.total, sums.squares = sums.total + units, sums.squares + units * units
    count, exact = len(terms), [Fraction(term) for term in terms]
    mean = sum(exact) / count
    variance = sum((term - mean) ** 2 for term in exact) / count
    got = sums.mean_and_variance(sums.total, sums.squares)
    assert (float(mean), float(variance)) == got


def test_the_smallest_doubles_are_terms_too() -> None:
    total = ExactSum()
    for term in (5e-324, 1e100, -1e100, 0.0):
        total.add(term)
    assert Fraction(5e-324) == Fraction(total.total, 2**total.shift)
    total.add(2.5)
    assert Fraction(5e-324) + Fraction(5, 2) == Fraction(total.total, 2**total.shift)
