"""What may be asked of an exchange, by GCRA: a bucket as one number.

Source: ATM Forum Traffic Management 4.0, generic cell rate algorithm (virtual scheduling). A
request of weight w moves the theoretical arrival time on by w times the time one unit takes; it
may go when that time is at most the bucket's depth ahead of now.
"""

from __future__ import annotations

from typing import NamedTuple

from collector_feed.spec import Rate

__all__ = ["Budget", "Flow", "flow_of"]


class Flow(NamedTuple):
    """The two numbers of a bucket, in seconds."""

    per_unit: float
    """Time that one unit of weight takes to come back."""
    depth: float
    """Time that an empty bucket takes to fill."""


def flow_of(allowed: float, seconds: float) -> Flow:
    """Return the bucket that grants at most ``allowed`` in any ``seconds``.

    Half of it is a burst and half a flow: their sum in a window is what is allowed. Of less than
    two units there is no half, so they come one by one, at most ``ceil(allowed)`` in a window.
    """
    if allowed < 2:
        return Flow(seconds / allowed, seconds / allowed)
    return Flow(seconds / (allowed / 2), seconds)


class Budget:
    """Grants weight at no more than ``rate.count`` in any ``rate.seconds``, in order of asking.

    Args:
        rate: what the exchange allows.
        share: part of it that we take, for others behind the same address.
    """

    def __init__(self, rate: Rate, share: float = 0.8) -> None:
        self._flow = flow_of(rate.count * share, rate.seconds)
        # theoretical arrival time, in monotonic seconds
        self._arrival = 0.0
        # weight granted so far, for metrics
        self.granted = 0

    def ask(self, weight: int, now: float) -> float:
        """Take ``weight`` and return how many seconds to wait before it may be used.

        ``now`` is monotonic. A weight larger than the burst is granted once the bucket is full.
        """
        delay = self.delay(weight, now)
        self.take(weight, now)
        return delay

    def delay(self, weight: int, now: float) -> float:
        """Return how many seconds ``weight`` would have to wait, and take nothing."""
        per_unit, depth = self._flow
        ahead = max(self._arrival, now) - now
        return max(0.0, min(ahead + weight * per_unit - depth, ahead))

    def take(self, weight: int, now: float) -> None:
        """Take ``weight``, whatever is left."""
        self._arrival = max(self._arrival, now) + weight * self._flow.per_unit
        self.granted += weight

    def change(self, flow: Flow, now: float) -> None:
        """Go on with another bucket; what was taken of the old one is owed to the new one."""
        old = self._flow
        if flow != old:
            # as units: a slower bucket needs longer to get back what was taken
            owed = max(0.0, self._arrival - now) / old.per_unit
            self._arrival = now + owed * flow.per_unit
            self._flow = flow

    def drain(self, until: float) -> None:
        """Leave nothing in the bucket at the time ``until``: what follows comes at the flow."""
        self._arrival = max(self._arrival, until + self._flow.depth)
