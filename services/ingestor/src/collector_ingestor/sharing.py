"""Shares an exchange's symbols with the other processes, by leases of a consumer group."""

from __future__ import annotations

import asyncio
import threading
from typing import Final

import structlog

from collector_core.errors import SettingsError
from collector_ingestor.ingestor import Ingestor
from collector_runtime.kafka.lease import Lease
from collector_runtime.kafka.provisioner import Provisioner

__all__ = ["Sharing"]

_TICK: Final = 0.1
"""Seconds between two looks at the group."""
_LEAVE: Final = 1.0
"""Seconds for leaving it; without it the group waits for the session's end."""


class Sharing:
    """Gives an ingestor the shards that the group gives this process.

    The group is looked at on the event loop, which does the work: a process that hangs loses its
    shards.

    Args:
        ingestor: whose shards.
    """

    def __init__(self, ingestor: Ingestor) -> None:
        self._ingestor = ingestor
        self._settings = ingestor.settings
        self._log = structlog.get_logger("collector.sharing").bind(exchange=ingestor.exchange)
        self._lease: Lease | None = None
        self._left = False

    async def join(self) -> None:
        """Make the lease topic and enter the group.

        Raises:
            BrokerError: Kafka is unreachable, or refuses.
            SettingsError: the lease topic has another number of shards.
        """
        settings = self._settings
        wanted = settings.topology().lease(self._ingestor.exchange, settings.ingestor_shards)
        provisioner = Provisioner(self._ingestor.kafka)
        plan = await asyncio.to_thread(provisioner.plan, [wanted])
        for drift in plan.drift:
            raise SettingsError(
                f"expected COLLECTOR_INGESTOR_SHARDS to be the partitions of {wanted.name}, "
                f"{drift.actual}, was {settings.ingestor_shards}"
            )
        await asyncio.to_thread(provisioner.apply, plan)
        self._lease = Lease(
            self._ingestor.kafka,
            f"{settings.topic_prefix}.ingestor.{self._ingestor.exchange}",
            wanted.name,
            session_timeout=settings.session_timeout,
            instance_id=None,
            granted=self._granted,
            revoked=self._revoked,
            lost=self._lost,
        )

    async def run(self) -> None:
        """Follow the group until the service ends.

        Raises:
            BrokerError: the group refuses us for good.
            DeliveryError: a row of a shard that was given away could not be delivered.
        """
        while not self._left:
            if self._lease is not None:
                self._lease.poll()
            await asyncio.sleep(_TICK)

    async def leave(self) -> None:
        """Give the shards back, once their last rows are delivered."""
        self._left = True
        if self._lease is None:
            return
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        lease = self._lease

        def close() -> None:
            lease.close()
            loop.call_soon_threadsafe(done.set)

        # not of the executor, whose threads are waited for at the end without a bound
        threading.Thread(target=close, daemon=True).start()
        try:
            await asyncio.wait_for(done.wait(), _LEAVE)
        except TimeoutError:
            self._log.warning("lease_left", reason=f"expected an answer in {_LEAVE:g} s, was none")

    def not_joined(self) -> str | None:
        """Return why no shard can be ours yet, or None."""
        joined = self._lease is not None and self._lease.joined
        return None if joined else "has not joined its group yet"

    def _granted(self, numbers: list[int]) -> None:
        if self._left or not numbers:
            return
        self._log.info("shards_granted", shards=sorted(numbers))
        self._ingestor.shards.take(numbers)
        self._ingestor.wake()

    def _revoked(self, numbers: list[int]) -> None:
        if not self._left and numbers:
            self._log.info("shards_revoked", shards=sorted(numbers))
            self._ingestor.release(numbers, fenced=False)

    def _lost(self, numbers: list[int]) -> None:
        if not self._left and numbers:
            self._log.warning("shards_lost", shards=sorted(numbers))
            self._ingestor.release(numbers, fenced=True)
