"""When a lost connection is tried again, and how often it was lost."""

from __future__ import annotations

from typing import Final

from collector_feed.backoff import Backoff

__all__ = ["Reconnection"]

_SETTLED: Final = 60.0
"""Seconds of a connection after which the next loss starts its backoff from the base again."""


class Reconnection:
    """The attempts of one connection; times are monotonic seconds.

    Args:
        backoff: of the attempts.
        timeout: seconds that an attempt may take.
    """

    def __init__(self, backoff: Backoff, timeout: float) -> None:
        self._backoff = backoff
        self._timeout = timeout
        self._connected_at: float | None = None
        # the next attempt, or the end of an attempt under way; None while connected, and while an
        # attempt waits its turn
        self.at: float | None = None
        # losses by cause, for metrics
        self.losses: dict[str, int] = {}

    def due(self, now: float) -> bool:
        """Tell whether what ``at`` names has come."""
        return self.at is not None and now >= self.at

    def wanted(self, now: float) -> None:
        """An attempt may begin at once."""
        self.at = now

    def queued(self) -> None:
        """The attempt waits its turn, which may take as long as it takes."""
        self.at = None

    def begun(self, now: float) -> None:
        """An attempt is under way."""
        self.at = now + self._timeout

    def connected(self, now: float) -> None:
        """The socket is open."""
        self.at = None
        self._connected_at = now

    def lost(
        self, cause: str, now: float, *, throttled: bool = False, retry_after: float | None = None
    ) -> None:
        """The socket is gone or never opened; the next attempt is set."""
        if self._connected_at is not None and now - self._connected_at >= _SETTLED:
            self._backoff.reset()
        self._connected_at = None
        self.losses[cause] = self.losses.get(cause, 0) + 1
        self.at = now + self._backoff.next(throttled=throttled, retry_after=retry_after)
