"""A connection's signs of life: silence asked about, and the exchange's time that answers prove."""

from __future__ import annotations

from collections.abc import Sequence

from collector_core.events import Event
from collector_feed.exchange_clock import ExchangeClock
from collector_feed.liveness import Liveness, Sign
from collector_feed.options import SessionOptions
from collector_feed.outputs import Output
from collector_feed.spec import Spec

__all__ = ["Vitals"]


class Vitals:
    """What is known of one connection's health; the frames' hot path only writes two fields.

    Args:
        spec: the exchange's keep-alive.
        options: the operator's settings.
    """

    def __init__(self, spec: Spec, options: SessionOptions) -> None:
        self._clock = ExchangeClock(round(options.clock_lag * 1_000_000))
        self._liveness = Liveness(spec.keep_alive, options.data_timeout)
        self._interval = spec.keep_alive.interval if spec.keep_alive.text is not None else None
        self._last_second = 0
        # receive time of the last frame, and its rows, looked at by ``sample``
        self.received = 0
        self.rows: Sequence[Output] = ()
        # monotonic time of the last look
        self.now = 0.0
        # wall time of the last pong
        self.answered = 0
        # when the exchange's own keep-alive text is due, None if it has none
        self.next_text: float | None = None

    def connected(self, now: float, wall: int) -> None:
        """The socket is open."""
        self.received = wall
        self.now = now
        self._liveness.started(now)
        self.next_text = None if self._interval is None else now + self._interval

    def disconnected(self) -> None:
        """The socket is gone."""
        self._clock.disconnected()
        self.rows = ()

    def pong(self, wall: int) -> None:
        """The exchange answered a ping."""
        self.answered = wall
        self._liveness.answered()
        self._clock.answered()

    def asked(self, now: float, wall: int, *, sent: bool) -> None:
        """A ping is wanted; ``sent`` unless the message limit kept it back."""
        self._liveness.asked(now)
        if sent:
            self._clock.asked(wall)

    def sample(self, now: float, wall: int) -> Sign:
        """Look at the last frame and at the time; say how the connection is."""
        self.now = now
        rows, self.rows = self.rows, ()
        if rows:
            self._liveness.data(now)
            row = rows[-1]
            if isinstance(row, Event) and row.exchange_time and row.receive_time:
                self._clock.sample(row.exchange_time, row.receive_time)
        # after the sample: a jump of the wall clock voids this one too
        self._clock.on_time(now, wall)
        return self._liveness.on_time(now, self.received)

    @property
    def life(self) -> float:
        """Monotonic time of the last sign of life that was seen."""
        return self._liveness.life

    def text_due(self, now: float) -> bool:
        """Tell whether the exchange's keep-alive text is due; then the next one is set."""
        if self.next_text is None or self._interval is None or now < self.next_text:
            return False
        self.next_text = now + self._interval
        return True

    def passed(self) -> int | None:
        """Return a whole second of the exchange that is now complete and was not before."""
        second = self._clock.passed()
        if second is None or second <= self._last_second:
            return None
        self._last_second = second
        return second

    def skew(self) -> int | None:
        """Return by how many microseconds the exchange's clock seems ahead of ours."""
        return self._clock.skew()

    def deadline(self) -> float:
        """Return when to look again, in monotonic seconds."""
        watch = self._liveness.deadline()
        return watch if self.next_text is None else min(watch, self.next_text)
