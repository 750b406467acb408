"""When a connection is replaced by plan: before the exchange's age limit, or when it says so.

The successor is subscribed and proven before the old one goes (make before break); how much of it
must overlap, and how long it may take, stands here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from collector_feed.options import SessionOptions
from collector_feed.spec import Spec

__all__ = ["Rotation"]

_SHARE: Final = 0.95
"""Part of the exchange's age limit after which a connection is replaced."""
_SPREAD: Final = 0.03
"""Part of that age by which connections of one process differ, so that not all go at once."""
_OVERLAP: Final = 2.0
"""Seconds that both connections have to flow."""
_SEEN: Final = 1.0
"""Seconds by which a sign of life may be noted late: a quiet connection is looked at so often."""


class Rotation:
    """The age of one connection, or the overlap of its successor; times are monotonic seconds.

    Args:
        spec: the exchange, with its age limit.
        options: the operator's settings.
        random: returns a float in [0, 1), to spread the connections of a process.
    """

    def __init__(self, spec: Spec, options: SessionOptions, random: Callable[[], float]) -> None:
        self._after = options.rotate_after
        if self._after is None and spec.max_age is not None:
            self._after = spec.max_age * _SHARE
        if self._after is not None:
            self._after *= 1.0 - _SPREAD * random()
        # when it is due, None for never
        self._due: float | None = None
        self._settled_at: float | None = None
        self._announced = False

    def connected(self, now: float) -> None:
        """The connection is new."""
        self._due = None if self._after is None else now + self._after
        self._settled_at = None
        self._announced = False

    def announced(self) -> None:
        """The exchange says that it will close the connection."""
        self._due = 0.0
        self._announced = True

    def ended_by_plan(self) -> bool:
        """Tell whether the end of the connection had been announced."""
        return self._announced

    def due(self, now: float) -> bool:
        """Tell whether a successor is wanted."""
        return self._due is not None and now >= self._due

    def postponed(self, now: float, seconds: float) -> None:
        """A successor did not come to life; try again later."""
        self._due = now + seconds

    def overlapped(self, now: float, *, settled: bool) -> bool:
        """Tell whether a successor has been settled for long enough."""
        if not settled:
            self._settled_at = None
            return False
        if self._settled_at is None:
            self._settled_at = now
        return now >= self._settled_at + _OVERLAP

    def covered(self, life: float) -> bool:
        """Tell whether a predecessor whose last sign of life was at ``life`` lived long enough."""
        return self._settled_at is not None and life >= self._settled_at + _SEEN
