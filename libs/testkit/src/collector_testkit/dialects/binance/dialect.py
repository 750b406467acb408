"""Binance spot: streams by message or by path, and the REST for market data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import msgspec

from collector_core.intervals import open_time
from collector_core.symbols import split
from collector_testkit.dialects.binance.control import Call, Refused, acknowledge, read_call
from collector_testkit.dialects.binance.frames import DepthWindow, SymbolFrames
from collector_testkit.dialects.binance.listings import CATALOGUE, QUOTES, SYMBOLS
from collector_testkit.dialects.binance.rest import BinanceRest, refusal
from collector_testkit.dialects.binance.streams import EventStreams, Schedule
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.messages import Action, Close, Delivery, Reply, Request
from collector_testkit.dialects.sockets import Socket, SocketDialect
from collector_testkit.dialects.whole_candles import candle_at
from collector_testkit.market import BookChange, Market, MarketEvent, Trade
from collector_testkit.truth import TruthTrade

__all__ = ["BinanceDialect"]

_TENTH: Final = 100_000
_SECOND: Final = 1_000_000
_MAX_AGE: Final = 24 * 3600.0
_MAX_STREAMS: Final = 1024
_MESSAGES: Final = 5
_WEIGHT: Final = 6000

Variant: TypeAlias = tuple[bool, int]
"""Whether frames are wrapped with their stream's name, and the time unit in microseconds."""


class _Symbol:
    __slots__ = ("aggregate", "amount", "frames", "streams", "symbol", "touch")

    def __init__(self, symbol: str, frames: SymbolFrames) -> None:
        self.symbol = symbol
        self.frames = frames
        self.streams = EventStreams.of(frames.venue)
        # first and last trade of a group that is not sent yet, and its amount
        self.aggregate: tuple[Trade, Trade] | None = None
        self.amount = 0
        # best bid and ask as last sent
        self.touch = (0, 0, 0, 0)


class _Connection(Socket):
    def __init__(self, variant: Variant, now: int) -> None:
        super().__init__(now)
        self.variant = variant


