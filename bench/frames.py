"""Frames of each exchange and channel, as its simulated counterpart sends them.

The session part of the product is not run: the adapter says what to send to subscribe, and the
dialect (testkit) answers with frames from a seeded market.
"""

from __future__ import annotations

import random
from typing import Final, NamedTuple

from collector_core.symbols import SymbolTable
from collector_exchanges.discovery import adapter as adapter_of
from collector_feed.adapter import Adapter
from collector_feed.outputs import Request as Wanted
from collector_feed.outputs import Subscription
from collector_feed.pipeline import Pipeline
from collector_testkit.dialects import Action, Delivery, Request, load
from collector_testkit.dialects.venue import Venue

__all__ = ["CHANNELS", "START", "Recording", "record"]

CHANNELS: Final = ("trade", "ticker", "book", "candle")
START: Final = 1_795_305_600_250_250
"""When the market opens: any moment that lies on no boundary."""
_RATE: Final = 100.0
"""Actions a second on each symbol: about ten changed levels in a tenth of a second."""
_STEP: Final = 500_000
_PER_FRAME: Final = 20_000
"""Microseconds of the market for each frame wanted, at most: some channels send once a second."""
_SNAPSHOT_AFTER: Final = 4
"""Frames of a book's changes that come before its snapshot, as in life."""


class Recording(NamedTuple):
    """What one connection with one channel was sent."""

    exchange: str
    channel: str
    symbols: tuple[str, ...]
    table: SymbolTable
    lead: list[bytes]
    """Acknowledgements, and what came before the snapshots."""
    snapshots: list[tuple[Wanted[object], bytes]]
    """Answers of REST where a book begins with one."""
    frames: list[bytes]
    """The frames to measure."""

    def adapter(self) -> Adapter:
        """Return a fresh adapter that knows the symbols."""
        return adapter_of(self.exchange)(self.table)

    def pipeline(self) -> Pipeline:
        """Return a fresh pipeline that has seen everything before ``frames``."""
        pipeline = Pipeline(self.adapter())
        for symbol in self.symbols:
            if self.channel == "trade":
                pipeline.open_trades(symbol)
            elif self.channel == "book":
                pipeline.open_book(symbol)
            pipeline.begin(self.channel, symbol, START, [])
        for frame in self.lead:
            pipeline.on_frame(frame, START)
        for request, body in self.snapshots:
            pipeline.on_snapshot(request.parse(body, START), START)  # type: ignore[arg-type]  # the answer of a request for a book
        pipeline.control.clear()
        pipeline.attention = False
        return pipeline


def record(exchange: str, channel: str, count: int) -> Recording | None:
    """Return at most ``count`` frames of a channel; fewer where the exchange sends few.

    None where the exchange pushes nothing of it.
    """
    if not adapter_of(exchange).spec.channels[channel].stream:
        return None
    venue = Venue(load(exchange), random.Random(7), START, rate=_RATE)
    kind = adapter_of(exchange)
    symbols = tuple(venue.market.symbols)
    table = SymbolTable()
    for symbol in symbols:
        table.add(symbol, venue.dialect.to_venue(symbol))
    adapter = kind(table)
    lead, frames = _Inbox(channel), _Inbox(channel)
    # a past, so that figures of 24 hours and candles are there
    venue.advance(START + 5_000_000)
    path = adapter.url(venue.dialect.websocket_path, kind.spec.channels[channel].path)
    lead.take(venue.open(1, Request(path)))
    pushed = kind.spec.channels[channel].intervals
    interval = "1m" if "1m" in pushed else next(iter(pushed), "")
    wanted = [Subscription(channel, symbol, interval) for symbol in symbols]
    for message, _ in adapter.change([], wanted, []):
        lead.take(venue.receive(1, message.text))
    end = venue.now + count * _PER_FRAME
    snapshots: list[tuple[Wanted[object], bytes]] = []
    if channel == "book" and kind.spec.book_by_rest:
        while lead.of_channel < _SNAPSHOT_AFTER * len(symbols):
            lead.take(venue.advance(venue.now + _STEP))
        for symbol in symbols:
            request = adapter.book(symbol)
            reply = venue.request(Request(request.path, dict(request.query)))
            snapshots.append((request, reply.body))  # type: ignore[arg-type]  # Request is invariant in its answer
    while len(frames.payloads) < count and venue.now < end:
        frames.take(venue.advance(venue.now + _STEP))
    return Recording(
        exchange, channel, symbols, table, lead.payloads, snapshots, frames.payloads[:count]
    )


class _Inbox:
    def __init__(self, channel: str) -> None:
        self.payloads: list[bytes] = []
        # frames among them that carry data of the channel
        self.of_channel = 0
        self._channel = channel

    def take(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Delivery):
                self.payloads.append(action.payload)
                self.of_channel += action.channel == self._channel
