"""Who is let through to an exchange, and in which order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from collector_core.errors import FrameError, RequestError, Throttled, TransportError
from collector_feed.adaptive_budget import AdaptiveBudget
from collector_feed.outputs import Request
from collector_feed.request_queue import Priority
from collector_feed.spec import Rate
from collector_ingestor.allowance import Allowance
from collector_ingestor.fetcher import Fetcher
from collector_ingestor.gate import Gate
from collector_runtime.rest import Response

from .virtual_time import now, run

# one unit each ten seconds, after the first one
SLOW = Rate(1, 10.0)
WIDE = Rate(10_000, 1.0)


def gate_of(rate: Rate, drawn: float = 1.0) -> Gate:
    return Gate(Allowance(AdaptiveBudget(rate, 1.0), clock=now), lambda: drawn, now)


def failing(error: Exception) -> Callable[[], Awaitable[None]]:
    async def work() -> None:
        raise error

    return work


async def fails(gate: Gate, error: Exception, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(type(error)):
            await gate.through("a", failing(error))


def test_the_urgent_pass_those_who_wait() -> None:
    served: list[str] = []

    async def main() -> None:
        gate = gate_of(SLOW)

        async def go(name: str, priority: Priority) -> None:
            async def work() -> None:
                served.append(f"{name} {now() - began:g}")

            await gate.through("a", work, priority=priority)

        began = now()
        async with asyncio.TaskGroup() as tasks:
            for name, priority in [
                ("first", Priority.REPAIR),
                ("audit", Priority.AUDIT),
                ("candles", Priority.ROUTINE),
                ("gap", Priority.REPAIR),
                ("book", Priority.REPAIR),
            ]:
                tasks.create_task(go(name, priority))

    run(main())
    assert served == ["first 0", "gap 10", "book 20", "candles 30", "audit 40"]


def test_who_is_cancelled_takes_nothing_from_the_others() -> None:
    async def main() -> float:
        gate = gate_of(SLOW)
        began = now()

        async def work() -> float:
            return now() - began

        await gate.through("a", work)
        many = [asyncio.create_task(gate.through("a", work)) for _ in range(50)]
        await asyncio.sleep(1.0)
        assert gate.waiting == 50
        for task in many:
            task.cancel()
        await asyncio.gather(*many, return_exceptions=True)
        at = await gate.through("a", work)
        await asyncio.sleep(0)
        assert gate.waiting == 0
        return at

    assert run(main()) == pytest.approx(10.0)


def test_a_dead_endpoint_is_probed_by_one_and_the_others_follow() -> None:
    async def main() -> list[float]:
        gate = gate_of(WIDE)
        await fails(gate, TransportError("refused"), 5)
        assert gate.breakers["a"].state(now()) == "open"
        began = now()
        started: list[float] = []

        async def work() -> None:
            started.append(round(now() - began, 3))
            await asyncio.sleep(1.0)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(4):
                tasks.create_task(gate.through("a", work))
            # another endpoint is not held up
            await gate.through("b", lambda: asyncio.sleep(0))
            assert now() == began
        return started

    assert run(main()) == [2.0, 3.0, 3.0, 3.0]


def test_a_probe_that_is_cancelled_makes_room_for_the_next() -> None:
    async def main() -> float:
        gate = gate_of(WIDE)
        await fails(gate, TransportError("refused"), 5)
        began = now()
        probe = asyncio.create_task(gate.through("a", lambda: asyncio.sleep(1_000.0)))
        await asyncio.sleep(2.5)
        assert gate.breakers["a"].state(now()) == "half_open"
        following = asyncio.create_task(gate.through("a", lambda: asyncio.sleep(0)))
        await asyncio.sleep(1.0)
        probe.cancel()
        await following
        return now() - began

    assert run(main()) == pytest.approx(3.5)


def test_those_who_wait_for_the_budget_go_back_when_the_breaker_opens() -> None:
    async def main() -> tuple[int, list[float]]:
        # a burst of five, then one each 200 s
        gate = gate_of(Rate(10, 1_000.0))
        began = now()
        ends: list[float] = []

        async def refused() -> None:
            await asyncio.sleep(1.0)
            raise TransportError("refused")

        async def work() -> None:
            ends.append(now() - began)
            await asyncio.sleep(1.0)

        attempts = [asyncio.create_task(gate.through("a", refused)) for _ in range(5)]
        await asyncio.sleep(0.5)
        waiting = [asyncio.create_task(gate.through("a", work)) for _ in range(2)]
        await asyncio.gather(*attempts, return_exceptions=True)
        await asyncio.sleep(0.5)
        assert gate.breakers["a"].state(now()) == "open"
        assert gate.waiting == 0
        await asyncio.gather(*waiting)
        return gate.allowance.budget.granted, ends

    granted, ends = run(main())
    # five failures and two that waited: a place in the queue was not paid for twice
    assert granted == 7
    assert ends == pytest.approx([200.0, 400.0], abs=0.1)


def test_work_that_outlasts_its_callers_patience_counts_as_unanswered() -> None:
    async def attempt(gate: Gate, patience: float) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(patience):
                await gate.through("a", lambda: asyncio.sleep(1_000.0))

    async def main() -> None:
        gate = gate_of(WIDE)
        for _ in range(10):
            await attempt(gate, 1.0)
        assert gate.breakers["a"].state(now()) == "closed"
        for _ in range(5):
            await attempt(gate, 10.0)
        assert gate.breakers["a"].state(now()) == "open"

    run(main())


def test_a_refusal_stops_everybody_for_as_long_as_the_exchange_says() -> None:
    async def main() -> float:
        gate = gate_of(WIDE)
        began = now()
        await fails(gate, Throttled("slow down", 429, 30.0))
        assert gate.breakers["a"].state(now()) == "closed"
        await gate.through("b", lambda: asyncio.sleep(0))
        return now() - began

    assert 30.0 <= run(main()) < 30.1


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (Throttled("banned", 418, 300.0), 300.0),
        (RequestError("forbidden", 403), 600.0),
        (TransportError("forbidden", 403), 600.0),
    ],
)
def test_the_first_ban_opens_the_breaker(error: Exception, seconds: float) -> None:
    async def main() -> float:
        gate = gate_of(WIDE)
        began = now()
        await fails(gate, error)
        await gate.through("a", lambda: asyncio.sleep(0))
        return now() - began

    assert seconds <= run(main()) < seconds + 0.1


def test_an_error_that_nobody_expected_reaches_its_caller_and_frees_the_probe() -> None:
    async def main() -> None:
        gate = gate_of(WIDE)
        with pytest.raises(ZeroDivisionError):
            await gate.through("a", failing(ZeroDivisionError()))
        assert gate.breakers["a"].state(now()) == "closed"

    run(main())


def test_a_budget_that_fails_is_not_waited_for() -> None:
    class Broken(Allowance):
        async def take(self, weight: int) -> float:
            raise ZeroDivisionError(weight)

    async def main() -> None:
        gate = Gate(Broken(AdaptiveBudget(WIDE), clock=now), lambda: 0.0, now)
        with pytest.raises(ZeroDivisionError):
            await gate.through("a", lambda: asyncio.sleep(0))
        assert gate.waiting == 0

    run(main())


# --- the fetcher -----------------------------------------------------------------------------


class Client:
    """Answers with a count of the exchange's own."""

    def __init__(self, counted: int) -> None:
        self.counted = counted

    async def send(self, request: Request[Any]) -> Response:
        await asyncio.sleep(0.1)
        return Response(request.path.encode(), {"x-used": str(self.counted)}, 5, "")


def request(path: str) -> Request[str]:
    def parse(body: bytes, receive_time: int | None) -> str:
        text = body.decode()
        if text == "throttled":
            raise Throttled("slow down, with status 200")
        if text == "wrong":
            raise FrameError(f"expected a book, was {text}")
        return f"{text} {receive_time}"

    return Request("GET", path, (), 10, parse)


def test_the_fetcher_learns_from_headers_also_of_answers_that_it_cannot_read() -> None:
    async def main() -> None:
        gate = gate_of(Rate(100, 60.0))
        fetcher = Fetcher(Client(40), gate, lambda headers: int(headers["x-used"]), "rest", now)
        with pytest.raises(FrameError):
            await fetcher.fetch(request("wrong"))
        assert gate.allowance.budget.others(now()) == 30.0
        assert await fetcher.fetch(request("book")) == "book 5"
        with pytest.raises(Throttled):
            await fetcher.fetch(request("throttled"))
        assert fetcher.outcomes == {"ok": 1, "throttled": 1, "failed": 1}
        assert gate.allowance.budget.throttles == 1
        assert gate.breakers["rest"].state(now()) == "closed"

    run(main())
