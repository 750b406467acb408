"""Asks the exchange again and again what it lists."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from collector_core.errors import FrameError, RequestError, Throttled
from collector_core.events import Instrument
from collector_feed.adapter import Adapter
from collector_feed.backoff import Backoff
from collector_feed.request_queue import Priority
from collector_ingestor.fetcher import Fetcher
from collector_runtime.clock import monotonic

__all__ = ["ListingWatch"]

_JITTER: Final = 0.1
"""Part of the interval by which a look may come early, so that processes do not ask in step."""


class ListingWatch:
    """Looks at an exchange's instruments.

    Args:
        adapter: of no connection, for the request.
        fetcher: makes it, within the exchange's budget.
        random: returns a float in [0, 1).
    """

    def __init__(self, adapter: Adapter, fetcher: Fetcher, random: Callable[[], float]) -> None:
        self._adapter = adapter
        self._fetcher = fetcher
        self._random = random
        self._log = structlog.get_logger("collector.listings").bind(exchange=adapter.spec.exchange)

    async def first(self) -> list[Instrument]:
        """Return what is listed, as soon as the exchange tells it.

        Raises:
            FrameError: an answer that is not its protocol's.
        """
        backoff = Backoff(self._random)
        while True:
            try:
                return await self._ask()
            except RequestError as error:
                throttle = error if isinstance(error, Throttled) else None
                delay = backoff.next(
                    throttled=throttle is not None,
                    retry_after=throttle.retry_after if throttle else None,
                )
                self._log.warning("instruments_unavailable", reason=str(error), again_in=delay)
                await asyncio.sleep(delay)

    async def run(self, every: float, take: Callable[[Sequence[Instrument]], None]) -> None:
        """Look until cancelled; a look that fails is said, and the next one comes.

        Args:
            every: seconds from one look to the next, at most.
            take: is given what is listed; may raise FrameError.
        """
        due = monotonic()
        while True:
            # from look to look, however long the answer takes
            due = max(due + every * (1.0 - _JITTER * self._random()), monotonic())
            await asyncio.sleep(due - monotonic())
            try:
                take(await self._ask())
            except (RequestError, FrameError) as error:
                self._log.warning("instruments_unavailable", reason=str(error), again_in=every)
                if isinstance(error, Throttled) and error.retry_after is not None:
                    due = max(due, monotonic() + error.retry_after - every)

    async def _ask(self) -> list[Instrument]:
        return await self._fetcher.fetch(self._adapter.instruments(), Priority.ROUTINE)
