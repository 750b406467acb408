"""How one process reaches its exchange: the gates of its two budgets, shared if Redis is set."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from collector_feed.adapter import Adapter
from collector_feed.adaptive_budget import BLIND_SHARE, SHARE, AdaptiveBudget
from collector_feed.spec import Rate
from collector_ingestor.allowance import Allowance
from collector_ingestor.gate import Gate
from collector_runtime.clock import monotonic
from collector_runtime.redis_budget import RedisBudgets

__all__ = ["Access", "Reach"]


class Reach(NamedTuple):
    """Whom a process shares its budgets with."""

    redis_url: str | None = None
    """Where they are shared; None for budgets of our own."""
    address: str = "default"
    """Name of the address that the exchange sees; processes behind one share a budget."""
    tenants: int = 1
    """Processes behind it; each takes its part where Redis does not tell of the others."""


class Access:
    """The gates of connection attempts and of REST requests.

    Args:
        adapter: the exchange's adapter class.
        random: returns a float in [0, 1).
        reach: whom they are shared with.
        clock: monotonic seconds.

    Raises:
        SettingsError: the URL cannot be read.
    """

    def __init__(
        self,
        adapter: type[Adapter],
        random: Callable[[], float],
        reach: Reach | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        spec = adapter.spec
        url, address, tenants = reach or Reach()
        self._redis = None if url is None else RedisBudgets(url)

        def gate(kind: str, rate: Rate, share: float) -> Gate:
            key = f"collector:budget:{spec.exchange}:{address}:{kind}"
            shared = None if self._redis is None else self._redis.budget(key)
            budget = AdaptiveBudget(rate, share, tenants)
            return Gate(Allowance(budget, shared, clock), random, clock)

        # an exchange whose answers do not tell of others is asked for less
        tells = adapter.spent is not Adapter.spent
        self.attempts = gate("attempts", spec.connection_attempts, SHARE)
        self.requests = gate("requests", spec.request_weight, SHARE if tells else BLIND_SHARE)

    async def close(self) -> None:
        """Close the connection to Redis."""
        if self._redis is not None:
            await self._redis.close()
