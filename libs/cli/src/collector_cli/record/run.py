"""A recording from its start to its end: symbols, connections, time, an orderly close."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Final

from collector_cli.record.connection import Exchange, RecordedConnection, Tally
from collector_cli.record.plan import Plan
from collector_core.errors import SettingsError, SymbolError
from collector_core.events import Event
from collector_core.symbols import SymbolTable
from collector_exchanges.discovery import adapter
from collector_feed.budget import Budget
from collector_feed.session import Session
from collector_feed.sharding import Sharding
from collector_runtime.clock import monotonic, wall_us
from collector_runtime.recording import LISTING, Manifest, Recorder, Source, write_listing
from collector_runtime.rest import RestClient, RestOptions
from collector_runtime.transport import Options

__all__ = ["RecordingRun"]

_TICK: Final = 0.05
"""Seconds between two looks at the deadlines of the sessions."""


class RecordingRun:
    """Records what a plan names.

    Args:
        plan: what, where from and where to.
        on_row: is given each row that the frames give live.
    """

    def __init__(self, plan: Plan, on_row: Callable[[Event], None] = lambda _: None) -> None:
        self._plan = plan
        self._on_row = on_row
        self._adapter = adapter(plan.exchange)
        self._spec = self._adapter.spec
        self.tally = Tally()
        self.connections: list[RecordedConnection] = []
        self._symbols = SymbolTable()
        self._exchange = Exchange(
            RestClient(plan.rest_url or self._spec.rest_url, RestOptions(proxy=plan.proxy)),
            Budget(self._spec.request_weight),
            Budget(self._spec.connection_attempts),
            Options(proxy=plan.proxy),
        )
        self._recorder: Recorder | None = None

    @property
    def recorder(self) -> Recorder:
        """What writes the files, once ``start`` has made it."""
        if self._recorder is None:
            raise RuntimeError("start() makes the recorder")
        return self._recorder

    async def start(self) -> None:
        """Learn the exchange's symbols, open the files, begin to connect.

        Raises:
            SettingsError: a symbol that is not listed, or a folder that cannot be recorded to.
            RequestError: the exchange does not answer.
        """
        listing = await self._listed()
        plan = self._plan
        source = Source(
            plan.exchange,
            plan.websocket_url or self._spec.websocket_url,
            plan.rest_url or self._spec.rest_url,
            plan.subscriptions,
            answers=True,
            instruments=LISTING,
        )
        self._recorder = await asyncio.to_thread(Recorder, plan.directory, source, plan.journal)
        await asyncio.to_thread(write_listing, plan.directory, listing)
        self._connect()

    async def run(self) -> None:
        """Let time pass until cancelled."""
        while True:
            await asyncio.sleep(_TICK)
            now, wall = monotonic(), wall_us()
            for connection in self.connections:
                connection.tick(now, wall)

    async def stop(self, reason: str) -> Manifest | None:
        """Close the connections and the files; return what was recorded, None before a start.

        Raises:
            StateError: the disk did not take what waited.
        """
        await asyncio.gather(*(connection.stop(reason) for connection in self.connections))
        await self._exchange.rest.close()
        if self._recorder is None:
            return None
        return await asyncio.to_thread(self._recorder.close)

    async def _listed(self) -> bytes:
        request = self._adapter(SymbolTable()).instruments()
        response = await self._exchange.rest.send(request)
        for instrument in request.parse(response.body, response.receive_time):
            try:
                self._symbols.add(instrument.symbol, instrument.venue_symbol)
            except SymbolError:
                # two spellings of one symbol: the first one stands, as in the ingestor
                continue
        for subscription in self._plan.subscriptions:
            if subscription.symbol not in self._symbols:
                raise SettingsError(
                    f"expected a symbol that {self._spec.title} lists, was {subscription.symbol!r}"
                )
        return response.body

    def _connect(self) -> None:
        url = self._plan.websocket_url or self._spec.websocket_url
        # channels that live on different sockets have connections of their own
        paths = {s.channel: self._spec.channels[s.channel].path for s in self._plan.subscriptions}
        for path in dict.fromkeys(paths.values()):
            wanted = [s for s in self._plan.subscriptions if paths[s.channel] == path]
            shards = Sharding(self._spec.subscriptions_per_connection).add(wanted)
            for subscriptions in shards.values():
                session = Session(
                    self._adapter(self._symbols),
                    url,
                    random.SystemRandom().random,
                    path=path,
                )
                connection = RecordedConnection(
                    f"{self._plan.exchange}-{len(self.connections)}",
                    session,
                    self.recorder,
                    self._exchange,
                    self.tally,
                    self._on_row,
                )
                self.connections.append(connection)
                session.subscribe(subscriptions, monotonic())
                connection.start()
