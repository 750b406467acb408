"""Frames that wait until the exchange's limit of messages lets them go."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from collector_feed.outputs import Send, Subscription
from collector_feed.spec import Rate

__all__ = ["Outbox"]


class _Limit:
    """At most ``rate.count`` in any ``rate.seconds``, by the times of the last ones."""

    def __init__(self, rate: Rate) -> None:
        self._seconds = rate.seconds
        self._count = rate.count
        self._sent: deque[float] = deque(maxlen=rate.count)

    def at(self) -> float:
        """Return when the next one may go, in monotonic seconds; 0 for at once."""
        return 0.0 if len(self._sent) < self._count else self._sent[0] + self._seconds

    def spend(self, now: float) -> None:
        self._sent.append(now)

    def clear(self) -> None:
        self._sent.clear()


class _Waiting(NamedTuple):
    message: Send
    adds: tuple[Subscription, ...]
    attempts: int
    operation: bool


class Outbox:
    """A queue that keeps to the exchange's limits of messages on one connection.

    Pings count as well: ``spend`` notes one that is sent past the queue.

    Args:
        rate: limit of all messages.
        operations: limit of those that subscribe or unsubscribe, if there is one.
    """

    def __init__(self, rate: Rate, operations: Rate | None = None) -> None:
        self._all = _Limit(rate)
        self._operations = None if operations is None else _Limit(operations)
        self._waiting: deque[_Waiting] = deque()

    def put(
        self,
        message: Send,
        adds: tuple[Subscription, ...],
        attempts: int = 1,
        *,
        operation: bool = False,
    ) -> None:
        """Queue a frame with what it subscribes and how often it was tried."""
        self._waiting.append(_Waiting(message, adds, attempts, operation))

    def take(self, now: float) -> tuple[Send, tuple[Subscription, ...], int] | None:
        """Return the next frame if one may go at monotonic ``now``."""
        at = self.deadline()
        if at is None or now < at:
            return None
        message, adds, attempts, operation = self._waiting.popleft()
        self.spend(now)
        if operation and self._operations is not None:
            self._operations.spend(now)
        return message, adds, attempts

    def free(self, now: float) -> bool:
        """Tell whether the limit lets a frame go at monotonic ``now``."""
        return now >= self._all.at()

    def spend(self, now: float) -> None:
        """Note a frame that goes at monotonic ``now``."""
        self._all.spend(now)

    def deadline(self) -> float | None:
        """Return when the next waiting frame may go, None when none waits."""
        if not self._waiting:
            return None
        # an order is an order: nothing passes a subscription that has to wait
        if self._waiting[0].operation and self._operations is not None:
            return max(self._all.at(), self._operations.at())
        return self._all.at()

    def clear(self) -> None:
        """Forget what waits; the connection is gone."""
        self._waiting.clear()
        self._all.clear()
        if self._operations is not None:
            self._operations.clear()
