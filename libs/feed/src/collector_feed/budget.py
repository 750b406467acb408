"""What may be asked of an exchange, by GCRA: a bucket as one number.

Source: ATM Forum Traffic Management 4.0, generic cell rate algorithm (virtual scheduling). A
request of weight w moves the theoretical arrival time on by w times the time one unit takes; it
may go when that time is at most the whole window ahead of now.
"""

from __future__ import annotations

from collector_feed.spec import Rate

__all__ = ["Budget"]


class Budget:
    """Grants weight at no more than ``rate.count`` in any ``rate.seconds``, in order of asking.

    Args:
        rate: what the exchange allows.
        share: part of it that we take, for others behind the same address.
    """

    def __init__(self, rate: Rate, share: float = 0.8) -> None:
        # half of the share as a burst, half as a flow: their sum in a window is the share
        allowed = rate.count * share / 2
        self._per_unit = rate.seconds / allowed
        self._burst = rate.seconds
        # theoretical arrival time, in monotonic seconds
        self._arrival = 0.0
        # weight granted so far, for metrics
        self.granted = 0

    def ask(self, weight: int, now: float) -> float:
        """Take ``weight`` and return how many seconds to wait before it may be used.

        ``now`` is monotonic. A weight larger than the burst is granted once the bucket is full.
        """
        arrival = max(self._arrival, now) + weight * self._per_unit
        self._arrival = arrival
        self.granted += weight
        return max(0.0, min(arrival - now - self._burst, arrival - now - weight * self._per_unit))
