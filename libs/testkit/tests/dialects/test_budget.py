"""Request limits by the calendar, and the ban."""

from __future__ import annotations

from collector_testkit.dialects.budget import Budget


def test_a_window_admits_its_limit_and_then_refuses_until_it_ends() -> None:
    budget = Budget(10, 60.0)
    assert budget.take("a", 6, 20_000_000) == (6, 200, 40.0)
    assert budget.take("a", 4, 30_000_000) == (10, 200, 30.0)
    assert budget.take("a", 1, 45_000_000) == (11, 429, 15.0)
    assert budget.take("b", 1, 45_000_000) == (1, 200, 15.0)
    assert budget.take("a", 1, 60_000_000) == (1, 200, 60.0)


def test_who_goes_on_is_banned_and_the_ban_outlives_the_window() -> None:
    budget = Budget(1, 1.0, patience=2, ban=5.0)
    seen = [budget.take("a", 1, 100_000).status for _ in range(4)]
    assert seen == [200, 429, 429, 418]
    assert budget.take("a", 1, 4_100_000)[1:] == (418, 1.0)
    assert budget.take("a", 1, 5_100_000)[1] == 200
