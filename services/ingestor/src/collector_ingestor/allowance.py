"""Whose budget a request is taken from: the one that all share in Redis, or our part of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

from collector_core.errors import TransportError
from collector_feed.adaptive_budget import AdaptiveBudget
from collector_runtime.clock import monotonic
from collector_runtime.redis_budget import RedisBudget

__all__ = ["Allowance"]

_AGAIN: Final = 2.0
"""Seconds between two attempts to reach a Redis that is away."""


class Allowance:
    """Grants weight from the shared budget, and from a local part of it while Redis is away.

    Each change between the two begins with an empty bucket, so that the burst of a window is not
    given twice.

    Args:
        budget: what is learned from the exchange, and the local part.
        shared: the budget in Redis, None without one.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        budget: AdaptiveBudget,
        shared: RedisBudget | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.budget = budget
        self._shared = shared
        self._clock = clock
        self._away = False
        self._again_at = 0.0
        # times that Redis was lost, for metrics
        self.losses = 0
        self._log = structlog.get_logger("collector.allowance").bind(
            budget=None if shared is None else shared.key
        )

    @property
    def shared(self) -> bool:
        """Whether weight is taken from the shared budget now."""
        return self._shared is not None and not self._away

    async def take(self, weight: int) -> float:
        """Take ``weight`` and return 0, or return the seconds after which to ask again."""
        now = self._clock()
        held = self.budget.hold(weight, now)
        if held > 0:
            return held
        shared = self._shared
        if shared is not None and (not self._away or now >= self._again_at):
            try:
                grant = await shared.take(weight, self.budget.flow(now), drain=self._away)
            except TransportError as error:
                self._lost(str(error))
            else:
                self._found()
                if grant.granted > 0:
                    self.budget.record(grant.granted, self._clock())
                return grant.wait
        now = self._clock()
        wait = self.budget.delay(weight, now)
        if wait == 0:
            self.budget.take(weight, now)
        return wait

    def counted(self, spent: int, sent_at: float) -> None:
        """Take what the exchange says that it counts; ``sent_at`` is when we asked."""
        self.budget.counted(spent, sent_at, self._clock())

    async def throttled(self, retry_after: float | None, sent_at: float) -> None:
        """Take a refusal, for all who share."""
        now = self._clock()
        self.budget.throttled(retry_after, sent_at, now)
        if self._shared is not None and not self._away:
            try:
                await self._shared.stop(self.budget.stopped_for(now), self.budget.flow(now))
            except TransportError as error:
                self._lost(str(error))

    def _lost(self, reason: str) -> None:
        now = self._clock()
        self._again_at = now + _AGAIN
        if not self._away:
            self._away = True
            self.losses += 1
            self.budget.drain(now)
            self._log.warning("redis_lost", reason=reason, fallback="local budget")

    def _found(self) -> None:
        if self._away:
            self._away = False
            self._log.info("redis_found")
