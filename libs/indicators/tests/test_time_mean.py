from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from collector_indicators.time_mean import TimeMean

VALUES = st.floats(-1e80, 1e80, allow_nan=False) | st.floats(-1, 1, allow_nan=False)
PARTS = st.lists(st.tuples(VALUES, st.integers(1, 10**13)), min_size=1, max_size=20)


def of(parts: list[tuple[float, int]]) -> TimeMean:
    mean = TimeMean()
    for value, held in parts:
        mean.add(value, held)
    return mean


def test_without_time_there_is_none() -> None:
    assert TimeMean().value() is None
    assert of([(1.0, 0)]).value() is None


@given(PARTS)
def test_it_is_rounded_once(parts: list[tuple[float, int]]) -> None:
    whole = sum(Fraction(value) * held for value, held in parts)
    assert of(parts).value() == float(whole / sum(held for _, held in parts))


@given(PARTS, st.integers(1, 10**6))
def test_where_time_is_cut_does_not_show(parts: list[tuple[float, int]], cut: int) -> None:
    [(value, held), *others] = parts
    assert of(parts).value() == of([(value, cut), *others, (value, held - cut)]).value()


@given(PARTS, PARTS)
def test_a_restore_changes_no_bit(
    before: list[tuple[float, int]], after: list[tuple[float, int]]
) -> None:
    restored = TimeMean(of(before).state())
    for value, held in after:
        restored.add(value, held)
    assert restored.value() == of(before + after).value()
    assert restored.state() == of(before + after).state()
