"""Request limits in windows that follow the calendar, and the ban of who goes on over them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Budget", "Verdict"]


class Verdict(NamedTuple):
    """What a request meets."""

    used: int
    """Weight used in the window, this request's among it."""
    status: int
    """200, 429 (over the limit) or 418 (banned)."""
    retry_after: float
    """Seconds until the window or the ban ends."""


class Budget:
    """Weights used by key in the running window.

    Args:
        limit: weight that a window admits.
        seconds: length of a window.
        patience: refused requests in a window after which the key is banned.
        ban: seconds of the ban.
    """

    def __init__(self, limit: int, seconds: float, patience: int = 20, ban: float = 120.0) -> None:
        self.limit = limit
        self._length = int(seconds * 1e6)
        self._patience = patience
        self._ban = int(ban * 1e6)
        # by key: number of the window, weight used and requests refused in it
        self._used: dict[str, tuple[int, int, int]] = {}
        self._banned: dict[str, int] = {}

    def take(self, key: str, weight: int, now: int) -> Verdict:
        """Count a request of ``weight`` at ``now`` (microseconds) and judge it."""
        window = now // self._length
        held, used, refused = self._used.get(key, (window, 0, 0))
        if held != window:
            used, refused = 0, 0
        used += weight
        until = self._banned.get(key, 0)
        left = ((window + 1) * self._length - now) / 1e6
        if until > now:
            verdict = Verdict(used, 418, (until - now) / 1e6)
        elif used <= self.limit:
            verdict = Verdict(used, 200, left)
        elif refused < self._patience:
            refused += 1
            verdict = Verdict(used, 429, left)
        else:
            self._banned[key] = now + self._ban
            verdict = Verdict(used, 418, self._ban / 1e6)
        self._used[key] = window, used, refused
        return verdict
