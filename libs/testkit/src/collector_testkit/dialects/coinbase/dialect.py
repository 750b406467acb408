"""Coinbase Advanced Trade: a channel a message, snapshots first, and every frame counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import msgspec

from collector_core.symbols import split
from collector_testkit.dialects.coinbase.control import CHANNELS, Call, Refused, error, read_call
from collector_testkit.dialects.coinbase.frames import (
    NOTHING,
    LevelWindow,
    SymbolFrames,
    envelope,
    heartbeat,
)
from collector_testkit.dialects.coinbase.listings import CATALOGUE, QUOTES, SYMBOLS
from collector_testkit.dialects.coinbase.rest import CoinbaseRest, refusal
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.messages import Action, Close, Delivery, Reply, Request
from collector_testkit.dialects.sockets import Socket, SocketDialect
from collector_testkit.market import BookChange, Market, MarketEvent, Trade
from collector_testkit.truth import TruthTrade

__all__ = ["CoinbaseDialect"]

_SECOND: Final = 1_000_000
_TICK: Final = 50_000
"""Microseconds between two frames of a book, as recorded."""
_FIRST: Final = 5 * _SECOND
"""Microseconds in which a connection has to ask for something."""
_IDLE: Final = 75.0
"""Seconds without data after which a connection is closed; 60 to 90 are documented."""
_MESSAGES: Final = 8
_REQUESTS: Final = 10
_PAST: Final = 100
"""Trades and candles that a subscription begins with."""

Key: TypeAlias = tuple[str, str]
"""Channel and product."""


class _Connection(Socket):
    def __init__(self, now: int) -> None:
        super().__init__(now)
        # number of the next frame, whatever its channel
        self.number = 0
        self.asked = False
        # heartbeats so far; None while they are not wanted
        self.beats: int | None = None


class CoinbaseDialect(SocketDialect[_Connection, Key, None]):
    """The exchange's side of a Coinbase connection.

    The exchange gathers the trades of a product for 100 ms; here a frame holds the trades of one
    order, so that at every moment it is known what has been sent.
    """

    name = "coinbase"
    websocket_path = "/"
    catalogue = CATALOGUE
    quotes = QUOTES
    symbols = SYMBOLS
    max_attempts = (8, 1.0)
    step = _TICK
    idle = _IDLE

    def __init__(self, market: Market, limits: Limits | None = None) -> None:
        super().__init__(market, limits)
        # by the exchange's spelling
        self._products: dict[str, SymbolFrames] = {}
        self._frames: dict[str, SymbolFrames] = {}
        for symbol in market.symbols:
            self._add(symbol)
        self._rest = CoinbaseRest(self._products, self.limits.weight or _REQUESTS)
        # levels that changed since the last frame, by symbol, of books with listeners
        self._windows: dict[str, LevelWindow] = {}
        # symbols that traded since the last second
        self._traded: dict[str, None] = {}

    @classmethod
    def to_venue(cls, symbol: str) -> str:
        """Return ``BTC-USD`` for ``BTC/USD``."""
        return "-".join(split(symbol))

    def fact(self, trade: Trade) -> TruthTrade:
        """Return a trade as the stream tells it."""
        return self._frames[trade.symbol].fact(self.name, trade, str(trade.id), 1)

    def trade_ids(self, frame: Delivery) -> tuple[str, ...]:
        """Return the ids of a frame's trades, oldest first."""
        events = msgspec.json.decode(frame.payload)["events"]
        return tuple(t["trade_id"] for event in events for t in reversed(event["trades"]))

    # --- connections -------------------------------------------------------------------------

    def handshake(self, request: Request, _now: int) -> Reply | None:
        """Refuse other paths."""
        return None if request.path in {"", "/"} else Reply(404, b"")

    def socket(self, _connection: int, _request: Request, now: int) -> _Connection:
        """Return a connection that asked for nothing yet."""
        return _Connection(now)

    def opened(self, connection: int, request: Request, now: int) -> list[Action]:
        """Take a connection; it has five seconds to ask for something."""
        self.at(now + _FIRST, lambda _: self._expect(connection))
        return super().opened(connection, request, now)

    def received(self, connection: int, message: str | bytes, now: int) -> list[Action]:
        """Do what a message asks, and answer with everything that holds by now."""
        held = self._connections[connection]
        if held.count(now) > (self.limits.messages or _MESSAGES):
            frame = Delivery(error("rate limit exceeded"), (connection,))
            return [frame, Close(connection, 1008, "rate limit exceeded")]
        try:
            call = read_call(message)
        except Refused as refused:
            frame = Delivery(refused.frame, (connection,))
            return [frame, Close(connection, 1008)] if refused.close else [frame]
        held.asked = True
        return [*self._do(connection, held, call, now), self._holds(connection, now)]

    def reject(self, connection: int, message: str | bytes, _now: int) -> list[Action] | None:
        """Refuse a subscription, without saying which."""
        try:
            call = read_call(message)
        except Refused:
            return None
        if not (call.subscribe and call.products):
            return None
        self._connections[connection].asked = True
        return [Delivery(error("failed to subscribe"), (connection,))]

    def _expect(self, connection: int) -> list[Action]:
        held = self._connections.get(connection)
        return [] if held is None or held.asked else [Close(connection, 1008, "no subscription")]

    def closed(self, connection: int) -> None:
        """Forget a connection."""
        super().closed(connection)
        self._forget_unheard()

    # --- subscriptions -----------------------------------------------------------------------

    def _do(self, connection: int, held: _Connection, call: Call, now: int) -> list[Action]:
        if call.channel == "heartbeats":
            held.beats = (held.beats or 0) if call.subscribe else None
            return []
        out: list[Action] = []
        for asked in dict.fromkeys(call.products):
            # an unknown product is left out in silence, and the alias of another goes by its name
            frames = self._products.get(asked) or self._products.get(_aliased(asked))
            if frames is None:
                continue
            key = (call.channel, frames.venue)
            if not call.subscribe:
                self._streams.remove(connection, key, None)
                self._forget_unheard()
                continue
            self._streams.add(connection, key, None)
            event = self._first(call.channel, frames, now)
            if event is not None:
                out += self._tell((connection,), call.channel, frames.symbol, event, now)
        return out

    def _first(self, channel: str, frames: SymbolFrames, now: int) -> str | None:
        tape = frames.market.tape
        match channel:
            case "level2":
                return frames.snapshot()
            case "market_trades":
                return frames.trades("snapshot", tape.newest(_PAST))
            case "ticker":
                return frames.ticker("snapshot", now) or NOTHING
            case _:
                rows = ",".join(frames.candle(c) for c in tape.candles.range("5m")[-_PAST:])
                return f'{{"type":"snapshot","candles":[{rows}]}}' if rows else None

    def _holds(self, connection: int, now: int) -> Delivery:
        listed: dict[str, list[str]] = {}
        for channel, product in self._streams.held(connection):
            listed.setdefault(channel, []).append(product)
        held = self._connections[connection]
        if held.beats is not None:
            listed["heartbeats"] = ["heartbeats"]
        event = msgspec.json.encode({"subscriptions": dict(sorted(listed.items()))}).decode()
        return self._frame(connection, "subscriptions", event, now)

    # --- frames ------------------------------------------------------------------------------

    def publish(self, events: Sequence[MarketEvent]) -> list[Action]:
        """Return trades and tickers; note what changed for books and candles."""
        out: list[Action] = []
        trades = [event for event in events if isinstance(event, Trade)]
        if trades:
            last = trades[-1]
            frames = self._frames[last.symbol]
            self._traded[last.symbol] = None
            for channel in ("market_trades", "ticker"):
                listeners = self._listeners(channel, frames)
                if not listeners:
                    continue
                event = (
                    frames.trades("update", trades)
                    if channel == "market_trades"
                    else frames.ticker("update", last.time)
                )
                if event is not None:
                    out += self._tell(listeners, channel, last.symbol, event, last.time)
        for change in events:
            if isinstance(change, BookChange):
                self._note(change)
        return out

    def on_tick(self, now: int) -> list[Action]:
        """Return the levels that changed; each second candles and heartbeats as well."""
        out: list[Action] = []
        self._go_on(now)
        windows, self._windows = self._windows, {}
        for symbol, window in windows.items():
            frames = self._frames[symbol]
            listeners = self._listeners("level2", frames)
            if listeners:
                out += self._tell(listeners, "level2", symbol, frames.update(window), now)
        if not now % _SECOND:
            out += self._candles(now)
            out += self._heartbeats(now)
        return out

    def refusal(self, status: int, retry_after: float | None) -> Reply:
        """Return the exchange's answer to a client that is throttled, or when it fails."""
        return refusal(status, retry_after)

    def _forget_unheard(self) -> None:
        # what changes while nobody listens is not gathered, so neither is what came before it
        for symbol in [*self._windows]:
            if ("level2", self._frames[symbol].venue) not in self._streams:
                del self._windows[symbol]

    def _note(self, change: BookChange) -> None:
        if ("level2", self._frames[change.symbol].venue) in self._streams:
            window = self._windows.setdefault(change.symbol, LevelWindow())
            window.bids.update(change.bids)
            window.asks.update(change.asks)
            window.time = change.time

    def _candles(self, now: int) -> list[Action]:
        out: list[Action] = []
        traded, self._traded = self._traded, {}
        for symbol in traded:
            frames = self._frames[symbol]
            candle = frames.market.tape.candles.latest("5m")
            listeners = self._listeners("candles", frames)
            if listeners and candle is not None:
                event = f'{{"type":"update","candles":[{frames.candle(candle)}]}}'
                out += self._tell(listeners, "candles", symbol, event, now)
        return out

    def _heartbeats(self, now: int) -> list[Action]:
        out: list[Action] = []
        for connection, held in self._connections.items():
            if held.beats is not None:
                held.beats += 1
                out.append(self._frame(connection, "heartbeats", heartbeat(now, held.beats), now))
        return out

    def _listeners(self, channel: str, frames: SymbolFrames) -> tuple[int, ...]:
        return self._streams.listeners((channel, frames.venue)).get(None, ())

    def _tell(
        self, to: Iterable[int], channel: str, symbol: str, event: str, now: int
    ) -> list[Action]:
        # each connection counts for itself, so no two of them get the same bytes
        return [self._frame(c, channel, event, now, CHANNELS[channel], symbol) for c in to]

    def _frame(
        self, connection: int, channel: str, event: str, now: int, ours: str = "", symbol: str = ""
    ) -> Delivery:
        held = self._connections[connection]
        name = "l2_data" if channel == "level2" else channel
        payload = envelope(name, now, held.number, event)
        held.number += 1
        held.active = now
        return Delivery(payload, (connection,), channel=ours, symbol=symbol)

    # --- listings ----------------------------------------------------------------------------

    def listed(self, symbol: str) -> list[Action]:
        """Take a symbol; who wants it has to ask for it."""
        self._add(symbol)
        return []

    def delisted(self, symbol: str) -> list[Action]:
        """Drop a symbol; its streams fall silent, and no frame tells of it."""
        frames = self._frames.pop(symbol)
        del self._products[frames.venue]
        self._windows.pop(symbol, None)
        self._traded.pop(symbol, None)
        return []

    def _add(self, symbol: str) -> None:
        frames = SymbolFrames(self.market.symbol(symbol), self.to_venue(symbol))
        self._frames[symbol] = self._products[frames.venue] = frames


def _aliased(product: str) -> str:
    # whoever asks for dollars of the coin is served by the market in dollars
    base, dash, quote = product.partition("-")
    return f"{base}{dash}USD" if quote == "USDC" else product
