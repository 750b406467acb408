"""The circuit breaker: when it opens, for how long, and what closes it."""

from __future__ import annotations

from math import inf

import pytest

from collector_core.errors import (
    CollectorError,
    FrameError,
    RequestError,
    Throttled,
    TransportError,
)
from collector_feed.breaker import Breaker, judge


def broken(drawn: float = 0.0, *, times: int = 5, at: float = 0.0) -> Breaker:
    breaker = Breaker(lambda: drawn, threshold=5, pause=2.0, cap=30.0)
    for _ in range(times):
        breaker.failed(at)
    return breaker


def test_it_opens_after_failures_in_a_row() -> None:
    breaker = broken(times=4)
    assert breaker.state(0.0) == "closed"
    assert breaker.wait(0.0) == 0.0
    breaker.failed(0.0)
    assert breaker.state(0.0) == "open"
    assert breaker.wait(0.25) == 0.75
    assert breaker.entered == {"closed": 0, "open": 1, "half_open": 0}


def test_a_success_between_them_starts_the_count_anew() -> None:
    breaker = broken(times=4)
    breaker.succeeded(probe=False)
    for _ in range(4):
        breaker.failed(0.0)
    assert breaker.state(0.0) == "closed"


@pytest.mark.parametrize(("drawn", "pause"), [(0.0, 1.0), (0.5, 1.5), (1.0, 2.0)])
def test_its_pause_is_drawn_from_the_upper_half(drawn: float, pause: float) -> None:
    assert broken(drawn).wait(0.0) == pause


def test_half_open_one_probe_goes_and_its_success_closes() -> None:
    breaker = broken()
    assert breaker.state(1.0) == "half_open"
    assert breaker.begin(1.0)
    assert breaker.wait(1.0) == inf
    assert breaker.state(1.0) == "half_open"
    breaker.succeeded(probe=True)
    assert breaker.state(1.0) == "closed"
    assert breaker.wait(1.0) == 0.0
    assert breaker.entered == {"closed": 1, "open": 1, "half_open": 1}


def test_pauses_double_up_to_the_cap_and_begin_anew_after_a_success() -> None:
    breaker = broken(1.0)
    now, pauses = 0.0, []
    for _ in range(6):
        pauses.append(breaker.wait(now))
        now += breaker.wait(now)
        assert breaker.begin(now)
        breaker.failed(now)
    assert pauses == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    now += breaker.wait(now)
    breaker.succeeded(probe=breaker.begin(now))
    for _ in range(5):
        breaker.failed(now)
    assert breaker.wait(now) == 2.0


def test_a_probe_that_was_given_up_leaves_its_place_to_another() -> None:
    breaker = broken()
    assert breaker.begin(1.0)
    breaker.gave_up(probe=False)
    assert breaker.wait(1.0) == inf
    breaker.gave_up(probe=True)
    assert breaker.wait(1.0) == 0.0
    assert breaker.begin(1.0)


def test_failures_that_began_before_it_opened_do_not_prolong_it() -> None:
    breaker = broken()
    breaker.failed(0.5)
    assert breaker.wait(0.5) == 0.5
    assert breaker.entered["open"] == 1


def test_the_first_ban_opens_it_for_as_long_as_the_exchange_says() -> None:
    breaker = broken(times=0)
    breaker.failed(0.0, banned=True, retry_after=90_000.0)
    assert breaker.wait(0.0) == 90_000.0
    # a request of before the ban was answered, which does not end it
    breaker.succeeded(probe=False)
    breaker.failed(0.0)
    assert breaker.wait(0.0) == 90_000.0


def test_a_ban_of_no_stated_length_is_long_and_longer_the_next_time() -> None:
    breaker = broken(times=0)
    now, pauses = 0.0, []
    for _ in range(5):
        breaker.failed(now, banned=True)
        pauses.append(breaker.wait(now))
        now += pauses[-1]
        assert breaker.begin(now)
    assert pauses == [600.0, 1200.0, 2400.0, 3600.0, 3600.0]


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (RequestError("silent"), "dead"),
        (RequestError("failed", 502), "dead"),
        (RequestError("no such symbol", 400), "alive"),
        (RequestError("forbidden", 403), "banned"),
        (Throttled("banned", 418, 60.0), "banned"),
        (Throttled("slow down", 429), "alive"),
        (Throttled("slow down, with status 200"), "alive"),
        (TransportError("refused"), "dead"),
        (TransportError("handshake", 503), "dead"),
        (TransportError("handshake", 403), "banned"),
        (FrameError("answered, but what"), "alive"),
    ],
)
def test_an_error_tells_whether_the_endpoint_lives(error: CollectorError, verdict: str) -> None:
    assert judge(error) == verdict
