"""One exchange's ingestor: what is wanted, listed and ours becomes streams, and ends in order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from typing import Final

import structlog

from collector_core.errors import (
    BrokerError,
    DeliveryError,
    SettingsError,
)
from collector_core.events import Instrument
from collector_core.symbols import SymbolTable
from collector_feed.adapter import Adapter
from collector_feed.backoff import Backoff
from collector_feed.numbering import Numbering
from collector_feed.outputs import Subscription
from collector_feed.status_rows import status_rows
from collector_feed.subscriptions import check
from collector_ingestor.access import Access
from collector_ingestor.connection import Connection
from collector_ingestor.fetcher import Fetcher
from collector_ingestor.listing_watch import ListingWatch
from collector_ingestor.listings import Listings
from collector_ingestor.opening import OWN, Opening
from collector_ingestor.pool import Pool
from collector_ingestor.settings import IngestorSettings
from collector_ingestor.shards import Shards
from collector_runtime.clock import monotonic, wall_us
from collector_runtime.kafka.connection import producer_config, reach
from collector_runtime.kafka.provisioner import Provisioner
from collector_runtime.kafka.publisher import HIGH_WATER, LOW_WATER, Publisher
from collector_runtime.rest import RestClient, RestOptions

__all__ = ["Ingestor"]

_TICK: Final = 0.05
"""Seconds between two looks at the deadlines of all sessions."""
_FLUSH: Final = 8.0
"""Seconds for the last rows to be delivered; with the rest below the 10 s of a shutdown."""
_RELEASE: Final = 2.0
"""Seconds for the last rows of shards that go to another process."""


class Ingestor:
    """Publishes what is wanted of one exchange.

    What changes, be it a wish, a listing or the shards that are ours, is noted at once and carried
    out by ``follow``, one change after another.

    Args:
        settings: what the operator wants.
        adapter: the exchange's adapter class.
    """

    def __init__(self, settings: IngestorSettings, adapter: type[Adapter]) -> None:
        self.settings = settings
        self.exchange = settings.exchange
        self.spec = adapter.spec
        self.wishes = settings.wishes()
        self.listings = Listings()
        self.shards = Shards(self.exchange, settings.ingestor_shards)
        self._adapter = adapter
        self._log = structlog.get_logger("collector.ingestor").bind(exchange=self.exchange)
        self._topology = settings.topology()
        self.kafka = settings.kafka(f"collector-ingestor-{self.exchange}")
        self.numbering = Numbering(wall_us(), settings.topics())
        self._opening = Opening(
            self.kafka,
            self._topology,
            self.exchange,
            self.numbering,
            shared=self.shards.count > 1,
        )
        self._random = random.SystemRandom().random
        self.access = Access(adapter, self._random, settings.reach())
        rest_url = settings.rest_url or self.spec.rest_url
        self._rest = RestClient(rest_url, RestOptions(proxy=settings.proxy))
        asking = adapter(SymbolTable())
        self.fetcher = Fetcher(self._rest, self.access.requests, asking.spent, rest_url)
        self.listing_watch = ListingWatch(asking, self.fetcher, self._random)
        self.publisher: Publisher | None = None
        self._pool: Pool | None = None
        # something is to be carried out, and one that is being
        self._changed = asyncio.Event()
        self._changing = asyncio.Lock()
        self._stopping = False
        # what is carried, and what was refused and shall not be tried again as it is
        self._running: dict[str, set[Subscription]] = {}
        self._refused: set[Subscription] = set()
        # patterns that were said to match nothing
        self._idle: list[str] = []

    # --- start -------------------------------------------------------------------------------

    async def start(self) -> None:
        """Reach Kafka and the exchange and make the common topics; streams open by ``follow``.

        Raises:
            BrokerError: Kafka is unreachable.
            SettingsError: none of the wanted symbols is listed.
        """
        await asyncio.to_thread(reach, self.kafka)
        common = [*self._topology.bus(), *self._topology.exchange(self.exchange)]
        await asyncio.to_thread(Provisioner(self.kafka).ensure, common)
        self.relist(await self.listing_watch.first())
        listed = len(self.listings.instruments)
        self._log.info("instruments", listed=listed, epoch=self.numbering.epoch)
        symbols = self.settings.symbols
        if symbols and not any(map(self.wishes.of, self.listings.instruments)):
            raise SettingsError(
                f"expected at least one symbol that {self.spec.title} lists in SYMBOLS, "
                f"was {', '.join(dict.fromkeys(symbols))}"
            )
        self.publisher = Publisher(
            producer_config(self.kafka),
            self.numbering,
            self.exchange,
            self.settings.delivery_timeout,
        )
        self._pool = Pool(
            self.settings,
            self._adapter,
            self.listings.table,
            self.publisher,
            self.fetcher,
            self.access.attempts,
            self._opening,
        )

    # --- what changes ------------------------------------------------------------------------

    def wake(self) -> None:
        """Say that what is wanted, or ours, has changed."""
        self._changed.set()

    def relist(self, answer: Sequence[Instrument]) -> None:
        """Take the exchange's list of instruments; say what changed of those that are published.

        Raises:
            FrameError: it is empty.
        """
        known = len(self.listings.refused)
        for instrument in self.listings.update(answer):
            symbol = instrument.symbol
            gone = instrument.state == "delisted"
            # what was refused may be had now; what is gone ends, and needs no refusal as well
            self._refused = {s for s in self._refused if s.symbol != symbol}
            if gone:
                self._refused |= self.wishes.of(symbol)
            if self.numbering.find("instrument", symbol) is not None:
                self._log.info("instrument", symbol=symbol, state=instrument.state)
                self._publisher.publish(instrument)
            self.wake()
        if len(self.listings.refused) > known:
            self._log.warning("instruments_refused", refused=self.listings.refused)

    def release(self, shards: Iterable[int], *, fenced: bool) -> None:
        """Let go of the streams of shards, and have their rows delivered.

        Blocks for some milliseconds, at most ``_RELEASE`` seconds: what the other streams would
        publish meanwhile would keep the producer from ever being empty.

        Args:
            shards: their numbers; they are ours no longer.
            fenced: somebody else has them already: not a word more.

        Raises:
            DeliveryError: a row could not be delivered.
        """
        self.shards.give(shards)
        if self._stopping:
            # every stream ends anyway
            return
        given = [s for streams in self._running.values() for s in streams if self._foreign(s)]
        self._refused = {s for s in self._refused if not self._foreign(s)}
        publisher = self._publisher
        streams = {(s.channel, s.symbol) for s in given}
        if fenced:
            for channel, symbol in streams:
                publisher.close(channel, symbol)
        self._end(given, None if fenced else "goes to another process")
        own = [s for s in self.numbering.streams() if s.channel in OWN]
        for stream in own:
            if not self.shards.holds(stream.symbol):
                publisher.close(stream.channel, stream.symbol)
                streams.add((stream.channel, stream.symbol))
        self._opening.given(streams)
        self._connections.close_idle()
        if fenced or not given:
            return
        try:
            publisher.flush(_RELEASE)
        except DeliveryError as error:
            publisher.check()
            # late, not lost: they follow, under their own epoch, what the heir has begun
            self._log.warning("released_late", reason=str(error))

    def _foreign(self, subscription: Subscription) -> bool:
        return not self.shards.holds(subscription.symbol)

    # --- what is carried out -----------------------------------------------------------------

    async def follow(self) -> None:
        """Open and close streams as wishes, listings and shards change, until cancelled.

        Raises:
            BrokerError: Kafka refuses for good.
        """
        backoff = Backoff(self._random)
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self.reconcile()
            except BrokerError as error:
                if error.terminal or not error.retry:
                    raise
                delay = backoff.next()
                self._log.warning("streams_not_opened", reason=str(error), again_in=delay)
                self._changed.set()
                await asyncio.sleep(delay)
            else:
                backoff.reset()

    async def reconcile(self) -> None:
        """Close what is wanted no longer, open what is wanted and not open yet.

        What the exchange does not list or push is rejected alone, with a status row.

        Raises:
            BrokerError: Kafka does not make the topics, or does not tell where streams left off.
        """
        async with self._changing:
            wanted = self._wanted()
            self._say_idle()
            listed = self.listings.instruments
            gone = [s for own in self._running.values() for s in own if s not in wanted]
            self._end([s for s in gone if s.symbol in listed], "no longer wanted")
            self._end([s for s in gone if s.symbol not in listed], "delisted")
            self._refused &= wanted
            running = set[Subscription]().union(*self._running.values())
            fit = self._fit(sorted(wanted - running - self._refused))
            if fit:
                await self._begin(fit)
            self._connections.close_idle()

    def _wanted(self) -> set[Subscription]:
        symbols = {*self.listings.instruments, *self.wishes.names()}
        return {s for symbol in symbols for s in self._wanted_of(symbol)}

    def _wanted_of(self, symbol: str) -> frozenset[Subscription]:
        if self._stopping or not self.shards.holds(symbol):
            return frozenset()
        instrument = self.listings.instruments.get(symbol)
        trading = instrument is not None and instrument.state == "trading"
        if not trading and not self.wishes.named(symbol) and symbol not in self._running:
            # a pattern takes what trades, and keeps it through a halt until it is delisted
            return frozenset()
        return self.wishes.of(symbol)

    def _say_idle(self) -> None:
        idle = self.wishes.idle(self.listings.instruments)
        for pattern in idle:
            if pattern not in self._idle:
                self._log.warning("pattern_matches_nothing", pattern=pattern)
        self._idle = idle

    def _fit(self, subscriptions: Iterable[Subscription]) -> list[Subscription]:
        fit = []
        for subscription in subscriptions:
            if subscription.symbol not in self.listings.instruments:
                reason = f"expected a listed symbol, was {subscription.symbol!r}"
                self._refuse([subscription], reason)
                continue
            try:
                check(self.spec, subscription)
            except SettingsError as error:
                self._refuse([subscription], str(error))
            else:
                fit.append(subscription)
        return fit

    def _refuse(self, subscriptions: Sequence[Subscription], reason: str) -> None:
        self._refused.update(subscriptions)
        self._log.warning("symbol_rejected", symbol=subscriptions[0].symbol, reason=reason)
        rows = status_rows(self.exchange, subscriptions, "rejected", reason, wall_us())
        self._publisher.publish_all(rows)

    async def _begin(self, wanted: Sequence[Subscription]) -> None:
        instruments = self.listings.instruments
        streams = list(dict.fromkeys((s.channel, s.symbol) for s in wanted))
        new = [s for s in streams if self.numbering.find(*s) is None]
        previous = await asyncio.to_thread(self._opening.prepare, new, instruments) if new else {}
        # meanwhile a symbol may have gone, or its shard
        still = [s for s in wanted if s.symbol in instruments and s in self._wanted_of(s.symbol)]
        gained, refused = self._connections.place(still)
        for reason, subscriptions in refused.items():
            self._refuse(subscriptions, reason)
        placed = [s for subscriptions in gained.values() for s in subscriptions]
        streams = list(dict.fromkeys((s.channel, s.symbol) for s in placed))
        self._opening.open(self._publisher, streams, previous, instruments, wall_us())
        for subscription in placed:
            self._running.setdefault(subscription.symbol, set()).add(subscription)
        self._connections.subscribe(gained)
        self._log.info("streams", opened=len(placed), symbols=len(self._running))

    def _end(self, subscriptions: Sequence[Subscription], reason: str | None) -> None:
        if not subscriptions:
            return
        self._connections.unsubscribe(subscriptions, reason)
        for subscription in subscriptions:
            own = self._running[subscription.symbol]
            own.remove(subscription)
            if not own:
                del self._running[subscription.symbol]
        left = {(s.channel, s.symbol) for own in self._running.values() for s in own}
        for channel, symbol in {(s.channel, s.symbol) for s in subscriptions} - left:
            self._publisher.close(channel, symbol)
        self._log.info("streams", closed=len(subscriptions), reason=reason)

    @property
    def connections(self) -> list[Connection]:
        """The connections to the exchange."""
        return [] if self._pool is None else self._pool.connections

    @property
    def _connections(self) -> Pool:
        if self._pool is None:
            raise RuntimeError("start() makes the pool")
        return self._pool

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
        publisher, pool = self._publisher, self._connections
        while True:
            await asyncio.sleep(_TICK)
            publisher.poll()
            pool.tick(monotonic(), wall_us())
            if publisher.backlog() < LOW_WATER:
                pool.resume()

    def not_connected(self) -> str | None:
        """Return what keeps the exchange's data from flowing, None if it flows."""
        closed = [c.name for c in self.connections if not c.connected and c.wanted]
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
        self._stopping = True
        if self._pool is not None:
            await self._pool.stop("shutdown")
        await self._rest.close()
        await self.access.close()
        if self.publisher is not None:
            await asyncio.to_thread(self.publisher.flush, _FLUSH)
        self._log.info("stopped", rows=0 if self.publisher is None else self.publisher.rows)
