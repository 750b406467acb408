"""A small publisher: topics as the provisioner makes them, rows as ingestors write them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer

from collector_client import Subscription
from collector_core.codec import encode
from collector_core.events import Event, Row, Status, Trade
from collector_core.topics import Topics, key_of
from collector_runtime.kafka.catalog import catalog_key, entries_of
from collector_runtime.kafka.connection import KafkaSettings
from collector_runtime.kafka.provisioner import Provisioner
from collector_runtime.kafka.topology import Topology


def trade(number: int, symbol: str = "BTC/USDT", exchange: str = "binance") -> Trade:
    return Trade(
        exchange,
        symbol,
        number,
        number,
        1,
        number,
        id=str(number),
        price="1",
        amount="2",
        side=None,
    )


def gap(symbol: str = "BTC/USDT", exchange: str = "binance") -> Status:
    return Status(exchange, symbol, None, 5, 1, 9, state="gap", channel="trade")


class Bus:
    """Topics and rows of one prefix."""

    def __init__(self, servers: str, topics: Topics) -> None:
        self.servers = servers
        self.topics = topics
        self._settings = KafkaSettings(servers, "client-tests")

    async def provide(
        self, *streams: tuple[str, str, str], catalog: bool = True, per_exchange: bool = False
    ) -> None:
        """Make the topics of streams, and enter them in the catalogue."""
        topology = Topology(self.topics)
        wanted = topology.streams(streams)
        if per_exchange:
            for exchange in {stream[1] for stream in streams}:
                wanted = [*wanted, *topology.exchange(exchange)]
        if catalog:
            wanted = [*topology.bus(), *wanted]
        await asyncio.to_thread(Provisioner(self._settings).ensure, wanted)
        if catalog:
            async with self.producer() as producer:
                for entry in entries_of(self.topics, streams):
                    key = catalog_key(entry).encode()
                    await producer.send_and_wait(self.topics.catalog, encode(entry), key)

    @asynccontextmanager
    async def producer(self, transaction: str | None = None) -> AsyncIterator[AIOKafkaProducer]:
        producer = AIOKafkaProducer(
            bootstrap_servers=self.servers, transactional_id=transaction, enable_idempotence=True
        )
        await producer.start()
        try:
            yield producer
        finally:
            await producer.stop()

    async def put(self, producer: AIOKafkaProducer, *events: Event, channel: str = "trade") -> None:
        for event in events:
            place = self.topics.address(channel, event.exchange, event.symbol)
            await producer.send_and_wait(
                place.topic, encode(event), key_of(event).encode(), partition=place.partition
            )

    async def publish(self, *events: Event, channel: str = "trade") -> None:
        async with self.producer() as producer:
            await self.put(producer, *events, channel=channel)


async def take(subscription: Subscription[Row] | Subscription[Trade], count: int) -> list[Event]:
    """Return the next ``count`` events."""
    return [await asyncio.wait_for(anext(subscription), 20) for _ in range(count)]


def ids(events: Iterable[Event]) -> list[str | None]:
    return [event.id for event in events if isinstance(event, Trade)]


async def eventually(condition: Callable[[], object], within: float = 20.0) -> None:
    """Return as soon as ``condition`` holds; fail the test if it does not within the bound."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"expected the condition within {within} s"
        await asyncio.sleep(0.01)
