"""One exchange's ingestor: instruments, topics, streams, connections, and an orderly end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from typing import Final

import structlog

from collector_core.errors import RequestError, SettingsError, SymbolError, Throttled
from collector_core.events import Instrument
from collector_core.symbols import SymbolTable
from collector_feed.adapter import Adapter
from collector_feed.backoff import Backoff
from collector_feed.budget import Budget
from collector_feed.numbering import Numbering
from collector_feed.outputs import Subscription
from collector_feed.session import Session
from collector_feed.sharding import Sharding
from collector_feed.status_rows import status_rows
from collector_feed.subscriptions import check
from collector_feed.trade_stream import TradeSeed
from collector_ingestor.connection import Connection
from collector_ingestor.fetcher import Fetcher
from collector_ingestor.seeds import previous_rows
from collector_ingestor.settings import IngestorSettings
from collector_runtime.clock import monotonic, wall_us
from collector_runtime.kafka.catalog import entries_of, publish_catalog
from collector_runtime.kafka.connection import producer_config, reach
from collector_runtime.kafka.provisioner import Provisioner
from collector_runtime.kafka.publisher import HIGH_WATER, LOW_WATER, Publisher
from collector_runtime.rest import RestClient, RestOptions
from collector_runtime.transport import Options

__all__ = ["Ingestor"]

_TICK: Final = 0.05
"""Seconds between two looks at the deadlines of all sessions."""
_FLUSH: Final = 8.0
"""Seconds for the last rows to be delivered; with the rest below the 10 s of a shutdown."""


class Ingestor:
    """Publishes what is wanted of one exchange.

    Args:
        settings: what the operator wants.
        adapter: the exchange's adapter class.
    """

    def __init__(self, settings: IngestorSettings, adapter: type[Adapter]) -> None:
        self.settings = settings
        self.exchange = settings.exchange
        self.connections: list[Connection] = []
        # our symbols that are published, with their instrument
        self.instruments: dict[str, Instrument] = {}
        self._adapter = adapter
        self._spec = adapter.spec
        self._log = structlog.get_logger("collector.ingestor").bind(exchange=self.exchange)
        self._topics = settings.topics()
        self._topology = settings.topology()
        self.kafka = settings.kafka(f"collector-ingestor-{self.exchange}")
        self.numbering = Numbering(wall_us(), self._topics)
        self._attempts = Budget(self._spec.connection_attempts)
        self._rest = RestClient(
            settings.rest_url or self._spec.rest_url, RestOptions(proxy=settings.proxy)
        )
        self.fetcher = Fetcher(self._rest, Budget(self._spec.request_weight))
        self._sharding = Sharding(self._spec.subscriptions_per_connection)
        self._seeds: dict[str, TradeSeed] = {}
        self._symbols = SymbolTable()
        self._random = random.SystemRandom().random
        self._changing = asyncio.Lock()
        self.publisher: Publisher | None = None

    # --- start -------------------------------------------------------------------------------

    async def start(self) -> None:
        """Reach Kafka and the exchange, make the common topics, open the first streams.

        Raises:
            BrokerError: Kafka is unreachable.
            SettingsError: none of the wanted symbols is listed.
        """
        await asyncio.to_thread(reach, self.kafka)
        provisioner = Provisioner(self.kafka)
        common = [*self._topology.bus(), *self._topology.exchange(self.exchange)]
        await asyncio.to_thread(provisioner.ensure, common)
        for instrument in await self._listed():
            self._enter(instrument)
        self._log.info("instruments", listed=len(self._symbols))
        self.publisher = Publisher(
            producer_config(self.kafka),
            self.numbering,
            self.exchange,
            self.settings.delivery_timeout,
        )
        wanted = self.settings.subscriptions()
        if wanted and not any(s.symbol in self._symbols for s in wanted):
            raise SettingsError(
                f"expected at least one symbol that {self._spec.title} lists in SYMBOLS, "
                f"was {', '.join(dict.fromkeys(s.symbol for s in wanted))}"
            )
        await self.add(wanted)

    async def _listed(self) -> list[Instrument]:
        backoff = Backoff(self._random)
        request = self._adapter(SymbolTable()).instruments()
        while True:
            try:
                return await self.fetcher.fetch(request)
            except RequestError as error:
                throttle = error if isinstance(error, Throttled) else None
                delay = backoff.next(
                    throttled=throttle is not None,
                    retry_after=throttle.retry_after if throttle else None,
                )
                self._log.warning("instruments_unavailable", reason=str(error), again_in=delay)
                await asyncio.sleep(delay)

    def _enter(self, instrument: Instrument) -> None:
        try:
            self._symbols.add(instrument.symbol, instrument.venue_symbol)
        except SymbolError as error:
            self._log.warning("symbol_rejected", symbol=instrument.symbol, reason=str(error))
        else:
            self.instruments[instrument.symbol] = instrument

    # --- symbols -----------------------------------------------------------------------------

    async def add(self, subscriptions: Sequence[Subscription]) -> None:
        """Open streams: topics, where they left off, catalogue, ``started`` rows, subscriptions.

        What the exchange does not list or push is rejected alone, with a status row.
        """
        async with self._changing:
            fit = self._fit(subscriptions)
            streams = list(dict.fromkeys((s.channel, s.symbol) for s in fit))
            new = [s for s in streams if self.numbering.find(*s) is None]
            if new:
                await self._open(new)
            for number, gained in self._sharding.add(fit).items():
                self._connection(number).subscribe(gained)

    async def remove(self, subscriptions: Sequence[Subscription]) -> None:
        """Close streams; each ends with a ``stopped`` row."""
        async with self._changing:
            for number, lost in self._sharding.remove(subscriptions).items():
                self._connection(number).unsubscribe(lost)
            left = {(s.channel, s.symbol) for s in self._held()}
            for channel, symbol in {(s.channel, s.symbol) for s in subscriptions} - left:
                self._publisher.close(channel, symbol)

    def _held(self) -> list[Subscription]:
        return [s for number in range(len(self.connections)) for s in self._sharding.held(number)]

    def _fit(self, subscriptions: Iterable[Subscription]) -> list[Subscription]:
        fit = []
        for subscription in subscriptions:
            try:
                check(self._spec, subscription)
                self._symbols.to_venue(subscription.symbol)
            except (SettingsError, SymbolError) as error:
                self._log.warning("symbol_rejected", symbol=subscription.symbol, reason=str(error))
                rows = status_rows(self.exchange, [subscription], "rejected", str(error), wall_us())
                self._publisher.publish_all(rows)
            else:
                fit.append(subscription)
        return fit

    async def _open(self, new: list[tuple[str, str]]) -> None:
        symbols = list(dict.fromkeys(symbol for _, symbol in new))
        # the exchange's own streams of each symbol come first: status rows go there as well
        own = [(channel, symbol) for symbol in symbols for channel in ("status", "instrument")]
        streams = [*own, *new]
        named = [(channel, self.exchange, symbol) for channel, symbol in streams]
        await asyncio.to_thread(Provisioner(self.kafka).ensure, self._topology.streams(named))
        entries = entries_of(
            self._topics, named, {s: i.venue_symbol for s, i in self.instruments.items()}
        )
        await asyncio.to_thread(publish_catalog, self.kafka, self._topics, entries)
        previous = await asyncio.to_thread(
            previous_rows, self.kafka, self._topics, self.exchange, streams
        )
        now = wall_us()
        for channel, symbol in streams:
            if self.numbering.find(channel, symbol) is not None:
                continue
            before = previous.get((channel, symbol))
            if before is not None and before.trades is not None:
                self._seeds[symbol] = before.trades
            last = None if before is None else (before.epoch, before.seq)
            self._publisher.open(channel, symbol, last, now)
            if channel == "instrument":
                self._publisher.publish(self.instruments[symbol])

    def _connection(self, number: int) -> Connection:
        while number >= len(self.connections):
            name = f"{self.exchange}-{len(self.connections)}"
            session = Session(
                self._adapter(self._symbols),
                self.settings.websocket_url or self._spec.websocket_url,
                self._random,
                self._seeds,
                self.settings.session_options(),
            )
            connection = Connection(
                name,
                session,
                self._publisher,
                self.fetcher,
                self._attempts,
                Options(proxy=self.settings.proxy, compression=self.settings.compression),
                f"{self._topics.prefix}.dead-letter.{self.exchange}",
                self.settings.transport,
            )
            self.connections.append(connection)
            connection.start()
        return self.connections[number]

    @property
    def _publisher(self) -> Publisher:
        if self.publisher is None:
            raise RuntimeError("start() makes the publisher")
        return self.publisher

    # --- run and end -------------------------------------------------------------------------

    async def run(self) -> None:
        """Let time pass for all sessions until cancelled.

        Raises:
            DeliveryError: a row could not be delivered.
        """
        publisher = self._publisher
        while True:
            await asyncio.sleep(_TICK)
            publisher.poll()
            now, wall = monotonic(), wall_us()
            for connection in self.connections:
                connection.tick(now, wall)
            if publisher.backlog() < LOW_WATER:
                for connection in self.connections:
                    connection.resume()

    def not_connected(self) -> str | None:
        """Return what keeps the exchange's data from flowing, None if it flows."""
        closed = [c.name for c in self.connections if not c.connected]
        return f"no connection: {', '.join(closed)}" if closed else None

    def not_delivering(self) -> str | None:
        """Return what keeps rows from being delivered, None if they are."""
        if self.publisher is None:
            return "not started"
        backlog = self.publisher.backlog()
        return f"{backlog} rows wait for Kafka" if backlog > HIGH_WATER else None

    async def stop(self) -> None:
        """Close the connections, say ``stopped`` in every stream, deliver every row.

        Raises:
            DeliveryError: rows are left that Kafka did not take in time.
        """
        await asyncio.gather(*(c.stop("shutdown") for c in self.connections))
        await self._rest.close()
        if self.publisher is not None:
            await asyncio.to_thread(self.publisher.flush, _FLUSH)
        self._log.info("stopped", rows=0 if self.publisher is None else self.publisher.rows)
