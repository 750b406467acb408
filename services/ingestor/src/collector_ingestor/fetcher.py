"""REST requests within the exchange's budget of weight."""

from __future__ import annotations

import asyncio
from typing import TypeVar

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

    async def fetch(self, request: Request[_Answer]) -> _Answer:
        """Wait for the budget, make the request and return its parsed answer.

        Raises:
            RequestError, Throttled: no answer, or a refusal.
            FrameError: an answer that the parser does not know.
        """
        delay = self._budget.ask(request.weight, monotonic())
        if delay > 0:
            await asyncio.sleep(delay)
        answer, _ = await self._client.fetch(request)
        return answer
