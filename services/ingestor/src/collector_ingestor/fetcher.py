"""REST requests within the exchange's budget of weight."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from collector_core.errors import CollectorError, Throttled
from collector_feed.outputs import Request
from collector_feed.request_queue import Priority
from collector_ingestor.gate import Gate
from collector_runtime.clock import monotonic
from collector_runtime.rest import Response

__all__ = ["Client", "Fetcher", "Spent"]

_Answer = TypeVar("_Answer")
Spent = Callable[[Mapping[str, str]], int | None]
"""Returns the weight that the exchange counts, from an answer's headers (``Adapter.spent``)."""


class Client(Protocol):
    """What makes a request: ``RestClient``."""

    async def send(self, request: Request[Any]) -> Response:
        """Make a request; raises RequestError and Throttled."""
        ...


class Fetcher:
    """Makes requests as breaker and budget let them go, the urgent first.

    Args:
        client: the exchange's REST client.
        gate: the exchange's request weight.
        spent: what the exchange's headers tell.
        endpoint: the client's base URL, which the breaker is of.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        client: Client,
        gate: Gate,
        spent: Spent,
        endpoint: str,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.gate = gate
        self._client = client
        self._spent = spent
        self._endpoint = endpoint
        self._clock = clock
        # requests by how they ended, for metrics
        self.outcomes = {"ok": 0, "throttled": 0, "failed": 0}

    async def fetch(
        self, request: Request[_Answer], priority: Priority = Priority.REPAIR
    ) -> _Answer:
        """Wait for the budget, make the request and return its parsed answer.

        Raises:
            RequestError, Throttled: no answer, or a refusal.
            FrameError: an answer that the parser does not know.
        """

        async def work() -> _Answer:
            sent_at = self._clock()
            response = await self._client.send(request)
            spent = self._spent(response.headers)
            if spent is not None:
                self.gate.allowance.counted(spent, sent_at)
            # refusals that come with status 200 are found here
            return request.parse(response.body, response.receive_time)

        try:
            answer = await self.gate.through(
                self._endpoint, work, weight=request.weight, priority=priority
            )
        except Throttled:
            self.outcomes["throttled"] += 1
            raise
        except CollectorError:
            self.outcomes["failed"] += 1
            raise
        self.outcomes["ok"] += 1
        return answer
