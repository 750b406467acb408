"""The way to an exchange: one waits here for the endpoint's breaker and for the budget."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from math import inf
from typing import Final, NamedTuple, TypeVar

import structlog

from collector_core.errors import CollectorError, Throttled, TransportError
from collector_feed.breaker import Breaker, judge
from collector_feed.request_queue import Priority, RequestQueue
from collector_ingestor.allowance import Allowance
from collector_runtime.clock import monotonic

__all__ = ["Gate"]

_Result = TypeVar("_Result")
_SHORTEST: Final = 0.001
"""Seconds to wait at the least: a wait below the clock's resolution would never end."""
_PATIENCE: Final = 5.0
"""Seconds after which work that is cancelled counts as one that was not answered."""


class _Ticket(NamedTuple):
    """Somebody who waits for the budget."""

    weight: int
    turn: asyncio.Future[bool]
    """True: the weight is theirs. False: the endpoint's breaker opened meanwhile."""
    breaker: Breaker
    probe: bool


class Gate:
    """Lets work through when its endpoint is believed alive and the budget has its weight.

    Nothing is reserved for who waits: one that is cancelled takes nothing from the others.

    Args:
        allowance: the budget of all endpoints behind this gate.
        random: returns a float in [0, 1), for the pauses of the breakers.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        allowance: Allowance,
        random: Callable[[], float],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.allowance = allowance
        # by endpoint, for metrics
        self.breakers: dict[str, Breaker] = {}
        self._random = random
        self._clock = clock
        self._queue: RequestQueue[_Ticket] = RequestQueue()
        # replaced each time that a breaker changes
        self._changed = asyncio.Event()
        # set when the head of the queue may be another one, or gone
        self._nudge = asyncio.Event()
        self._pumping: asyncio.Task[None] | None = None
        self._log = structlog.get_logger("collector.gate")

    @property
    def waiting(self) -> int:
        """How many wait for the budget."""
        return len(self._queue)

    async def through(
        self,
        endpoint: str,
        work: Callable[[], Awaitable[_Result]],
        *,
        weight: int = 1,
        priority: Priority = Priority.REPAIR,
    ) -> _Result:
        """Wait, do the work and return its result; learn from how it ends.

        Raises:
            CollectorError: whatever the work raises.
        """
        breaker = self.breakers.setdefault(endpoint, Breaker(self._random))
        probe = await self._turn(breaker, weight, priority)
        started = self._clock()
        try:
            result = await work()
        except CollectorError as error:
            await self._failed(endpoint, breaker, error, started, probe=probe)
            raise
        except BaseException:
            # the caller's patience ended first: that is an endpoint that does not answer
            if self._clock() - started >= _PATIENCE:
                breaker.failed(self._clock())
            breaker.gave_up(probe=probe)
            self._ring()
            raise
        breaker.succeeded(probe=probe)
        self._ring()
        return result

    # --- waiting -----------------------------------------------------------------------------

    async def _turn(self, breaker: Breaker, weight: int, priority: Priority) -> bool:
        """Return, once both let the work through, whether it is the probe."""
        while True:
            while (wait := breaker.wait(self._clock())) > 0:
                await _either(self._changed, wait)
            probe = breaker.begin(self._clock())
            try:
                granted = await self._budgeted(_Ticket(weight, _future(), breaker, probe), priority)
            except BaseException:
                breaker.gave_up(probe=probe)
                self._ring()
                raise
            if granted:
                return probe

    async def _budgeted(self, ticket: _Ticket, priority: Priority) -> bool:
        self._queue.put(ticket, priority, self._clock())
        self._nudge.set()
        if self._pumping is None:
            self._pumping = asyncio.get_running_loop().create_task(self._pump())
        try:
            return await ticket.turn
        finally:
            # one that was cancelled is taken out of the queue
            self._nudge.set()

    async def _pump(self) -> None:
        """Grant turns, in order, until nobody waits."""
        try:
            while (ticket := self._queue.head()) is not None:
                self._nudge.clear()
                if ticket.turn.done():
                    self._queue.pop()
                elif not ticket.probe and ticket.breaker.state(self._clock()) != "closed":
                    ticket.turn.set_result(False)
                else:
                    await self._grant(ticket)
        except Exception as error:  # noqa: BLE001  # it reaches those who wait, who would hang
            while len(self._queue):
                turn = self._queue.pop().turn
                if not turn.done():
                    turn.set_exception(error)
        finally:
            self._pumping = None

    async def _grant(self, ticket: _Ticket) -> None:
        wait = await self.allowance.take(ticket.weight)
        if wait > 0:
            await _either(self._nudge, wait)
        elif not ticket.turn.done():
            ticket.turn.set_result(True)

    # --- learning ----------------------------------------------------------------------------

    async def _failed(
        self, endpoint: str, breaker: Breaker, error: CollectorError, started: float, *, probe: bool
    ) -> None:
        status = getattr(error, "status", None)
        retry_after: float | None = getattr(error, "retry_after", None)
        now = self._clock()
        before = breaker.state(now)
        match judge(error):
            case "alive":
                breaker.succeeded(probe=probe)
            case "dead":
                breaker.failed(now)
            case "banned":
                breaker.failed(now, banned=True, retry_after=retry_after)
        after = breaker.state(now)
        if after != "closed":
            # who waits for the budget of an endpoint that is gone waits for nothing
            self._nudge.set()
        if after == "open" and before != "open":
            self._log.warning(
                "breaker_opened",
                endpoint=endpoint,
                seconds=round(breaker.wait(now), 1),
                reason=str(error),
            )
        self._ring()
        if isinstance(error, Throttled) or (
            isinstance(error, TransportError) and status in {418, 429}
        ):
            await self.allowance.throttled(retry_after, started)

    def _ring(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _future() -> asyncio.Future[bool]:
    return asyncio.get_running_loop().create_future()


async def _either(event: asyncio.Event, seconds: float) -> None:
    """Wait for the event, no longer than the seconds."""
    try:
        async with asyncio.timeout(None if seconds == inf else max(seconds, _SHORTEST)):
            await event.wait()
    except TimeoutError:
        return
