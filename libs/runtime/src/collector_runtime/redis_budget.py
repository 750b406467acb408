"""One budget for all processes behind one address: GCRA in Redis, by its clock.

The state is one hash for each budget: ``arrival`` (theoretical arrival time), ``stop`` (nothing
before), ``granted`` (weight so far). Each call is one script, which Redis runs alone, so no two
processes can be granted the same weight. Times are seconds of the Redis server's clock; no
process's clock takes part.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from collector_core.errors import SettingsError, TransportError
from collector_feed.budget import Flow

__all__ = ["Grant", "RedisBudget", "RedisBudgets"]

_KEPT: Final = 3600
"""Seconds for which the state outlives its last debt."""

_SCRIPT: Final = f"""
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1e6
local held = redis.call('HMGET', KEYS[1], 'arrival', 'stop', 'granted')
local arrival = math.max(tonumber(held[1] or 0), now)
local stop = tonumber(held[2] or 0)
local granted = tonumber(held[3] or 0)
local weight, per_unit, depth = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local drain, pause = ARGV[4] == '1', tonumber(ARGV[5])
if ARGV[6] == '1' and not held[3] then drain = true end
if pause > 0 then stop = math.max(stop, now + pause) end
if drain then arrival = math.max(arrival, math.max(now, stop) + depth) end
local ahead = arrival - now
local wait = math.max(stop - now, math.min(ahead + weight * per_unit - depth, ahead), 0)
if wait < 1e-6 then
  wait = 0
  arrival = arrival + weight * per_unit
  granted = granted + weight
end
redis.call('HSET', KEYS[1], 'arrival', string.format('%.6f', arrival),
  'stop', string.format('%.6f', stop), 'granted', string.format('%.0f', granted))
redis.call('EXPIRE', KEYS[1], math.ceil(math.max(arrival, stop) - now) + {_KEPT})
return {{string.format('%.6f', wait), string.format('%.0f', granted)}}
"""


class Grant(NamedTuple):
    """The answer of a shared budget."""

    wait: float
    """Seconds after which to ask again; 0: the weight was taken."""
    granted: int
    """Weight that all processes took since the last answer, this one's among it."""


class RedisBudgets:
    """The budgets in one Redis; it is connected to when one is first asked.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``, as redis-py reads it.
        timeout: seconds for a connection, and for an answer; we go on alone rather than wait.

    Raises:
        SettingsError: the URL cannot be read.
    """

    def __init__(self, url: str, timeout: float = 0.5) -> None:
        try:
            self._redis = Redis.from_url(
                url,
                socket_timeout=timeout,
                socket_connect_timeout=timeout,
                # at once and once, for a kept connection may be one to a server of before; more
                # decides who asks. A lost answer counts twice then, which is the safe side
                retry=Retry(NoBackoff(), 1, (RedisConnectionError,)),
            )
        except ValueError as error:
            # neither text may show the URL, which may hold the password
            raise SettingsError(
                "expected redis://host:port/database in REDIS_URL, was another URL"
            ) from error

    def budget(self, key: str) -> RedisBudget:
        """Return the budget of that name, the same in all processes that share it."""
        return RedisBudget(self._redis, key)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()


class RedisBudget:
    """The shared state of one budget.

    Args:
        redis: the client; its owner closes it.
        key: the budget's name.
    """

    def __init__(self, redis: Redis, key: str) -> None:
        self.key = key
        self._script = redis.register_script(_SCRIPT)
        # weight granted to all, as of the last answer; None before the first one
        self._seen: int | None = None

    async def take(self, weight: int, flow: Flow, *, drain: bool = False) -> Grant:
        """Take ``weight`` if the shared bucket has it.

        ``drain`` empties the bucket before: who comes from elsewhere brings no second burst.

        Raises:
            TransportError: Redis does not answer, or not as it should.
        """
        return await self._run(weight, flow, drain=drain, pause=0.0)

    async def stop(self, pause: float, flow: Flow) -> None:
        """Let nobody take anything for ``pause`` seconds, and begin with an empty bucket then.

        Raises:
            TransportError: Redis does not answer, or not as it should.
        """
        await self._run(0, flow, drain=True, pause=pause)

    async def _run(self, weight: int, flow: Flow, *, drain: bool, pause: float) -> Grant:
        # who was here before and finds nothing knows that Redis lost what was taken
        before = self._seen
        arguments: list[str | int] = [
            weight,
            repr(flow.per_unit),
            repr(flow.depth),
            int(drain),
            repr(pause),
            int(before is not None),
        ]
        try:
            answer = await self._script(keys=[self.key], args=arguments)
            wait, granted = float(answer[0]), int(answer[1])
        except (RedisError, OSError, TypeError, ValueError, IndexError) as error:
            raise TransportError(f"expected an answer of Redis, was {error!r}") from error
        self._seen = granted
        if before is None:
            # what the others took before we came is not known to be of this window
            return Grant(wait, weight if wait == 0 else 0)
        # after a restart of Redis its count begins again
        return Grant(wait, granted - before if granted >= before else granted)
