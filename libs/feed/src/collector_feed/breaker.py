"""A circuit breaker: an endpoint that is dead or has banned us is left alone.

Source: Michael Nygard, "Release It!", 2007, stability pattern Circuit Breaker; the pauses are
exponential with equal jitter, so that the breakers of many processes do not probe together.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final, Literal, TypeAlias

from collector_core.errors import RequestError, Throttled, TransportError

__all__ = ["BREAKER_STATES", "Breaker", "BreakerState", "Verdict", "judge"]

BreakerState: TypeAlias = Literal["closed", "open", "half_open"]
BREAKER_STATES: Final[tuple[BreakerState, ...]] = ("closed", "open", "half_open")
Verdict: TypeAlias = Literal["alive", "dead", "banned"]

_BAN: Final = 600.0
"""Seconds of a ban whose length the exchange does not say; the longest known are ten minutes."""
_LONGEST_GUESS: Final = 3600.0


def judge(error: Exception) -> Verdict:
    """Return what an error tells of the endpoint.

    Any answer means that it lives, also a refusal and a wrong one; 403 and 418 are a ban; no
    answer and 5xx mean that it is dead.
    """
    if not isinstance(error, RequestError | TransportError):
        return "alive"
    if error.status in {403, 418}:
        return "banned"
    if error.status is None and not isinstance(error, Throttled):
        return "dead"
    return "dead" if error.status is not None and error.status >= 500 else "alive"


class Breaker:
    """The circuit of one endpoint; times are monotonic seconds.

    Closed, everything may go. Open, nothing until the pause is over. Half open, one probe, whose
    end closes or opens it again.

    Args:
        random: returns a float in [0, 1).
        threshold: failures in a row that open it.
        pause: upper bound of the first pause.
        cap: upper bound of every pause but a ban's.
    """

    def __init__(
        self,
        random: Callable[[], float],
        *,
        threshold: int = 5,
        pause: float = 2.0,
        cap: float = 30.0,
    ) -> None:
        self._random = random
        self._threshold = threshold
        self._pause = pause
        self._cap = cap
        self._failures = 0
        self._bans = 0
        # openings since it was closed last
        self._openings = 0
        # end of the pause; None while closed
        self._until: float | None = None
        self._probing = False
        # times that each state was entered, for metrics
        self.entered: dict[BreakerState, int] = dict.fromkeys(BREAKER_STATES, 0)

    def state(self, now: float) -> BreakerState:
        """Return the state; an open one whose pause is over waits half open for its probe."""
        if self._until is None:
            return "closed"
        return "half_open" if self._probing or now >= self._until else "open"

    def wait(self, now: float) -> float:
        """Return the seconds until an attempt may begin; infinite while the probe is under way."""
        if self._until is None:
            return 0.0
        return inf if self._probing else max(0.0, self._until - now)

    def begin(self, now: float) -> bool:
        """An attempt begins, as ``wait`` allowed it; return whether it is the probe."""
        if self.state(now) != "half_open":
            return False
        self._probing = True
        self.entered["half_open"] += 1
        return True

    def succeeded(self, *, probe: bool) -> None:
        """An attempt was answered; ``probe`` is what ``begin`` returned for it."""
        if self._bans and not probe:
            # sent before the ban, which it does not lift
            return
        if self._until is not None:
            self.entered["closed"] += 1
        self._until = None
        self._probing = False
        self._failures = self._openings = self._bans = 0

    def failed(self, now: float, *, banned: bool = False, retry_after: float | None = None) -> None:
        """An attempt was not answered, or by a ban that lasts ``retry_after`` seconds."""
        self._failures += 1
        if banned:
            self._bans += 1
            guess = min(_BAN * 2.0 ** min(self._bans - 1, 10), _LONGEST_GUESS)
            self._open(now + max(guess if retry_after is None else retry_after, self._cap))
        elif self._until is not None and now < self._until:
            # begun before it opened: nothing new, and a ban is not cut short
            return
        elif self._until is not None or self._failures >= self._threshold:
            self._openings += 1
            bound = min(self._cap, self._pause * 2.0 ** min(self._openings - 1, 60))
            self._open(now + bound / 2 + self._random() * bound / 2)

    def gave_up(self, *, probe: bool) -> None:
        """An attempt ended without telling anything; after a probe another one may go."""
        if probe:
            self._probing = False

    def _open(self, until: float) -> None:
        self._until = until if self._until is None else max(self._until, until)
        self._probing = False
        self.entered["open"] += 1
