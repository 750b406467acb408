from __future__ import annotations

import threading

import pytest

from collector_indicator.jobs import Jobs


def test_a_call_s_result_comes_by_its_future() -> None:
    assert Jobs(1).submit(int, "11", base=2).result(5) == 3


def test_a_call_s_exception_too_and_the_thread_lives_on() -> None:
    jobs = Jobs(1)

    def fail() -> None:
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        jobs.submit(fail).result(5)
    assert jobs.submit(int).result(5) == 0


def test_calls_run_side_by_side() -> None:
    jobs = Jobs(2)
    meeting = threading.Barrier(2)
    both = [jobs.submit(meeting.wait, 5) for _ in range(2)]
    assert {future.result(5) for future in both} == {0, 1}
