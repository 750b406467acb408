"""A budget that learns from the exchange's answers how much of it is really ours.

Three things correct the exchange's documented limit:

1. The exchange counts more than we asked for: others use our address, our part shrinks by what is
   theirs, at once, and grows back as they fall silent (a maximum that decays).
2. The exchange counts nearly its limit: nothing is asked until its window is surely over.
3. The exchange refuses (429, 418): nothing is asked until it allows; our part is halved, and grows
   back by steps. Source: Chiu and Jain, "Analysis of the Increase and Decrease Algorithms for
   Congestion Avoidance in Computer Networks", 1989 (additive increase, multiplicative decrease).

It is never more than the share of the limit that it began with.
"""

from __future__ import annotations

from collections import deque
from math import exp2
from typing import Final

from collector_feed.budget import Budget, Flow, flow_of
from collector_feed.spec import Rate

__all__ = ["BLIND_SHARE", "SHARE", "AdaptiveBudget"]

SHARE: Final = 0.8
"""Of the limit, where the exchange says what it counts: others are seen and left room for."""
BLIND_SHARE: Final = 0.45
"""Where it does not: one other tenant with half of the limit fits beside us, unseen."""
_CEILING: Final = 0.9
"""Of the limit: where the exchange's own count gets there, we stop."""
_LEAST: Final = 1 / 16
"""Of our share: what is left of it however often the exchange refuses or others ask."""
_CUT: Final = 0.5
_STEP: Final = 0.05
"""Of the share, regained in each ``_STEP_SECONDS`` without a refusal."""
_STEP_SECONDS: Final = 60.0
_HALF_LIFE: Final = 5
"""Windows after which half of what others used is forgotten, if it is not seen again."""
_SHORTEST_HALF_LIFE: Final = 60.0


class AdaptiveBudget:
    """Grants weight within what the exchange allows, refuses and counts; times are monotonic.

    Args:
        rate: the exchange's limit.
        share: part of it that all of ours behind one address take together.
        tenants: how many of ours that is; each takes its part without knowing of the others.
    """

    def __init__(self, rate: Rate, share: float = SHARE, tenants: int = 1) -> None:
        self._rate = rate
        self._share = share * rate.count
        self._part = 1 / tenants
        self._bucket = Budget(rate, share / tenants)
        # what we took, newest last: (time, weight); as long as the exchange may still count it
        self._taken: deque[tuple[float, int]] = deque()
        # multiplicative decrease, 1 is all of the share; as of the time beside it
        self._factor = 1.0
        self._factor_at = 0.0
        # weight of others in a window, as of the time beside it
        self._others = 0.0
        self._others_at = 0.0
        # nothing is asked before
        self._stopped_until = 0.0
        # what the exchange counted last, and for a request of when
        self._counted = 0
        self._counted_at = -rate.seconds
        # for metrics
        self.throttles = 0
        self.granted = 0

    # --- asking ------------------------------------------------------------------------------

    def delay(self, weight: int, now: float) -> float:
        """Return the seconds until ``weight`` may be asked for again; 0: it may be taken now."""
        self._bucket.change(self._own(now), now)
        return max(self.hold(weight, now), self._bucket.delay(weight, now))

    def take(self, weight: int, now: float) -> None:
        """Take ``weight``, whatever is left."""
        self._bucket.change(self._own(now), now)
        self._bucket.take(weight, now)
        self.record(weight, now)

    def hold(self, weight: int, now: float) -> float:
        """Return for how long the exchange's answers forbid ``weight``, beside the bucket."""
        held = max(0.0, self._stopped_until - now)
        over_at = self._counted_at + self._rate.seconds
        if now < over_at:
            used = self._counted + self._since(self._counted_at)
            if used + weight > _CEILING * self._rate.count:
                held = max(held, over_at - now)
        return held

    def flow(self, now: float) -> Flow:
        """Return the bucket of all of ours together, for one that they share."""
        return flow_of(self.allowed(now, 1.0), self._rate.seconds)

    def allowed(self, now: float, part: float | None = None) -> float:
        """Return the weight in a window that is ours alone, or that of a ``part`` of ours."""
        share = self._share * (self._part if part is None else part)
        room = self._share - self.others(now)
        return max(min(share * self.factor(now), room), share * _LEAST)

    def _own(self, now: float) -> Flow:
        return flow_of(self.allowed(now), self._rate.seconds)

    # --- what is learned ----------------------------------------------------------------------

    def record(self, weight: int, now: float) -> None:
        """Note ``weight`` as ours, granted by this bucket or by a shared one."""
        self._taken.append((now, weight))
        self.granted += weight
        # twice the window and more is looked back when an answer takes long
        while self._taken[0][0] < now - 4 * self._rate.seconds - 60.0:
            self._taken.popleft()

    def counted(self, spent: int, sent_at: float, now: float) -> None:
        """Take the exchange's own count in the answer to a request that was sent at ``sent_at``."""
        # the window that counted it began at most its length before the request came in; what we
        # sent as long before that as an answer takes may have come in with it
        ours = self._since(sent_at - self._rate.seconds - (now - sent_at))
        self._others = max(self.others(now), float(spent - ours))
        self._others_at = now
        if sent_at >= self._counted_at:
            self._counted, self._counted_at = spent, sent_at

    def throttled(self, retry_after: float | None, sent_at: float, now: float) -> None:
        """Take a refusal; without a pause of the exchange's own it is one window long."""
        self.throttles += 1
        pause = self._rate.seconds if retry_after is None else retry_after
        self._stopped_until = max(self._stopped_until, now + max(pause, 1.0))
        # those that were under way at the first refusal say nothing new
        if sent_at >= self._factor_at or self._factor == 1.0:
            self._factor = max(self.factor(now) * _CUT, _LEAST)
            self._factor_at = now
        self.drain(now)

    def drain(self, now: float) -> None:
        """Leave no burst for the time after now, or after the pause that the exchange wants."""
        self._bucket.change(self._own(now), now)
        self._bucket.drain(max(now, self._stopped_until))

    def factor(self, now: float) -> float:
        """Return the part of the share that refusals left."""
        steps = max(0.0, now - self._factor_at) // _STEP_SECONDS
        return min(1.0, self._factor + _STEP * steps)

    def others(self, now: float) -> float:
        """Return the weight that others use in a window, as far as the exchange's counts tell."""
        half_life = max(_HALF_LIFE * self._rate.seconds, _SHORTEST_HALF_LIFE)
        return self._others * exp2(-max(0.0, now - self._others_at) / half_life)

    def stopped_for(self, now: float) -> float:
        """Return the seconds for which the exchange wants to be left alone."""
        return max(0.0, self._stopped_until - now)

    def _since(self, when: float) -> int:
        total = 0
        for at, weight in reversed(self._taken):
            if at < when:
                break
            total += weight
        return total
