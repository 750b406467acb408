"""What time it is at the exchange, as far as the frames of a connection prove it.

A clock row says that every trade up to a time has been published, so its time must come from the
exchange, not from a local clock that may be off or jump. The difference between an event's own
time and its receive time is largest for the event that travelled fastest; added to the receive
time of the last sign of life it gives a time that the exchange has certainly passed.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ExchangeClock"]

_WINDOW: Final = 60.0
"""Seconds after which an old difference is forgotten, so that a drifting clock is followed."""
_JUMP: Final = 1_000_000
"""Microseconds by which wall and monotonic time may part before differences are void."""


class ExchangeClock:
    """Estimates an exchange's clock from pairs of exchange time and receive time.

    Args:
        lag: microseconds by which the estimate is held back, for events of different symbols
            that overtake each other on their way to us.
    """

    def __init__(self, lag: int = 250_000) -> None:
        self._lag = lag
        # the largest exchange_time - receive_time of the last whole window and of the present one
        self._before: int | None = None
        self._now: int | None = None
        self._turn = 0.0
        # wall - monotonic when last seen, in microseconds
        self._offset: int | None = None

    def sample(self, exchange_time: int, receive_time: int) -> None:
        """Take a pair; both in microseconds."""
        difference = exchange_time - receive_time
        if self._now is None or difference > self._now:
            self._now = difference

    def on_time(self, monotonic: float, wall: int) -> None:
        """Forget old differences; all of them after a jump of the wall clock."""
        offset = wall - round(monotonic * 1_000_000)
        if self._offset is not None and abs(offset - self._offset) > _JUMP:
            self._before = self._now = None
            self._turn = monotonic
        self._offset = offset
        if monotonic - self._turn >= _WINDOW:
            self._before, self._now = self._now, None
            self._turn = monotonic

    def passed(self, life: int) -> int | None:
        """Return a whole second that the exchange had passed at the last sign of life.

        ``life`` is the receive time of that sign; both in microseconds. None while no event with
        a time of its own was seen.
        """
        known = [d for d in (self._before, self._now) if d is not None]
        if not known:
            return None
        return (life + max(known) - self._lag) // 1_000_000 * 1_000_000
