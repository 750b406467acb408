"""Coinone: one topic a message, acknowledged even when it is bad; whole books of 16 levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias
from uuid import UUID

from collector_core.symbols import split
from collector_testkit.dialects.coinone.control import (
    CHANNELS,
    INTERVALS,
    INVALID_TOPIC,
    PONG,
    Call,
    Refused,
    read_call,
)
from collector_testkit.dialects.coinone.frames import SymbolFrames
from collector_testkit.dialects.coinone.listings import CATALOGUE, QUOTES, SYMBOLS
from collector_testkit.dialects.coinone.rest import CoinoneRest, refusal
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.digits import trimmed
from collector_testkit.dialects.messages import Action, Close, Delivery, Reply, Request
from collector_testkit.dialects.sockets import Socket, SocketDialect
from collector_testkit.market import Market, MarketEvent, Trade
from collector_testkit.truth import TruthTrade

__all__ = ["CoinoneDialect"]

_SECOND: Final = 1_000_000
_TENTH: Final = 100_000
_REQUESTS: Final = 1200
_CONNECTIONS: Final = 20
_TOO_MANY: Final = 4290
"""Close code of a connection too many, and of a client that sends too much."""
_UNASKED: Final = 60.7
"""Seconds after which a connection that never asked for anything is dropped."""
_IDLE: Final = 1800.0
"""Seconds after the last PING, or after the opening, after which any connection is dropped."""
_ERROR_AFTER: Final = 2_000
"""Microseconds between the acknowledgement of a bad topic and its refusal."""

Stream: TypeAlias = tuple[str, str, str]
"""Channel, pair and interval; the variant of a stream is whether its format is SHORT."""


class _Connection(Socket):
    # what counts as life is a PING, and before the first the opening

    def __init__(self, client: str, now: int) -> None:
        super().__init__(now)
        self.client = client
        # something was sent by the client
        self.asked = False
        # messages in the running second, and that second
        self.messages = (0, 0)


class CoinoneDialect(SocketDialect[_Connection, Stream, bool]):
    """The exchange's side of a Coinone connection."""

    name = "coinone"
    websocket_path = "/"
    catalogue = CATALOGUE
    quotes = QUOTES
    symbols = SYMBOLS
    book_levels = 16
    step = _TENTH
    idle = _IDLE

    def __init__(self, market: Market, limits: Limits | None = None) -> None:
        super().__init__(market, limits)
        self._frames = {symbol: SymbolFrames(traded) for symbol, traded in market.symbols.items()}
        self._pairs = {frames.pair: frames for frames in self._frames.values()}
        self._rest = CoinoneRest(self._pairs, self.limits.weight or _REQUESTS)
        # symbols whose book changed since the last tenth of a second
        self._changed: dict[str, None] = {}

    @classmethod
    def to_venue(cls, symbol: str) -> str:
        """Return ``KRW-BTC`` for ``BTC/KRW``: the two fields of a topic, quote first."""
        base, quote = split(symbol)
        return f"{quote}-{base}"

    def fact(self, trade: Trade) -> TruthTrade:
        """Return a trade as the trade stream tells it."""
        frames = self._frames[trade.symbol]
        return TruthTrade(
            self.name,
            trade.symbol,
            frames.trade_id(trade),
            trimmed(frames.price(trade.price), 8),
            trimmed(frames.size(trade.amount), 8),
            trade.side,
            trade.time // 1000 * 1000,
        )

    # --- connections -------------------------------------------------------------------------

    def handshake(self, request: Request, _now: int) -> Reply | None:
        """Refuse other paths; a connection too many is opened and closed."""
        return None if request.path in {"", "/"} else Reply(404, b"")

    def socket(self, _connection: int, request: Request, now: int) -> _Connection:
        """Return a connection of an address."""
        return _Connection(request.client, now)

    def opened(self, connection: int, request: Request, now: int) -> list[Action]:
        """Greet a new connection, or close the 21st of an address."""
        super().opened(connection, request, now)
        mine = sum(held.client == request.client for held in self._connections.values())
        if mine > _CONNECTIONS:
            return [Close(connection, _TOO_MANY)]
        session = UUID(int=(now << 64 | connection) % 2**128)
        hello = f'{{"response_type":"CONNECTED","data":{{"session_id":"{session}"}}}}'
        return [Delivery(hello.encode(), (connection,))]

    def received(self, connection: int, message: str | bytes, now: int) -> list[Action]:
        """Take a topic, end one, answer a PING, or say what is wrong."""
        held = self._connections[connection]
        held.asked = True
        if not self._admit(held, now):
            return [Close(connection, _TOO_MANY)]
        try:
            call = read_call(message)
        except Refused as refused:
            return [Delivery(refused.frame, (connection,))]
        if call.kind == "PING":
            held.active = now
            return [Delivery(PONG, (connection,))]
        answered: list[Action] = [Delivery(call.answer(), (connection,))]
        if call.kind == "UNSUBSCRIBE":
            for short in (False, True):
                self._streams.remove(connection, call.stream, short)
            return answered
        return [*answered, *self._subscribe(connection, call, now)]

    def reject(self, connection: int, message: str | bytes, _now: int) -> list[Action] | None:
        """Refuse a topic as one that is not known: after its acknowledgement, without its name."""
        try:
            call = read_call(message)
        except Refused:
            return None
        if call.kind != "SUBSCRIBE":
            return None
        return [Delivery(frame, (connection,)) for frame in (call.answer(), INVALID_TOPIC)]

    def listed(self, symbol: str) -> list[Action]:
        """Take a symbol; clients find it in the list of markets."""
        frames = self._frames[symbol] = SymbolFrames(self.market.symbols[symbol])
        self._pairs[frames.pair] = frames
        return []

    def delisted(self, symbol: str) -> list[Action]:
        """Drop a symbol; its topics fall silent, and new ones are refused."""
        del self._pairs[self._frames.pop(symbol).pair]
        self._changed.pop(symbol, None)
        return []

    def _admit(self, held: _Connection, now: int) -> bool:
        if self.limits.messages is None:
            return True
        second, count = held.messages
        count = count + 1 if second == now // _SECOND else 1
        held.messages = now // _SECOND, count
        return count <= self.limits.messages

    def _subscribe(self, connection: int, call: Call, now: int) -> list[Action]:
        channel, pair, interval = stream = call.stream
        frames = self._pairs.get(pair)
        if frames is None or (channel == "CHART" and interval not in INTERVALS):
            refused = Delivery(INVALID_TOPIC, (connection,))
            self.at(now + _ERROR_AFTER, lambda _: self._to(connection, refused))
            return []
        # the other format takes the place of the one before; the same one is not doubled
        self._streams.remove(connection, stream, not call.short)
        self._streams.add(connection, stream, call.short)
        if channel != "ORDERBOOK":
            return []
        payload = frames.book(now, short=call.short).encode()
        return [Delivery(payload, (connection,), channel="book", symbol=frames.symbol)]

    def _to(self, connection: int, delivery: Delivery) -> list[Action]:
        return [delivery] if connection in self._connections else []

    def _idle_end(self, held: _Connection) -> int:
        wait = self.limits.idle or _IDLE
        return held.active + int((wait if held.asked else min(wait, _UNASKED)) * _SECOND)

    # --- frames ------------------------------------------------------------------------------

    def publish(self, events: Sequence[MarketEvent]) -> list[Action]:
        """Return trades, tickers and candles; count changes of books."""
        out: list[Action] = []
        for event in events:
            frames = self._frames.get(event.symbol)
            if frames is None:
                continue
            if not isinstance(event, Trade):
                frames.note(event)
                if self._connections:
                    self._changed[event.symbol] = None
            elif self._connections:
                self._traded(out, frames, event)
        return out

    def on_tick(self, now: int) -> list[Action]:
        """Return the books that changed, in sight or out of it."""
        out: list[Action] = []
        self._go_on(now)
        for symbol in self._changed:
            frames = self._frames[symbol]
            for short, to in self._streams.listeners(("ORDERBOOK", frames.pair, "")).items():
                _send(out, frames, "ORDERBOOK", frames.book(None, short=short), to)
        self._changed.clear()
        return out

    def refusal(self, status: int, retry_after: float | None) -> Reply:
        """Return the exchange's answer to a client that is throttled, or when it fails."""
        return refusal(status, retry_after)

    def _traded(self, out: list[Action], frames: SymbolFrames, trade: Trade) -> None:
        for short, to in self._streams.listeners(("TRADE", frames.pair, "")).items():
            _send(out, frames, "TRADE", frames.trade(trade, short=short), to)
        for short, to in self._streams.listeners(("TICKER", frames.pair, "")).items():
            _send(out, frames, "TICKER", frames.ticker(trade, short=short), to)
        for interval in INTERVALS:
            for short, to in self._streams.listeners(("CHART", frames.pair, interval)).items():
                _send(out, frames, "CHART", frames.chart(interval, trade, short=short), to)


def _send(
    out: list[Action], frames: SymbolFrames, channel: str, payload: str, to: tuple[int, ...]
) -> None:
    out.append(Delivery(payload.encode(), to, channel=CHANNELS[channel], symbol=frames.symbol))
