from __future__ import annotations

from collector_indicator.schedule import Schedule


def test_nothing_is_due_while_nothing_changed() -> None:
    assert Schedule(0.1, 1.0).due(100.0, rows=False, changed=False) == "nothing"


def test_the_first_change_is_written_at_once_and_whole() -> None:
    assert Schedule(0.1, 1.0).due(100.0, rows=False, changed=True) == "everything"


def test_rows_wait_for_the_tick_and_go_alone() -> None:
    schedule = Schedule(0.1, 1.0)
    schedule.written(100.0, "everything")
    assert schedule.due(100.05, rows=True, changed=True) == "nothing"
    assert schedule.due(100.11, rows=True, changed=True) == "rows"
    assert schedule.due(100.11, rows=False, changed=True) == "nothing"


def test_what_has_no_rows_is_written_by_the_checkpoint() -> None:
    schedule = Schedule(0.1, 1.0)
    schedule.written(100.0, "everything")
    schedule.written(100.95, "rows")
    assert schedule.due(101.0, rows=False, changed=True) == "nothing"
    assert schedule.due(101.06, rows=False, changed=True) == "everything"


def test_without_a_checkpoint_every_tick_is_whole() -> None:
    schedule = Schedule(0.1, 0.0)
    schedule.written(100.0, "everything")
    assert schedule.due(100.2, rows=True, changed=True) == "everything"
