"""Up to which time of the exchange everything it sent has arrived, as far as frames prove it.

A clock row says that every trade up to a time stands above it. That the exchange's clock has
passed that time is not enough, for frames may be held up on their way by any stall of the network.
Two things prove arrival, since a connection keeps its order:

- a frame that carries the exchange's time: what was sent before that time came before the frame;
- an answered ping: what was sent before the ping *left us* came before the answer. Our time of
  asking becomes the exchange's by the largest difference seen between an event's own time and its
  receive time, that of the event which travelled fastest, so the result errs to the early side.
"""

from __future__ import annotations

from collections import deque
from typing import Final

__all__ = ["ExchangeClock"]

_WINDOW: Final = 60.0
"""Seconds after which an old difference is forgotten, so that a drifting clock is followed."""
_JUMP: Final = 100_000
"""Microseconds by which wall and monotonic time may part before differences are void."""

_SLIP: Final = 5_000_000
"""Microseconds by which a time may run ahead of all others and still be believed."""


class ExchangeClock:
    """Estimates up to which time a connection is complete; all stamps in microseconds.

    Args:
        lag: how far the estimate is held back, for events of different symbols that overtake
            each other inside the exchange.
    """

    def __init__(self, lag: int = 250_000) -> None:
        self._lag = lag
        # the largest exchange_time - receive_time of the last whole window and of the present one
        self._before: int | None = None
        self._now: int | None = None
        self._turn = 0.0
        # wall - monotonic when last seen
        self._offset: int | None = None
        # largest exchange time that came
        self._seen: int | None = None
        # wall times of the pings not answered yet; None for one whose clock has jumped since
        self._asked: deque[int | None] = deque()
        # wall time of the youngest ping answered
        self._answered: int | None = None

    def sample(self, exchange_time: int, receive_time: int) -> None:
        """Take a pair; called before ``on_time``, which knows whether the wall clock jumped.

        One that runs far ahead of all others is an exchange's slip and proves nothing.
        """
        difference = exchange_time - receive_time
        known = self._difference()
        if known is not None and difference > known + _SLIP:
            return
        if self._now is None or difference > self._now:
            self._now = difference
        if self._seen is None or exchange_time > self._seen:
            self._seen = exchange_time

    def asked(self, wall: int) -> None:
        """Note that a ping was sent at ``wall``."""
        self._asked.append(wall)

    def answered(self) -> None:
        """Note an answer; pings are answered in order."""
        if self._asked:
            self._answered = self._asked.popleft() or self._answered

    def disconnected(self) -> None:
        """Forget the pings of a connection that is gone."""
        self._asked.clear()
        self._answered = None

    def on_time(self, monotonic: float, wall: int) -> None:
        """Forget old differences; all of them after a jump of the wall clock."""
        offset = wall - round(monotonic * 1_000_000)
        if self._offset is not None and abs(offset - self._offset) > _JUMP:
            self._before = self._now = self._answered = None
            self._asked = deque(None for _ in self._asked)
            self._turn = monotonic
        self._offset = offset
        if monotonic >= self._turn + _WINDOW:
            self._before, self._now = self._now, None
            self._turn = monotonic

    def passed(self) -> int | None:
        """Return the last whole second up to which all has arrived; None while none is proven."""
        proven = self._seen
        known = self._difference()
        if known is not None and self._answered is not None:
            asked = self._answered + known
            proven = asked if proven is None or asked > proven else proven
        return None if proven is None else (proven - self._lag) // 1_000_000 * 1_000_000

    def skew(self) -> int | None:
        """Return the exchange's clock less ours, of the fastest event seen; None before any."""
        return self._difference()

    def _difference(self) -> int | None:
        return max((d for d in (self._before, self._now) if d is not None), default=None)
