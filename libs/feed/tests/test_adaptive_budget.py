"""What the exchange's counts and refusals make of a budget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_feed.adaptive_budget import AdaptiveBudget
from collector_feed.spec import Rate

MINUTE = Rate(6000, 60.0)


def drained(budget: AdaptiveBudget, weight: int, now: float) -> int:
    """Return how often ``weight`` is granted at once."""
    grants = 0
    while budget.delay(weight, now) == 0:
        budget.take(weight, now)
        grants += 1
    return grants


def test_a_delay_takes_nothing() -> None:
    budget = AdaptiveBudget(Rate(100, 10.0), 0.8)
    assert [budget.delay(40, 5.0) for _ in range(3)] == [0.0] * 3
    assert drained(budget, 40, 5.0) == 1
    assert budget.delay(40, 5.0) == pytest.approx(10.0)
    assert budget.granted == 40


def test_tenants_that_know_of_each_other_divide_the_share() -> None:
    assert AdaptiveBudget(MINUTE, 0.8, tenants=4).allowed(0.0) == pytest.approx(1200.0)


def test_what_the_exchange_counts_above_ours_is_left_to_the_others() -> None:
    budget = AdaptiveBudget(MINUTE, 0.8)
    budget.take(500, 10.0)
    budget.counted(500, 10.0, 10.1)
    assert budget.allowed(10.1) == pytest.approx(4800.0)
    budget.counted(3500, 10.2, 10.3)
    assert budget.others(10.3) == pytest.approx(3000.0)
    assert budget.allowed(10.3) == pytest.approx(1800.0)


def test_others_are_forgotten_by_half_in_five_windows() -> None:
    budget = AdaptiveBudget(MINUTE, 0.8)
    budget.counted(3000, 0.0, 0.1)
    assert budget.others(0.1 + 300.0) == pytest.approx(1500.0)
    assert budget.allowed(0.1 + 3000.0) == pytest.approx(4800.0, rel=0.01)


def test_requests_under_way_are_not_taken_for_those_of_others() -> None:
    budget = AdaptiveBudget(Rate(10, 1.0), 0.8)
    # sent in the window before, but slow: the exchange counts it together with the next one
    budget.take(1, 0.0)
    budget.take(1, 1.05)
    budget.counted(2, 1.05, 1.3)
    assert budget.others(1.3) == 0.0


def test_near_the_limit_nothing_is_asked_until_the_window_is_surely_over() -> None:
    budget = AdaptiveBudget(MINUTE, 0.8)
    budget.counted(5390, 100.0, 100.1)
    assert budget.hold(10, 100.1) == 0.0
    budget.take(10, 100.1)
    assert budget.hold(1, 100.1) == pytest.approx(59.9)
    # an answer to a request that was sent before says nothing newer
    budget.counted(100, 99.0, 100.2)
    assert budget.hold(1, 100.2) == pytest.approx(59.8)
    assert budget.hold(1, 160.0) == 0.0


def test_a_refusal_halves_the_share_and_time_gives_it_back() -> None:
    budget = AdaptiveBudget(MINUTE, 0.8)
    budget.throttled(5.0, 99.9, 100.0)
    assert budget.delay(1, 100.0) >= 5.0
    assert budget.allowed(100.0) == pytest.approx(2400.0)
    assert budget.allowed(159.0) == pytest.approx(2400.0)
    assert budget.allowed(160.0) == pytest.approx(2640.0)
    assert budget.allowed(10_000.0) == pytest.approx(4800.0)


def test_refusals_of_one_burst_halve_it_once() -> None:
    budget = AdaptiveBudget(MINUTE, 0.8)
    for number in range(10):
        budget.throttled(1.0, 99.9, 100.0 + number / 100)
    assert budget.allowed(100.1) == pytest.approx(2400.0)
    budget.throttled(1.0, 102.0, 102.1)
    assert budget.allowed(102.1) == pytest.approx(1200.0)
    assert budget.throttles == 11


def test_without_a_stated_pause_a_refusal_is_obeyed_for_a_window() -> None:
    budget = AdaptiveBudget(MINUTE, 0.8)
    budget.throttled(None, 99.9, 100.0)
    assert budget.stopped_for(100.0) == 60.0
    assert budget.hold(1, 100.0) == 60.0


def test_no_burst_follows_the_pause() -> None:
    budget = AdaptiveBudget(Rate(100, 10.0), 0.8)
    budget.throttled(3.0, 0.9, 1.0)
    assert drained(budget, 1, 4.0) == 0
    # half of 80 in 10 s, and half of that as a flow
    assert budget.delay(1, 4.0) == pytest.approx(0.5)


def test_however_often_it_is_refused_something_is_left() -> None:
    budget = AdaptiveBudget(MINUTE, 0.8)
    for number in range(20):
        budget.throttled(1.0, 2.0 * number, 2.0 * number + 0.1)
    budget.counted(100_000, 41.0, 41.1)
    assert budget.allowed(41.1) == pytest.approx(4800.0 / 16)


@given(
    st.lists(
        st.tuples(
            st.floats(0, 5),
            st.sampled_from(["ask", "counted", "throttled"]),
            st.integers(1, 40),
        ),
        min_size=1,
        max_size=80,
    )
)
def test_no_window_ever_has_more_than_the_share(steps: list[tuple[float, str, int]]) -> None:
    rate = Rate(200, 10.0)
    budget = AdaptiveBudget(rate, 0.8)
    now, granted = 0.0, []
    for pause, what, amount in steps:
        now += pause
        if what == "counted":
            budget.counted(amount * 5, now, now)
        elif what == "throttled":
            budget.throttled(amount / 10, now, now)
        elif budget.delay(amount, now) == 0:
            budget.take(amount, now)
            granted.append((now, amount))
    for start, _ in granted:
        inside = sum(weight for at, weight in granted if start <= at < start + rate.seconds)
        assert inside <= rate.count * 0.8 + 1e-6


def test_a_limit_of_one_unit_is_asked_one_by_one() -> None:
    budget = AdaptiveBudget(Rate(1, 1.0), 0.45)
    assert drained(budget, 1, 0.0) == 1
    assert budget.delay(1, 0.0) == pytest.approx(1 / 0.45)
