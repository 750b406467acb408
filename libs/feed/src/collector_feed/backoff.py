"""How long to wait before the next attempt: exponential with full jitter.

Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. For an answer
that asks for a pause the wait is the larger of the asked pause and equal jitter, so that a client
told to wait never comes back at once.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Backoff"]


class Backoff:
    """Delays of one endpoint, in seconds.

    Args:
        random: returns a float in [0, 1); the caller's, so that a replay draws the same.
        base: upper bound of the first delay.
        cap: upper bound of every delay.
    """

    def __init__(
        self, random: Callable[[], float], *, base: float = 0.5, cap: float = 30.0
    ) -> None:
        self._random = random
        self._base = base
        self._cap = cap
        # attempts since the last success
        self.attempts = 0

    def next(self, *, retry_after: float | None = None, throttled: bool = False) -> float:
        """Return the next delay and count the attempt.

        ``retry_after`` is the pause that a throttle answer asked for, None if it asked for none
        of a given length.
        """
        # 2**60 seconds is past any cap; a larger power would overflow a float
        bound = min(self._cap, self._base * 2.0 ** min(self.attempts, 60))
        self.attempts += 1
        if throttled or retry_after is not None:
            return max(retry_after or 0.0, bound / 2 + self._random() * bound / 2)
        return self._random() * bound

    def reset(self) -> None:
        """Start again from the base; called once data flowed for a while."""
        self.attempts = 0
