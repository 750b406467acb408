"""Signs of life on a manual clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector_feed.liveness import Liveness, Sign
from collector_feed.spec import KeepAlive

KEEP_ALIVE = KeepAlive(interval=25.0, timeout=10.0)


def started(now: float = 100.0, data_timeout: float = 120.0) -> Liveness:
    liveness = Liveness(KEEP_ALIVE, data_timeout)
    liveness.started(now)
    liveness.on_time(now, 1)
    return liveness


def test_a_quiet_second_asks_once() -> None:
    liveness = started()
    assert liveness.on_time(100.9, 1) is Sign.FINE
    assert liveness.on_time(101.0, 1) is Sign.ASK
    liveness.asked(101.0)
    assert liveness.on_time(101.5, 1) is Sign.FINE
    assert liveness.on_time(102.0, 1) is Sign.ASK


def test_a_pong_is_life_at_the_time_of_asking() -> None:
    liveness = started()
    liveness.asked(101.0)
    liveness.answered()
    # so a quiet connection is asked each second, however late it is looked at
    assert liveness.deadline() == 102.0
    assert liveness.on_time(135.5, 1) is Sign.ASK
    assert liveness.on_time(136.0, 1) is Sign.DEAD


def test_a_frame_is_life() -> None:
    liveness = started()
    assert liveness.on_time(101.5, 2) is Sign.FINE
    assert liveness.deadline() == 102.5


def test_nothing_at_all_is_death() -> None:
    liveness = started()
    for second in range(101, 135):
        liveness.asked(float(second))
        assert liveness.on_time(second + 0.5, 1) is Sign.FINE
    assert liveness.on_time(135.0, 1) is Sign.DEAD


def test_pongs_without_data_are_stale() -> None:
    liveness = started(data_timeout=30.0)
    for second in range(101, 130):
        assert liveness.on_time(float(second), second) is Sign.FINE
    assert liveness.on_time(130.0, 130) is Sign.STALE


def test_data_puts_staleness_off() -> None:
    liveness = started(data_timeout=30.0)
    liveness.data(120.0)
    assert liveness.on_time(140.0, 2) is Sign.FINE
    assert liveness.on_time(150.0, 3) is Sign.STALE


@given(st.floats(0, 1e7), st.floats(0.01, 200))
def test_at_its_deadline_there_is_something_to_do(now: float, data_timeout: float) -> None:
    liveness = started(now, data_timeout)
    assert liveness.on_time(liveness.deadline(), 1) is not Sign.FINE
