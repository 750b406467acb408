"""Quotients of exact sums against rational numbers."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from collector_indicators.exact_ratio import ExactRatio
from collector_indicators.exact_sum import ExactSum

DOUBLES = st.floats(-1e100, 1e100, allow_nan=False, allow_infinity=False)
PAIRS = st.lists(st.tuples(DOUBLES, st.floats(1e-100, 1e100)), min_size=1)


def gathered(pairs: list[tuple[float, float]]) -> ExactRatio:
    """Return the quotient of the sums of pairs."""
    ratio = ExactRatio()
    for above, below in pairs:
        ratio.add_pair(above, below)
    return ratio


@given(PAIRS, DOUBLES, st.floats(0, 1e100))
def test_a_quotient_is_rounded_once(
    pairs: list[tuple[float, float]], above: float, below: float
) -> None:
    ratio = gathered(pairs)
    top = sum(Fraction(pair[0]) for pair in pairs)
    bottom = sum(Fraction(pair[1]) for pair in pairs)
    assert float(top / bottom) == ratio.value()
    more = ratio.pair(above, below)
    assert float((top + Fraction(above)) / (bottom + Fraction(below))) == ratio.value(*more)


@given(PAIRS)
def test_sums_in_lowest_terms_give_the_same_quotient(pairs: list[tuple[float, float]]) -> None:
    ratio = gathered(pairs)
    again = ExactRatio.of(ratio.lowest_terms(), ExactSum(ratio.below, ratio.shift).lowest_terms())
    assert ratio.value() == again.value()


def test_nothing_below_is_no_quotient() -> None:
    assert [gathered([(1.0, 0.0)]).value(), gathered([(1.0, -1.0)]).value()] == [None, None]


def test_a_quotient_beyond_all_doubles_is_none() -> None:
    ratio = gathered([(1e99, 5e-324)])
    assert [ratio.value(), ratio.value(0, *ratio.pair(0.0, 1.0)[1:])] == [None, 1e99]
