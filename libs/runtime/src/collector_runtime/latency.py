"""A histogram that is cheap enough for the hot path."""

from __future__ import annotations

from typing import Final

__all__ = ["Latency"]


class Latency:
    """A histogram of microseconds in powers of two; an observation is one index into a list."""

    __slots__ = ("counts", "total")

    BUCKETS: Final = 25
    """The last bound is 2**24 us, 17 s; what is longer falls beyond it."""

    def __init__(self) -> None:
        # observations below 2**i us, and not below 2**(i - 1)
        self.counts = [0] * (self.BUCKETS + 1)
        # sum of all, in microseconds
        self.total = 0

    def observe(self, microseconds: int) -> None:
        """Count one; a negative time (the wall clock jumped back) counts as zero."""
        if microseconds < 0:
            microseconds = 0
        self.total += microseconds
        place = microseconds.bit_length()
        self.counts[place if place < self.BUCKETS else self.BUCKETS] += 1

    def add(self, other: Latency) -> None:
        """Count all that ``other`` counted."""
        self.total += other.total
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]

    def buckets(self) -> list[tuple[str, float]]:
        """Return Prometheus' buckets: upper bounds in seconds, and counts up to each."""
        result: list[tuple[str, float]] = []
        seen = 0
        for place, count in enumerate(self.counts):
            seen += count
            bound = "+Inf" if place == self.BUCKETS else repr(2**place / 1e6)
            result.append((bound, seen))
        return result
