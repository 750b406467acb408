"""Symbols added and removed at run time, by rows of ``md.control``."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from collector_core.errors import CollectorError
from collector_core.records import Control
from collector_feed.outputs import Subscription
from collector_ingestor.ingestor import Ingestor
from collector_ingestor.settings import streams_of
from collector_runtime.kafka.connection import KafkaSettings
from collector_runtime.kafka.table import Change, Table

__all__ = ["ControlFollower"]

_WAIT: Final = 0.5
"""Seconds that one look at the topic takes at most."""


class ControlFollower:
    """Keeps an ingestor's subscriptions at what the settings and the control topic say.

    A row says what is wanted of its symbol in place of the settings; empty channels stop it; a
    tombstone gives it back to the settings.

    Args:
        ingestor: whose subscriptions.
        settings: where Kafka is.
        topic: the control topic.
    """

    def __init__(self, ingestor: Ingestor, settings: KafkaSettings, topic: str) -> None:
        self._ingestor = ingestor
        self._exchange = ingestor.exchange
        self._kafka = settings
        self._topic = topic
        self._log = structlog.get_logger("collector.control").bind(exchange=self._exchange)
        # what is wanted of each symbol now
        self._wanted: dict[str, set[Subscription]] = {}
        for subscription in ingestor.settings.subscriptions():
            self._wanted.setdefault(subscription.symbol, set()).add(subscription)
        self._by_settings = {symbol: frozenset(s) for symbol, s in self._wanted.items()}

    async def run(self) -> None:
        """Follow the topic until cancelled.

        Raises:
            BrokerError: the topic cannot be read.
        """
        table = await asyncio.to_thread(Table, self._kafka, self._topic, Control)
        try:
            while True:
                for change in await asyncio.to_thread(table.poll, _WAIT):
                    await self._apply(change)
        finally:
            await asyncio.to_thread(table.close)

    async def _apply(self, change: Change[Control]) -> None:
        exchange, _, symbol = change.key.partition("|")
        if exchange != self._exchange:
            return
        if change.error is not None:
            self._log.warning("control_rejected", key=change.key, reason=str(change.error))
            return
        try:
            wanted = self._wanted_by(symbol, change.record)
        except CollectorError as error:
            self._log.warning("control_rejected", key=change.key, reason=str(error))
            return
        before = self._wanted.get(symbol, set())
        self._wanted[symbol] = wanted
        self._log.info("control", symbol=symbol, streams=len(wanted))
        if gone := sorted(before - wanted):
            await self._ingestor.remove(gone)
        if new := sorted(wanted - before):
            await self._ingestor.add(new)

    def _wanted_by(self, symbol: str, record: Control | None) -> set[Subscription]:
        if record is None:
            return set(self._by_settings.get(symbol, ()))
        intervals = record.intervals or tuple(self._ingestor.settings.intervals)
        return set(streams_of(symbol, record.channels, intervals))
