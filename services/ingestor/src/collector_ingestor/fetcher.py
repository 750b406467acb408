"""REST requests within the exchange's budget of weight."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from collector_core.errors import CollectorError, Throttled
from collector_feed.budget import Budget
from collector_feed.outputs import Request
from collector_runtime.clock import monotonic
from collector_runtime.rest import RestClient

__all__ = ["Fetcher"]

_Answer = TypeVar("_Answer")


class Fetcher:
    """Makes requests one after another as the budget lets them go.

    Args:
        client: the exchange's REST client.
        budget: the exchange's request weight.
    """

    def __init__(self, client: RestClient, budget: Budget) -> None:
        self._client = client
        self._budget = budget
        # requests by how they ended, for metrics
        self.outcomes = {"ok": 0, "throttled": 0, "failed": 0}

    async def fetch(self, request: Request[_Answer]) -> _Answer:
        """Wait for the budget, make the request and return its parsed answer.

        Raises:
            RequestError, Throttled: no answer, or a refusal.
            FrameError: an answer that the parser does not know.
        """
        delay = self._budget.ask(request.weight, monotonic())
        if delay > 0:
            await asyncio.sleep(delay)
        try:
            answer, _ = await self._client.fetch(request)
        except Throttled:
            self.outcomes["throttled"] += 1
            raise
        except CollectorError:
            self.outcomes["failed"] += 1
            raise
        self.outcomes["ok"] += 1
        return answer
