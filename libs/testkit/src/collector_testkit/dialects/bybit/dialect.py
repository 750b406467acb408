"""Bybit spot: topics by message, and the REST for market data."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

import msgspec

from collector_core.symbols import split
from collector_testkit.dialects.bybit.books import DEPTHS, BookState
from collector_testkit.dialects.bybit.control import (
    MAX_CHARACTERS,
    Call,
    Refused,
    answer,
    read_call,
)
from collector_testkit.dialects.bybit.frames import SymbolFrames
from collector_testkit.dialects.bybit.listings import CATALOGUE, QUOTES, SYMBOLS
from collector_testkit.dialects.bybit.pushes import Pushes
from collector_testkit.dialects.bybit.rest import BybitRest, refusal
from collector_testkit.dialects.bybit.topics import CHANNELS, Topic, read_topic
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.messages import Action, Delivery, Reply, Request
from collector_testkit.dialects.sockets import Socket, SocketDialect
from collector_testkit.market import Market, MarketEvent, Trade
from collector_testkit.truth import TruthTrade

__all__ = ["BybitDialect"]

_SECOND: Final = 1_000_000
_IDLE: Final = 600.0
_REQUESTS: Final = 600
_BATCH: Final = 1024
"""Trades of one frame."""
_AUDITED: Final = "orderbook.1000"


class BybitDialect(SocketDialect[Socket, str, None]):
    """The exchange's side of a Bybit connection."""

    name = "bybit"
    websocket_path = "/v5/public/spot"
    catalogue = CATALOGUE
    quotes = QUOTES
    symbols = SYMBOLS
    book_levels = 1000
    idle = _IDLE
    max_attempts = (500, 300.0)
    max_connections = 1000

    def __init__(self, market: Market, limits: Limits | None = None) -> None:
        super().__init__(market, limits)
        self._frames: dict[str, SymbolFrames] = {}
        self._venues: dict[str, SymbolFrames] = {}
        for symbol in market.symbols:
            self._enter(symbol)
        self._rest = BybitRest(self._venues, self._audited, self.limits.weight or _REQUESTS)
        # topics that somebody listens to and that follow the clock, by their steps
        self._due: dict[int, list[Topic]] = {}
        self._pushes = Pushes()
        # time up to which all that is due was sent
        self._now = market.now

    @classmethod
    def to_venue(cls, symbol: str) -> str:
        """Return ``BTCUSDT`` for ``BTC/USDT``."""
        return "".join(split(symbol))

    def fact(self, trade: Trade) -> TruthTrade:
        """Return a trade as the trade topic tells it."""
        frames = self._frames[trade.symbol]
        return frames.fact(self.name, trade, frames.trade_id(trade))

    def _enter(self, symbol: str) -> None:
        frames = SymbolFrames(self.market.symbols[symbol], self.to_venue(symbol))
        self._frames[symbol] = self._venues[frames.venue] = frames

    # --- connections -------------------------------------------------------------------------

    def socket(self, _connection: int, _request: Request, now: int) -> Socket:
        """Return a connection, of which nothing more is to be known."""
        return Socket(now)

    def received(self, connection: int, message: str | bytes, now: int) -> list[Action]:
        """Do what a control frame asks, all of it or nothing, and answer it."""
        self._connections[connection].active = now
        try:
            call = read_call(message)
            topics = [self._topic(connection, call, name) for name in call.topics]
            if call.op == "subscribe":
                self._admit(connection, call)
        except Refused as refused:
            return [Delivery(refused.frame(connection), (connection,))]
        text = "pong" if call.op == "ping" else call.op
        out: list[Action] = [Delivery(answer(connection, call, text), (connection,))]
        for topic in topics:
            if call.op == "subscribe":
                out += self._subscribe(connection, topic, now)
            else:
                self._streams.remove(connection, topic.name, None)
        self._now = now
        self._reschedule()
        return out

    def heard(self, connection: int, now: int) -> None:
        """Note that the connection is not idle."""
        self._connections[connection].active = now

    def closed(self, connection: int) -> None:
        """Forget a connection."""
        super().closed(connection)
        self._reschedule()

    def _topic(self, connection: int, call: Call, name: str) -> Topic:
        topic = read_topic(name, self._venues)
        if topic is None:
            raise Refused(f"error:handler not found,topic:{name}", call.op, call.request_id)
        if call.op == "subscribe" and name in self._streams.held(connection):
            raise Refused(f"error:already subscribed,topic:{name}", call.op, call.request_id)
        return topic

    def _subscribe(self, connection: int, topic: Topic, now: int) -> list[Action]:
        heard = topic.name in self._streams
        self._streams.add(connection, topic.name, None)
        return [
            _delivery(payload, (connection,), topic)
            for payload in self._pushes.first(topic, now, heard=heard)
        ]

    def _admit(self, connection: int, call: Call) -> None:
        held = sum(len(name) for name in [*self._streams.held(connection), *call.topics])
        if held > MAX_CHARACTERS:
            text = f"args length >{MAX_CHARACTERS}"
            raise Refused(text, call.op, call.request_id)

    # --- what happens to the exchange ----------------------------------------------------------

    def listed(self, symbol: str) -> list[Action]:
        """Take a symbol; one that was here before goes on for those who kept its topics."""
        self._enter(symbol)
        self._reschedule()
        topics = [topic for topics in self._due.values() for topic in topics]
        return [
            _delivery(payload, self._listeners(topic.name), topic)
            for topic in topics
            if topic.frames.symbol == symbol
            for payload in self._pushes.first(topic, self.market.now, heard=False)
        ]

    def delisted(self, symbol: str) -> list[Action]:
        """Drop a symbol; its topics stay subscribed and are silent."""
        frames = self._frames.pop(symbol)
        del self._venues[frames.venue]
        self._pushes.forget(frames)
        self._reschedule()
        return []

    def restart_sequences(self, now: int) -> list[Action]:
        """Send every book anew with the number 1, as after a restart of the service."""
        topics = [topic for step in DEPTHS.values() for topic in self._due.get(step, [])]
        return [
            _delivery(
                self._pushes.restart(topic.frames, int(topic.variant), now),
                self._listeners(topic.name),
                topic,
            )
            for topic in topics
            if topic.kind == "orderbook"
        ]

    def reject(self, connection: int, message: str | bytes, _now: int) -> list[Action] | None:
        """Answer a subscription as if its first topic were not known."""
        try:
            call = read_call(message)
        except Refused:
            return None
        if call.op != "subscribe":
            return None
        text = f"error:handler not found,topic:{call.topics[0]}"
        refused = Refused(text, call.op, call.request_id)
        return [Delivery(refused.frame(connection), (connection,))]

    def trade_ids(self, frame: Delivery) -> tuple[str, ...] | None:
        """Return the ids of all trades of a frame."""
        return tuple(item["i"] for item in msgspec.json.decode(frame.payload)["data"])

    def unknown(self) -> bytes:
        """Return data of a topic that clients do not know."""
        return b'{"topic":"ofTomorrow.BTCUSDT","ts":1,"type":"snapshot","data":[{"i":"1"}]}'

    # --- frames ------------------------------------------------------------------------------

    def publish(self, events: Sequence[MarketEvent]) -> list[Action]:
        """Return the trades; whatever else there is follows the clock."""
        out: list[Action] = []
        if not self._connections:
            return out
        trades = [event for event in events if isinstance(event, Trade)]
        for symbol, group in groupby(trades, key=lambda trade: trade.symbol):
            frames = self._frames[symbol]
            topic = Topic(f"publicTrade.{frames.venue}", "publicTrade", "", frames)
            listeners = self._listeners(topic.name)
            fills = list(group) if listeners else []
            for start in range(0, len(fills), _BATCH):
                payload = frames.trades(fills[start : start + _BATCH])
                out.append(_delivery(payload, listeners, topic))
        return out

    def next_tick(self) -> int | None:
        """Return the next time at which a topic is due that somebody listens to."""
        now = self._now
        return min((now - now % step + step for step in self._due), default=None)

    def on_tick(self, now: int) -> list[Action]:
        """Return the frames of the topics that are due."""
        self._now = now
        return [
            _delivery(payload, self._listeners(topic.name), topic)
            for step, topics in self._due.items()
            if not now % step
            for topic in topics
            for payload in self._pushes.due(topic, now)
        ]

    def refusal(self, status: int, retry_after: float | None) -> Reply:
        """Return the exchange's answer to a client that is throttled, or when it fails."""
        return refusal(status, retry_after)

    def _listeners(self, name: str) -> tuple[int, ...]:
        return self._streams.listeners(name).get(None, ())

    def _audited(self, frames: SymbolFrames) -> BookState:
        heard = f"{_AUDITED}.{frames.venue}" in self._streams
        return self._pushes.audited(frames, heard=heard)

    def _reschedule(self) -> None:
        self._due = {}
        for name in self._streams.keys():  # noqa: SIM118  # no mapping, but a method of its own
            topic = read_topic(name, self._venues)
            if topic is not None and topic.step is not None:
                self._due.setdefault(topic.step, []).append(topic)


def _delivery(payload: str, connections: tuple[int, ...], topic: Topic) -> Delivery:
    channel = CHANNELS[topic.kind]
    return Delivery(payload.encode(), connections, channel=channel, symbol=topic.frames.symbol)
