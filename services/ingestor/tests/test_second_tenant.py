"""A second tenant behind our address, which we are not told of, must not get us banned."""

from __future__ import annotations

import asyncio
import random

import pytest

from collector_core.errors import RequestError
from collector_exchanges.discovery import adapter, exchanges
from collector_feed.adaptive_budget import SHARE, AdaptiveBudget
from collector_feed.request_queue import Priority
from collector_ingestor.access import Access
from collector_ingestor.allowance import Allowance
from collector_ingestor.fetcher import Fetcher
from collector_ingestor.gate import Gate

from .tenants import SharedExchange
from .virtual_time import now, run

HOUR = 3600.0
# what an address may ask for, and in how many seconds, where the spec asks for less than that
LIMITS = {"bithumb": (150, 1.0), "coinbase": (10, 1.0), "kraken": (15, 15.0), "upbit": (10, 1.0)}
# seconds between two storms of requests
STORM = 60.0
# requests of a storm; so many that a window's limit is reached
MOST = {"bybit": 600}
# of the limit, what we get done at the least
LEAST = 0.02


@pytest.mark.parametrize("name", exchanges())
def test_no_ban_in_an_hour_beside_a_tenant_with_half_of_the_limit(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = adapter(name).spec
    rate = spec.request_weight

    async def hour() -> tuple[SharedExchange, Fetcher]:
        exchange = SharedExchange(name, 7, *LIMITS.get(name, (rate.count, rate.seconds)))
        access = Access(adapter(name), random.Random(3).random, clock=now)
        fetcher = Fetcher(exchange, access.requests, exchange.adapter.spent, "rest", now)
        await storms(fetcher, exchange, now() + HOUR)
        exchange.pass_time()
        return exchange, fetcher

    exchange, fetcher = run(hour())
    budget = fetcher.gate.allowance.budget
    with capsys.disabled():
        figures = f"ours {dict(exchange.ours)}, theirs {dict(exchange.others)}"
        print(f"\n{name}: {figures}", end="")  # noqa: T201  # asked for by the acceptance
    assert set(exchange.ours) <= {200, 429}
    assert not {403, 418} & set(exchange.others)
    # a refusal is what tells where the exchange's headers do not, but never a habit
    assert budget.throttles == exchange.ours[429]
    assert exchange.ours[429] <= 0.001 * exchange.ours[200]
    assert exchange.others[429] <= 0.001 * exchange.others.total()
    breaker = fetcher.gate.breakers["rest"]
    assert breaker.entered["open"] == 0
    # and yet our part of the work was done
    assert exchange.weighed >= HOUR / rate.seconds * rate.count * LEAST


def test_a_client_that_leaves_no_room_for_the_unseen_is_banned() -> None:
    # so the test above would show it: Bybit tells nothing and bans at the first request too many
    async def main() -> SharedExchange:
        rate = adapter("bybit").spec.request_weight
        exchange = SharedExchange("bybit", 7, rate.count, rate.seconds)
        budget = AdaptiveBudget(rate, SHARE)
        gate = Gate(Allowance(budget, clock=now), random.Random(3).random, now)
        fetcher = Fetcher(exchange, gate, exchange.adapter.spent, "rest", now)
        await storms(fetcher, exchange, now() + 60.0)
        return exchange

    assert run(main()).ours[403] > 0


async def storms(fetcher: Fetcher, exchange: SharedExchange, until: float) -> None:
    """Resynchronize everything each minute: more than the limit admits at once."""
    adapter_ = exchange.adapter
    rate = adapter_.spec.request_weight
    wanted = 2 * rate.count * max(1.0, STORM / rate.seconds)
    most = MOST.get(adapter_.spec.exchange, 300)
    size = min(most, int(wanted / adapter_.trades(exchange.symbols[0]).weight))

    async def fetch(number: int) -> None:
        symbol = exchange.symbols[number % len(exchange.symbols)]
        try:
            if number % 20:
                await fetcher.fetch(adapter_.trades(symbol), Priority.REPAIR)
            else:
                await fetcher.fetch(adapter_.book(symbol), Priority.AUDIT)
        except RequestError:
            return

    while now() < until:
        end = min(now() + STORM, until)
        async with asyncio.TaskGroup() as tasks:
            for number in range(size):
                tasks.create_task(fetch(number))
        await asyncio.sleep(max(0.0, end - now()))
