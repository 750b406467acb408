"""Symbols added and removed at run time, by rows of ``md.control``."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from typing import Final

import structlog

from collector_core.errors import CollectorError
from collector_core.patterns import is_pattern
from collector_core.records import Control
from collector_feed.subscriptions import check
from collector_ingestor.ingestor import Ingestor
from collector_ingestor.wishes import streams_of
from collector_runtime.kafka.table import Change, Table

__all__ = ["ControlFollower"]

_WAIT: Final = 0.5
"""Seconds that one look at the topic takes at most."""


class ControlFollower:
    """Keeps an ingestor's wishes at what the control topic says.

    Args:
        ingestor: whose wishes.
        topic: the control topic.
    """

    def __init__(self, ingestor: Ingestor, topic: str) -> None:
        self._ingestor = ingestor
        self._exchange = ingestor.exchange
        self._topic = topic
        self._log = structlog.get_logger("collector.control").bind(exchange=self._exchange)
        self._table: Table[Control] | None = None
        # the table is read and closed on threads, one at a time
        self._reading = threading.Lock()

    async def load(self) -> None:
        """Take what stands in the topic already.

        Raises:
            BrokerError: the topic cannot be read.
        """
        self._table = await asyncio.to_thread(Table, self._ingestor.kafka, self._topic, Control)
        self._take(await asyncio.to_thread(self._table.load))

    async def run(self) -> None:
        """Follow the topic until cancelled.

        Raises:
            BrokerError: the topic cannot be read.
        """
        while True:
            changes = await asyncio.to_thread(self._poll)
            if changes:
                self._take(changes)
                self._ingestor.wake()

    async def close(self) -> None:
        """Leave the topic."""
        await asyncio.to_thread(self._close)

    def _poll(self) -> list[Change[Control]]:
        with self._reading:
            return [] if self._table is None else self._table.poll(_WAIT)

    def _close(self) -> None:
        with self._reading:
            if self._table is not None:
                self._table.close()
                self._table = None

    def _take(self, changes: Iterable[Change[Control]]) -> None:
        for change in changes:
            exchange, _, symbol = change.key.partition("|")
            if exchange != self._exchange:
                continue
            try:
                if change.error is not None:
                    raise change.error
                self._check(symbol, change.record)
                self._ingestor.wishes.put(symbol, change.record)
            except CollectorError as error:
                self._log.warning("control_rejected", key=change.key, reason=str(error))
            else:
                channels = None if change.record is None else change.record.channels
                self._log.info("control", symbol=symbol, channels=channels)

    def _check(self, symbol: str, row: Control | None) -> None:
        if row is None or not is_pattern(symbol):
            # one symbol's channels are rejected one by one, with rows that say so
            return
        intervals = row.intervals or self._ingestor.settings.intervals
        for subscription in streams_of(symbol, row.channels, intervals):
            check(self._ingestor.spec, subscription)
