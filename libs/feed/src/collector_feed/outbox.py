"""Frames that wait until the exchange's limit of messages lets them go."""

from __future__ import annotations

from collections import deque

from collector_feed.outputs import Send, Subscription
from collector_feed.spec import Rate

__all__ = ["Outbox"]


class Outbox:
    """A queue that gives at most ``rate.count`` frames in any ``rate.seconds``.

    Pings count as well: ``spend`` notes one that is sent past the queue.
    """

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._waiting: deque[tuple[Send, tuple[Subscription, ...], int]] = deque()
        # monotonic times of the last frames sent
        self._sent: deque[float] = deque(maxlen=rate.count)

    def put(self, message: Send, adds: tuple[Subscription, ...], attempts: int = 1) -> None:
        """Queue a frame with what it subscribes and how often it was tried."""
        self._waiting.append((message, adds, attempts))

    def take(self, now: float) -> tuple[Send, tuple[Subscription, ...], int] | None:
        """Return the next frame if one may go at monotonic ``now``."""
        if not self._waiting or not self.free(now):
            return None
        self.spend(now)
        return self._waiting.popleft()

    def free(self, now: float) -> bool:
        """Tell whether the limit lets a frame go at monotonic ``now``."""
        full = len(self._sent) == self._rate.count
        # a sum, as in deadline(): a difference may round to less than what was added
        return not full or now >= self._sent[0] + self._rate.seconds

    def spend(self, now: float) -> None:
        """Note a frame that goes at monotonic ``now``."""
        self._sent.append(now)

    def deadline(self) -> float | None:
        """Return when the next waiting frame may go, None when none waits."""
        if not self._waiting:
            return None
        if len(self._sent) < self._rate.count:
            return 0.0
        return self._sent[0] + self._rate.seconds

    def clear(self) -> None:
        """Forget what waits; the connection is gone."""
        self._waiting.clear()
        self._sent.clear()
