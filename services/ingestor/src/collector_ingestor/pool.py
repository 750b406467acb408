"""The connections of one ingestor: which carries what, new ones, replaced ones, idle ones."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence

from collector_core.errors import SettingsError
from collector_core.symbols import SymbolTable
from collector_feed.adapter import Adapter
from collector_feed.outputs import Subscription
from collector_feed.session import Session
from collector_feed.sharding import Sharding
from collector_ingestor.connection import Connection
from collector_ingestor.fetcher import Fetcher
from collector_ingestor.gate import Gate
from collector_ingestor.opening import Opening
from collector_ingestor.settings import IngestorSettings
from collector_runtime.kafka.publisher import Publisher
from collector_runtime.transport import Options

__all__ = ["Pool"]


class Pool:
    """Opens connections as subscriptions need them.

    Args:
        settings: what the operator wants.
        adapter: the exchange's adapter class.
        symbols: both spellings of the exchange's symbols.
        publisher: takes the rows.
        fetcher: makes REST requests.
        attempts: the exchange's breakers and budget of connection attempts.
        opening: has what is on the bus already.
    """

    def __init__(
        self,
        settings: IngestorSettings,
        adapter: type[Adapter],
        symbols: SymbolTable,
        publisher: Publisher,
        fetcher: Fetcher,
        attempts: Gate,
        opening: Opening,
    ) -> None:
        # by their number in the sharding
        self.connections: list[Connection] = []
        self._settings = settings
        self._adapter = adapter
        self._spec = adapter.spec
        self._symbols = symbols
        self._publisher = publisher
        self._fetcher = fetcher
        self._opening = opening
        self._attempts = attempts
        self._random = random.SystemRandom().random
        self._sharding = Sharding.of(self._spec)
        self._incidents = settings.bundles()
        # idle connections that are being closed
        self._closing: set[asyncio.Task[None]] = set()

    def place(
        self, subscriptions: Sequence[Subscription]
    ) -> tuple[dict[int, list[Subscription]], dict[str, list[Subscription]]]:
        """Assign new subscriptions to connections.

        Return what each connection gains, and by the reason what no connection can take: of a
        symbol that has more subscriptions than one may hold.
        """
        gained: dict[int, list[Subscription]] = {}
        refused: dict[str, list[Subscription]] = {}
        by_symbol: dict[str, list[Subscription]] = {}
        for subscription in subscriptions:
            by_symbol.setdefault(subscription.symbol, []).append(subscription)
        for own in by_symbol.values():
            try:
                for number, placed in self._sharding.add(own).items():
                    gained.setdefault(number, []).extend(placed)
            except SettingsError as error:
                refused[str(error)] = own
        return gained, refused

    def subscribe(self, gained: Mapping[int, Sequence[Subscription]]) -> None:
        """Open the streams that ``place`` assigned."""
        for number, subscriptions in gained.items():
            connection = self._connection(number)
            connection.subscribe(subscriptions)
            if not connection.wanted:
                connection.start()

    def unsubscribe(self, subscriptions: Iterable[Subscription], reason: str | None) -> None:
        """End streams, each with a ``stopped`` row; without a reason in silence."""
        for number, lost in self._sharding.remove(subscriptions).items():
            self._connection(number).unsubscribe(lost, reason)

    def close_idle(self) -> None:
        """Close the connections that carry nothing any more."""
        for number, old in enumerate(self.connections):
            if old.wanted and not self._sharding.held(number):
                self.connections[number] = self._make(old.name, number, counts_on=old)
                task = asyncio.get_running_loop().create_task(old.stop("nothing is wanted of it"))
                self._closing.add(task)
                task.add_done_callback(self._closed)

    def tick(self, now: float, wall: int) -> None:
        """Let time pass for all sessions."""
        for number, connection in enumerate(self.connections):
            connection.tick(now, wall)
            self.connections[number] = connection.succeed(self._successor, now, wall)

    def resume(self) -> None:
        """Read on after a pause."""
        for connection in self.connections:
            connection.resume()

    async def stop(self, reason: str) -> None:
        """End all of them, with a ``stopped`` row in each stream."""
        await asyncio.gather(*(c.stop(reason) for c in self.connections), *self._closing)
        await self._incidents.close()

    def _connection(self, number: int) -> Connection:
        while number >= len(self.connections):
            count = len(self.connections)
            self.connections.append(self._make(f"{self._settings.exchange}-{count}", count))
        return self.connections[number]

    def _successor(self, old: Connection) -> Connection:
        return self._make(old.name, self.connections.index(old), counts_on=old, successor=True)

    def _make(
        self,
        name: str,
        number: int,
        *,
        counts_on: Connection | None = None,
        successor: bool = False,
    ) -> Connection:
        settings = self._settings
        session = Session(
            self._adapter(self._symbols),
            settings.websocket_url or self._spec.websocket_url,
            self._random,
            self._opening.seeds,
            settings.session_options(),
            path=self._sharding.path(number),
            candle_seeds=self._opening.candle_seeds,
            successor=successor,
        )
        connection = Connection(
            name,
            session,
            self._publisher,
            self._fetcher,
            self._attempts,
            Options(proxy=settings.proxy, compression=settings.compression),
            f"{settings.topic_prefix}.dead-letter.{settings.exchange}",
            self._incidents,
            settings.transport,
        )
        if counts_on is not None:
            connection.counters = counts_on.counters
        return connection

    def _closed(self, task: asyncio.Task[None]) -> None:
        self._closing.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # a bug must end the process, not vanish
            asyncio.get_running_loop().call_exception_handler(
                {"message": "an idle connection did not close", "exception": error}
            )
