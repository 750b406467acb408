"""What time has certainly arrived."""

from __future__ import annotations

from collector_feed.exchange_clock import ExchangeClock
from collector_testkit.manual_clock import ManualClock

SECOND = 1_000_000
LAG = 250_000
HOUR = 3600.0


class Line:
    """A connection whose frames take their time; the exchange's clock is off by ``skew``."""

    def __init__(self, skew: float = 0.0) -> None:
        self.time = ManualClock()
        self.clock = ExchangeClock(LAG)
        self.skew = round(skew * SECOND)
        self.look()

    def look(self) -> None:
        self.clock.on_time(self.time.monotonic, self.time.wall)

    def exchange_time(self) -> int:
        return self.time.wall + self.skew

    def frame(self, travel: float) -> None:
        """A frame is sent now and arrives after ``travel`` seconds; then time is looked at."""
        sent = self.exchange_time()
        self.time.advance(travel)
        self.clock.sample(sent, self.time.wall)
        self.look()

    def ping(self, there: float, back: float) -> None:
        self.clock.asked(self.time.wall)
        self.time.advance(there + back)
        self.clock.answered()
        self.look()


def test_nothing_is_proven_before_the_first_time() -> None:
    line = Line()
    assert line.clock.passed() is None
    line.ping(0.1, 0.1)
    # our clock may be off by hours: without one time of the exchange's an answer proves nothing
    assert line.clock.passed() is None


def test_a_frame_proves_its_own_time_less_the_lag() -> None:
    line = Line()
    line.time.wall = 1_700_000_000_250_000
    line.frame(0.05)
    assert line.clock.passed() == 1_700_000_000 * SECOND
    line = Line()
    line.time.wall = 1_700_000_000_249_999
    line.frame(0.05)
    assert line.clock.passed() == 1_699_999_999 * SECOND


def test_a_stalled_network_proves_no_more_than_what_came() -> None:
    line = Line()
    line.frame(0.05)
    line.time.advance(0.95)
    sent = line.exchange_time()
    # what the exchange sent after this frame is still on its way when the frame arrives
    line.frame(10.0)
    proven = line.clock.passed()
    assert proven is not None
    assert sent - LAG - SECOND < proven <= sent - LAG


def test_an_answer_proves_the_time_of_asking() -> None:
    line = Line()
    line.frame(0.05)
    line.time.advance(60.0)
    asked = line.exchange_time()
    # the answer may have been given at the very beginning of those ten seconds
    line.ping(0.0, 10.0)
    proven = line.clock.passed()
    assert proven is not None
    assert asked - 0.05 * SECOND - LAG - SECOND < proven <= asked - LAG


def test_the_exchanges_clock_counts_not_ours() -> None:
    for skew in (-5 * HOUR, 0.0, 5 * HOUR):
        line = Line(skew)
        line.frame(0.05)
        line.time.advance(30.0)
        asked = line.exchange_time()
        line.ping(0.05, 0.05)
        proven = line.clock.passed()
        assert proven is not None
        assert asked - 2 * SECOND < proven <= asked


def test_answers_come_in_order() -> None:
    line = Line()
    line.frame(0.0)
    first = line.exchange_time() + 100 * SECOND
    for _ in range(3):
        line.time.advance(100.0)
        line.clock.asked(line.time.wall)
    line.clock.answered()
    line.look()
    proven = line.clock.passed()
    assert proven is not None
    assert first - 2 * SECOND < proven <= first


def test_an_answer_that_nobody_asked_for_proves_nothing() -> None:
    line = Line()
    line.frame(0.05)
    before = line.clock.passed()
    line.time.advance(50.0)
    line.clock.answered()
    line.look()
    assert line.clock.passed() == before


def test_a_wall_jump_of_an_hour_moves_nothing() -> None:
    for jump in (HOUR, -HOUR):
        line = Line()
        line.frame(0.05)
        line.clock.asked(line.time.wall)
        true = line.exchange_time()
        line.time.jump_wall(jump)
        line.skew -= round(jump * SECOND)
        # both were under way when the clock was set
        line.clock.sample(true, line.time.wall - round(jump * SECOND))
        line.clock.answered()
        line.look()
        proven = line.clock.passed()
        assert proven is not None
        assert proven <= true
        # and what comes after it is measured with the new clock
        line.time.advance(10.0)
        line.frame(0.05)
        line.time.advance(10.0)
        asked = line.exchange_time()
        line.ping(0.05, 0.05)
        proven = line.clock.passed()
        assert proven is not None
        assert asked - 2 * SECOND < proven <= asked


def test_a_ping_from_before_the_jump_is_void_also_when_answered_late() -> None:
    line = Line()
    line.frame(0.05)
    line.clock.asked(line.time.wall)
    line.time.jump_wall(-HOUR)
    line.skew += round(HOUR * SECOND)
    line.look()
    line.frame(0.05)
    true = line.exchange_time()
    line.clock.answered()
    line.look()
    proven = line.clock.passed()
    assert proven is not None
    assert proven <= true


def test_a_time_that_slips_ahead_is_not_believed() -> None:
    line = Line()
    line.frame(0.05)
    line.clock.sample(line.exchange_time() + 3600 * SECOND, line.time.wall)
    line.look()
    proven = line.clock.passed()
    assert proven is not None
    assert proven <= line.exchange_time()


def test_a_drifting_clock_is_followed() -> None:
    line = Line(skew=1.0)
    line.frame(0.05)
    # the exchange's clock loses a second; two windows later its old advance is forgotten
    line.skew = 0
    for _ in range(14):
        line.time.advance(10.0)
        line.frame(0.05)
    line.time.advance(5.0)
    asked = line.exchange_time()
    line.ping(0.01, 0.01)
    proven = line.clock.passed()
    assert proven is not None
    assert proven <= asked


def test_a_lost_connection_takes_its_pings_along() -> None:
    line = Line()
    line.frame(0.05)
    before = line.clock.passed()
    line.time.advance(100.0)
    line.clock.asked(line.time.wall)
    line.clock.disconnected()
    line.clock.answered()
    line.look()
    assert line.clock.passed() == before