class BinanceDialect(SocketDialect[_Connection, str, Variant]):
    """The exchange's side of a Binance connection."""

    name = "binance"
    websocket_path = "/ws"
    catalogue = CATALOGUE
    quotes = QUOTES
    symbols = SYMBOLS
    ping_interval = 20.0
    ping_timeout = 60.0
    max_attempts = (300, 300.0)
    step = _TENTH

    def __init__(self, market: Market, limits: Limits | None = None) -> None:
        super().__init__(market, limits)
        self._symbols = {
            symbol: _Symbol(symbol, SymbolFrames(traded, self.to_venue(symbol)))
            for symbol, traded in market.symbols.items()
        }
        self._frames = {s.frames.venue: s.frames for s in self._symbols.values()}
        self._rest = BinanceRest(self._frames, self.limits.weight or _WEIGHT)
        self._schedule = Schedule.of((), self._frames)
        # changes since the last frame, by symbol, of diff streams with listeners
        self._fast: dict[str, DepthWindow] = {}
        self._slow: dict[str, DepthWindow] = {}
        # open time of the candle that a kline stream was pushed last
        self._klines: dict[str, int] = {}
        # update id of the book that a partial depth stream was pushed last
        self._books: dict[str, int] = {}

    @classmethod
    def to_venue(cls, symbol: str) -> str:
        """Return ``BTCUSDT`` for ``BTC/USDT``."""
        return "".join(split(symbol))

    def fact(self, trade: Trade) -> TruthTrade:
        """Return a trade as the trade stream tells it."""
        return self._symbols[trade.symbol].frames.fact(self.name, trade, str(trade.id))

    # --- connections -------------------------------------------------------------------------

    def handshake(self, request: Request, _now: int) -> Reply | None:
        """Refuse paths that carry no streams."""
        if request.path in {"/ws", "/stream"} or request.path.startswith("/ws/"):
            return None
        return Reply(404, b"")

    def socket(self, _connection: int, request: Request, now: int) -> _Connection:
        """Return a connection with the form of its frames, which its path says."""
        micro = request.query.get("timeUnit", "").lower() == "microsecond"
        return _Connection((request.path == "/stream", 1 if micro else 1000), now)

    def opened(self, connection: int, request: Request, now: int) -> list[Action]:
        """Subscribe to the streams that the path names."""
        held = self._connections[connection] = self.socket(connection, request, now)
        names = request.query.get("streams", "") if held.variant[0] else request.path[4:]
        self._subscribe(connection, [name for name in names.split("/") if name])
        self._follow_clock(now)
        age = self.limits.max_age or _MAX_AGE
        self.at(now + int(age * _SECOND), lambda time: self._cut_by_age(connection, time))
        return []

    def received(self, connection: int, message: str | bytes, now: int) -> list[Action]:
        """Do what a control frame asks and answer it."""
        if self._connections[connection].count(now) > (self.limits.messages or _MESSAGES):
            return [Close(connection, 1008, "Too many requests")]
        try:
            call = read_call(message)
        except Refused as refused:
            return [Delivery(refused.frame, (connection,))]
        if call.method == "SUBSCRIBE":
            names = {*self._streams.held(connection), *call.params}
            if len(names) > _MAX_STREAMS:
                return [Close(connection, 1008, f"More than {_MAX_STREAMS} streams")]
        return [Delivery(acknowledge(call.id, self._do(connection, call)), (connection,))]

    def closed(self, connection: int) -> None:
        """Forget a connection."""
        super().closed(connection)
        self._reschedule()

    def notice(self, now: int) -> list[Delivery]:
        """Return the shutdown notice, wrapped where the connection's frames are."""
        notices = []
        for connection, held in self._connections.items():
            wrapped, unit = held.variant
            payload = f'{{"e":"serverShutdown","E":{now // unit}}}'
            if wrapped:
                payload = f'{{"stream":"!serverShutdown","data":{payload}}}'
            notices.append(Delivery(payload.encode(), (connection,)))
        return notices

    def _cut_by_age(self, connection: int, now: int) -> list[Action]:
        if connection not in self._connections:
            return []
        mine = [notice for notice in self.notice(now) if notice.connections == (connection,)]
        return [*mine, Close(connection, 1001, "max age")]

    def _do(self, connection: int, call: Call) -> list[str] | bool | None:
        held = self._connections[connection]
        match call.method:
            case "SUBSCRIBE":
                self._subscribe(connection, call.params)
            case "UNSUBSCRIBE":
                for name in call.params:
                    self._streams.remove(connection, name, held.variant)
                self._reschedule()
            case "LIST_SUBSCRIPTIONS":
                return self._streams.held(connection)
            case "GET_PROPERTY":
                return held.variant[0]
            case _:
                names = self._streams.held(connection)
                self._streams.drop(connection)
                held.variant = (call.params[1], held.variant[1])
                self._subscribe(connection, names)
        return None

    def _subscribe(self, connection: int, names: list[str]) -> None:
        # a name of no stream is taken in silence, and nothing ever comes of it
        for name in names:
            self._streams.add(connection, name, self._connections[connection].variant)
        self._reschedule()

    def _reschedule(self) -> None:
        self._schedule = Schedule.of(self._streams.keys(), self._frames)
        # what changes while nobody listens is not gathered, so neither is what came before it
        for symbol in [*self._fast]:
            if self._symbols[symbol].streams.fast_depth not in self._streams:
                del self._fast[symbol]
        for symbol in [*self._slow]:
            if self._symbols[symbol].streams.slow_depth not in self._streams:
                del self._slow[symbol]

    # --- what happens to the exchange ----------------------------------------------------------

    def listed(self, symbol: str) -> list[Action]:
        """Take a symbol; ``exchangeInfo`` shows it, and streams asked for before begin."""
        held = _Symbol(symbol, SymbolFrames(self.market.symbols[symbol], self.to_venue(symbol)))
        self._symbols[symbol] = held
        self._frames[held.frames.venue] = held.frames
        self._reschedule()
        return []

    def delisted(self, symbol: str) -> list[Action]:
        """Drop a symbol; its streams stay subscribed and are silent, as the exchange has it."""
        held = self._symbols.pop(symbol)
        del self._frames[held.frames.venue]
        for windows in (self._fast, self._slow):
            windows.pop(symbol, None)
        self._reschedule()
        return []

    def restart_sequences(self, now: int) -> list[Action]:
        """Send what is still of the old update ids, then count from 1 again."""
        out: list[Action] = []
        self._diffs(out, self._fast, now, fast=True)
        self._diffs(out, self._slow, now, fast=False)
        self._books.clear()
        for held in self._symbols.values():
            held.frames.market.update = 0
        return out

    def reject(self, connection: int, message: str | bytes, _now: int) -> list[Action] | None:
        """Answer a SUBSCRIBE with an error."""
        try:
            call = read_call(message)
        except Refused:
            return None
        if call.method != "SUBSCRIBE":
            return None
        refused = Refused(2, "Invalid request: stream could not be subscribed", call.id)
        return [Delivery(refused.frame, (connection,))]

    def trade_ids(self, frame: Delivery) -> tuple[str, ...] | None:
        """Return the first to the last id of an aggregate, which are its trades."""
        content = msgspec.json.decode(frame.payload)
        trade = content.get("data", content)
        if trade["e"] != "aggTrade":
            return None
        return tuple(str(number) for number in range(trade["f"], trade["l"] + 1))

    # --- frames ------------------------------------------------------------------------------

    def publish(self, events: Sequence[MarketEvent]) -> list[Action]:
        """Return the frames of the streams that follow events."""
        out: list[Action] = []
        if not self._connections:
            return out
        for event in events:
            symbol = self._symbols[event.symbol]
            if isinstance(event, Trade):
                name = symbol.streams.trade
                self._send(out, name, "trade", symbol.symbol, symbol.frames.trade, event)
                if symbol.streams.aggregate in self._streams:
                    self._aggregate(out, symbol, event)
            else:
                self._change(out, symbol, event)
        return out

    def on_tick(self, now: int) -> list[Action]:
        """Return the frames of the streams that follow the clock."""
        out: list[Action] = []
        self._go_on(now)
        self._diffs(out, self._fast, now, fast=True)
        whole = not now % _SECOND
        if whole:
            self._diffs(out, self._slow, now, fast=False)
        for name, frames, count, fast in self._schedule.partial_books:
            update = frames.market.update
            if (fast or whole) and self._books.get(name) != update:
                self._books[name] = update
                self._send(out, name, "book", frames.symbol, frames.book, count)
        if whole:
            self._tickers(out, now)
            self._push_klines(out, now)
        return out

    def refusal(self, status: int, retry_after: float | None) -> Reply:
        """Return the exchange's answer to a client that is throttled, or when it fails."""
        return refusal(status, retry_after)

    def _send(
        self,
        out: list[Action],
        name: str,
        channel: str,
        symbol: str,
        render: Callable[..., str],
        *what: object,
    ) -> None:
        listeners = self._streams.listeners(name)
        if not listeners:
            return
        payloads: dict[int, str] = {}
        for (wrapped, unit), connections in listeners.items():
            payload = payloads.get(unit)
            if payload is None:
                payload = payloads[unit] = render(*what, unit)
            if wrapped:
                payload = f'{{"stream":"{name}","data":{payload}}}'
            out.append(Delivery(payload.encode(), connections, channel=channel, symbol=symbol))

    def _change(self, out: list[Action], symbol: _Symbol, change: BookChange) -> None:
        if symbol.aggregate is not None:
            self._flush_aggregate(out, symbol)
        names, streams = symbol.streams, self._streams
        for name, windows in ((names.fast_depth, self._fast), (names.slow_depth, self._slow)):
            if name in streams:
                window = windows.get(symbol.symbol)
                if window is None:
                    window = windows[symbol.symbol] = DepthWindow(change.first)
                window.add(change)
        if names.book_ticker in streams:
            self._book_ticker(out, symbol, change.last)

    def _aggregate(self, out: list[Action], symbol: _Symbol, trade: Trade) -> None:
        held = symbol.aggregate
        if held is not None and held[0].group != trade.group:
            self._flush_aggregate(out, symbol)
            held = None
        first = trade if held is None else held[0]
        symbol.amount = trade.amount + (0 if held is None else symbol.amount)
        symbol.aggregate = first, trade

    def _flush_aggregate(self, out: list[Action], symbol: _Symbol) -> None:
        if symbol.aggregate is None:
            return
        (first, last), amount = symbol.aggregate, symbol.amount
        symbol.aggregate = None
        name, render = symbol.streams.aggregate, symbol.frames.aggregate
        self._send(out, name, "trade", symbol.symbol, render, first, last.id, amount)

    def _book_ticker(self, out: list[Action], symbol: _Symbol, update: int) -> None:
        touch = symbol.frames.touch()
        if touch != symbol.touch:
            symbol.touch = touch
            name, render = symbol.streams.book_ticker, symbol.frames.book_ticker
            self._send(out, name, "ticker", symbol.symbol, render, touch, update)

    def _diffs(
        self, out: list[Action], windows: dict[str, DepthWindow], now: int, *, fast: bool
    ) -> None:
        for key, window in windows.items():
            symbol = self._symbols[key]
            name = symbol.streams.fast_depth if fast else symbol.streams.slow_depth
            self._send(out, name, "book", key, symbol.frames.diff, window, now)
        windows.clear()

    def _tickers(self, out: list[Action], now: int) -> None:
        for name, frames in self._schedule.tickers:
            day = frames.market.tape.day(now)
            if day is not None:
                self._send(out, name, "ticker", frames.symbol, frames.ticker, day, now)
        for name, frames in self._schedule.mini_tickers:
            day = frames.market.tape.day(now)
            if day is not None:
                self._send(out, name, "ticker", frames.symbol, frames.mini_ticker, day, now)

    def _push_klines(self, out: list[Action], now: int) -> None:
        even = not now // _SECOND % 2
        known, self._klines = self._klines, {}
        for name, frames, interval in self._schedule.klines:
            current = self._klines[name] = open_time(interval, now)
            # a stream that is new ends the candle that was open when it began
            before = known.get(name, open_time(interval, now - _SECOND))
            due = [before] if before < current else []
            if even and interval != "1s":
                due.append(current)
            for opened in due:
                candle = candle_at(frames.market, interval, opened)
                self._send(out, name, "candle", frames.symbol, frames.kline, interval, candle, now)
