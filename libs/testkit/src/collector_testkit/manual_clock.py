"""A clock that stands still until a test moves it."""

from __future__ import annotations

__all__ = ["ManualClock"]


class ManualClock:
    """Monotonic seconds and wall microseconds that move together, unless the wall jumps.

    Args:
        monotonic: seconds to start with.
        wall: microseconds since the epoch to start with.
    """

    def __init__(self, monotonic: float = 1_000.0, wall: int = 1_700_000_000_000_000) -> None:
        # seconds; never goes back
        self.monotonic = monotonic
        # microseconds since the epoch
        self.wall = wall

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks.

        Raises:
            ValueError: ``seconds`` is negative.
        """
        self.advance_to(self.monotonic + seconds)

    def advance_to(self, monotonic: float) -> None:
        """Let time pass until ``monotonic``, to the very float, so that deadlines are met exactly.

        Raises:
            ValueError: that time is over.
        """
        if monotonic < self.monotonic:
            raise ValueError(f"expected a time from {self.monotonic} on, was {monotonic}")
        self.wall += round((monotonic - self.monotonic) * 1_000_000)
        self.monotonic = monotonic

    def jump_wall(self, seconds: float) -> None:
        """Set the wall clock forward or back, as an operator or a time server does."""
        self.wall += round(seconds * 1_000_000)
