"""Whether a connection lives: silence is asked about, and an unanswered question ends it.

A ping that is answered proves more than life: everything that the exchange sent before the answer
has arrived. Clock rows of quiet symbols rest on that, so a quiet connection is asked each second.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from collector_feed.spec import KeepAlive

__all__ = ["Liveness", "Sign"]

_QUIET: Final = 1.0
"""Seconds without a frame after which a ping is sent for the sake of clock rows."""


class Sign(Enum):
    """What the watchdog says."""

    FINE = "fine"
    ASK = "ask"
    DEAD = "dead"
    """Nothing at all came for the keep-alive's interval and timeout."""
    STALE = "stale"
    """Pings are answered, but no data came for the data timeout."""


class Liveness:
    """Watches one connection.

    Args:
        keep_alive: the exchange's figures.
        data_timeout: seconds without data, pongs aside, after which a connection is stale.
    """

    def __init__(self, keep_alive: KeepAlive, data_timeout: float) -> None:
        self._dead_after = keep_alive.interval + keep_alive.timeout
        self._data_timeout = data_timeout
        # monotonic times: last sign of life seen, last data, last question
        self.life = 0.0
        self._data = 0.0
        self._asked = 0.0
        # receive time of the last frame seen
        self._received = 0

    def started(self, now: float) -> None:
        """The connection opened at monotonic ``now``."""
        self.life = self._data = self._asked = now

    def data(self, now: float) -> None:
        """Rows came since the last look."""
        self._data = now

    def asked(self, now: float) -> None:
        """A ping was sent, or may not be sent at present; the next is due a while from now."""
        self._asked = now

    def answered(self) -> None:
        """A ping was answered: the connection lived when it was asked, and is quiet since."""
        self.life = max(self.life, self._asked)

    def on_time(self, now: float, received: int) -> Sign:
        """Look at the connection; ``received`` is the wall time of its last frame."""
        if received != self._received:
            self._received = received
            self.life = now
        # sums, as in deadline(): a difference may round to less than what was added
        if now >= self.life + self._dead_after:
            return Sign.DEAD
        if now >= self._data + self._data_timeout:
            return Sign.STALE
        if now >= max(self.life, self._asked) + _QUIET:
            return Sign.ASK
        return Sign.FINE

    def deadline(self) -> float:
        """Return when to look again, in monotonic seconds."""
        return min(
            max(self.life, self._asked) + _QUIET,
            self.life + self._dead_after,
            self._data + self._data_timeout,
        )
