"""Budgets that processes share in a real Redis, which is killed in the middle."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from collector_core.errors import SettingsError, TransportError
from collector_exchanges.discovery import adapter
from collector_feed.adaptive_budget import AdaptiveBudget
from collector_feed.budget import flow_of
from collector_feed.spec import Rate
from collector_ingestor.access import Access, Reach
from collector_ingestor.allowance import Allowance
from collector_runtime.clock import monotonic
from collector_runtime.redis_budget import RedisBudgets

from .redis_server import RedisServer

# so slow that nothing flows back within a test
SLOW = Rate(100, 100_000.0)
SHARE = 0.8
Connect = Callable[[str], RedisBudgets]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Return what makes clients, each of which stands for a process; closes them at the end."""
    made: list[RedisBudgets] = []

    def client(url: str) -> RedisBudgets:
        made.append(RedisBudgets(url))
        return made[-1]

    yield client
    for each in made:
        await each.close()


class Clock:
    """The monotonic clock, which a test may put forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return monotonic() + self.ahead


async def all_of(allowance: Allowance, weight: int = 1) -> int:
    """Take until there is nothing left; return how much it was."""
    taken = 0
    while await allowance.take(weight) == 0:
        taken += weight
    return taken


@pytest.mark.redis
async def test_processes_share_one_bucket(redis: RedisServer, connect: Connect) -> None:
    clients = [connect(redis.url) for _ in range(4)]
    ours = [Allowance(AdaptiveBudget(SLOW, SHARE, 4), c.budget("b")) for c in clients]
    taken = await asyncio.gather(*(all_of(allowance) for allowance in ours))
    # half of the share is the burst, once for all of them
    assert sum(taken) == 40
    assert all(allowance.shared for allowance in ours)
    assert await ours[0].take(1) == pytest.approx(SLOW.seconds / 40, rel=0.01)


@pytest.mark.redis
async def test_other_keys_are_other_budgets(redis: RedisServer, connect: Connect) -> None:
    client = connect(redis.url)
    flow = flow_of(10, 1_000.0)
    assert (await client.budget("a").take(5, flow)).wait == 0
    assert (await client.budget("b").take(5, flow)).wait == 0
    assert (await client.budget("a").take(5, flow)).wait == pytest.approx(1_000.0, rel=0.01)


@pytest.mark.redis
async def test_what_siblings_took_is_not_taken_for_strangers(
    redis: RedisServer, connect: Connect
) -> None:
    client = connect(redis.url)
    one, two = (
        Allowance(AdaptiveBudget(Rate(100, 60.0), SHARE), client.budget("b")) for _ in range(2)
    )
    assert await one.take(1) == 0
    sent_at = monotonic()
    assert await two.take(20) == 0
    assert await one.take(1) == 0
    one.counted(22, sent_at)
    assert one.budget.others(monotonic()) == 0.0
    one.counted(52, sent_at)
    assert one.budget.others(monotonic()) == pytest.approx(30.0, rel=0.01)


@pytest.mark.redis
async def test_a_refusal_of_one_stops_all(redis: RedisServer, connect: Connect) -> None:
    client = connect(redis.url)
    one, two = (Allowance(AdaptiveBudget(SLOW, SHARE), client.budget("b")) for _ in range(2))
    await one.throttled(500.0, monotonic())
    assert await two.take(1) == pytest.approx(500.0 + SLOW.seconds / 20, rel=0.6)
    assert await two.take(1) >= 499.0
    assert two.budget.throttles == 0


@pytest.mark.redis
async def test_redis_is_killed_and_comes_back(redis: RedisServer, connect: Connect) -> None:
    clock = Clock()
    clients = [connect(redis.url) for _ in range(2)]
    ours = [Allowance(AdaptiveBudget(SLOW, SHARE, 2), c.budget("b"), clock) for c in clients]
    assert await ours[0].take(10) == 0
    assert await ours[1].take(10) == 0

    redis.kill()
    # no burst of our own on top of the shared one: what comes now comes at our part of the flow
    assert await all_of(ours[0]) == 0
    assert not ours[0].shared
    assert ours[0].losses == 1
    wait = await ours[0].take(1)
    assert wait == pytest.approx(SLOW.seconds / 20, rel=0.01)
    clock.ahead += wait
    assert await ours[0].take(1) == 0
    assert await ours[0].take(1) > 0
    clock.ahead += SLOW.seconds
    # the whole of our part's burst, and nothing of the other tenant's
    assert await all_of(ours[0]) == 20

    redis.start()
    clock.ahead += 3.0
    # found again; the new server knows nothing, so the first to come empties its bucket
    wait = await ours[0].take(1)
    assert ours[0].shared
    assert wait == pytest.approx(SLOW.seconds / 40, rel=0.01)
    assert await ours[1].take(1) == pytest.approx(wait, rel=0.01)
    assert ours[1].shared
    assert [allowance.losses for allowance in ours] == [1, 0]


@pytest.mark.redis
async def test_a_restart_that_nobody_noticed_gives_no_second_burst(
    redis: RedisServer, connect: Connect
) -> None:
    allowance = Allowance(AdaptiveBudget(SLOW, SHARE), connect(redis.url).budget("b"))
    assert await all_of(allowance) == 40
    redis.kill()
    redis.start()
    assert await all_of(allowance) == 0
    assert allowance.shared
    assert allowance.losses == 0


@pytest.mark.redis
async def test_killed_under_load_no_window_gets_more_than_the_limit(
    redis: RedisServer, connect: Connect
) -> None:
    rate = Rate(400, 1.0)
    clients = [connect(redis.url) for _ in range(4)]
    ours = [Allowance(AdaptiveBudget(rate, SHARE, 4), c.budget("b")) for c in clients]
    granted: list[tuple[float, int]] = []
    until = monotonic() + 6.0

    async def work(allowance: Allowance) -> None:
        while monotonic() < until:
            wait = await allowance.take(2)
            if wait == 0:
                granted.append((monotonic(), 2))
            else:
                await asyncio.sleep(min(wait, 0.05))

    async def outage() -> None:
        await asyncio.sleep(1.5)
        await asyncio.to_thread(redis.kill)
        await asyncio.sleep(1.5)
        await asyncio.to_thread(redis.start)

    await asyncio.gather(outage(), *(work(allowance) for allowance in ours))
    assert all(allowance.shared for allowance in ours)
    assert all(allowance.losses >= 1 for allowance in ours)
    most = max(sum(w for at, w in granted if t <= at < t + 1.0) for t, _ in granted)
    assert most <= rate.count
    # the flow alone, half of the share, over six seconds, less the outage's beginning and end
    assert sum(w for _, w in granted) > 400


async def test_without_redis_from_the_start_we_go_on_alone(connect: Connect) -> None:
    client = connect("redis://127.0.0.1:9/0")
    with pytest.raises(TransportError, match="expected an answer of Redis, was"):
        await client.budget("b").take(1, flow_of(10, 1.0))
    allowance = Allowance(AdaptiveBudget(SLOW, SHARE, 2), client.budget("b"))
    await allowance.throttled(1.0, monotonic())
    assert allowance.losses == 1
    assert not allowance.shared
    assert await allowance.take(1) > 0


def test_a_url_that_cannot_be_read_is_refused_without_showing_it() -> None:
    with pytest.raises(SettingsError, match="expected redis://host:port/database") as caught:
        Access(adapter("upbit"), random.Random(1).random, Reach("http://:secret@host"))
    assert "secret" not in str(caught.value)


@pytest.mark.redis
async def test_each_exchange_address_and_kind_has_its_own_key(redis: RedisServer) -> None:
    access = Access(adapter("upbit"), random.Random(1).random, Reach(redis.url, "nat-2"))
    await access.requests.through("rest", lambda: asyncio.sleep(0))
    await access.attempts.through("ws", lambda: asyncio.sleep(0))
    reader = Redis.from_url(redis.url)
    keys = sorted(await reader.keys("*"))
    assert keys == [
        b"collector:budget:upbit:nat-2:attempts",
        b"collector:budget:upbit:nat-2:requests",
    ]
    assert 3500 < await reader.ttl(keys[0]) <= 3700
    await reader.aclose()
    await access.close()
