"""OKX spot: two public sockets, answers by subscription, linked books, and REST."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from collector_core.intervals import open_time
from collector_core.symbols import split
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.messages import Action, Close, Delivery, Reply, Request
from collector_testkit.dialects.okx.control import (
    BARS,
    Arg,
    Call,
    Refused,
    answer,
    missing,
    notice,
    read_call,
)
from collector_testkit.dialects.okx.frames import SymbolFrames
from collector_testkit.dialects.okx.listings import CATALOGUE, QUOTES, SYMBOLS
from collector_testkit.dialects.okx.rest import OkxRest, refusal
from collector_testkit.dialects.sockets import Socket, SocketDialect
from collector_testkit.dialects.whole_candles import candle_at
from collector_testkit.market import Market, MarketEvent, Trade
from collector_testkit.truth import TruthTrade

__all__ = ["OkxDialect"]

_TENTH: Final = 100_000
_SECOND: Final = 1_000_000
_HOUR: Final = 3600
"""Seconds."""
_OPERATIONS: Final = 480
"""Subscriptions and unsubscriptions that a connection may ask for in an hour, by message."""
_IDLE: Final = 30.0
_QUIET: Final = 60 * _SECOND
"""Time without a change after which a book shows a sign of life."""
_NOTICE: Final = 60.0
"""Seconds between the announcement of a close and the close."""
_CANDLES: Final = {f"candle{bar}": interval for bar, interval in BARS.items()}
_CHANNELS: Final = {
    "/ws/v5/public": frozenset({"tickers", "books"}),
    "/ws/v5/business": frozenset({"trades-all", *_CANDLES}),
}
"""Channels by the path that they are at."""
_OURS: Final = {"tickers": "ticker", "books": "book", "trades-all": "trade"}


class _Connection(Socket):
    def __init__(self, number: int, path: str, now: int) -> None:
        super().__init__(now)
        self.id = f"{number:08x}"
        self.path = path


class _Stream(NamedTuple):
    channel: str
    symbol: str


class OkxDialect(SocketDialect[_Connection, _Stream, None]):
    """The exchange's side of an OKX connection."""

    name = "okx"
    websocket_path = "/ws/v5"
    catalogue = CATALOGUE
    quotes = QUOTES
    symbols = SYMBOLS
    book_levels = 400
    max_attempts = (3, 1.0)
    step = _TENTH
    idle = _IDLE
    farewell = "service upgrade"

    def __init__(self, market: Market, limits: Limits | None = None) -> None:
        super().__init__(market, limits)
        self._frames = {
            symbol: SymbolFrames(traded, self.to_venue(symbol))
            for symbol, traded in market.symbols.items()
        }
        self._instruments = {frames.venue: frames for frames in self._frames.values()}
        self._rest = OkxRest(self._instruments, self.limits.weight)
        # symbols whose book changed since the last tenth of a second
        self._changed: dict[str, None] = {}
        # symbols that traded since the last second
        self._traded: dict[str, None] = {}
        # touch and last trade as a ticker told them last
        self._touches: dict[str, tuple[int, ...]] = {}
        # open time of the candle that a stream was pushed last
        self._candles: dict[_Stream, int] = {}

    @classmethod
    def to_venue(cls, symbol: str) -> str:
        """Return ``BTC-USDT`` for ``BTC/USDT``."""
        return "-".join(split(symbol))

    def fact(self, trade: Trade) -> TruthTrade:
        """Return a trade as ``trades-all`` tells it."""
        return self._frames[trade.symbol].fact(self.name, trade, str(trade.id))

    # --- connections -------------------------------------------------------------------------

    def handshake(self, request: Request, _now: int) -> Reply | None:
        """Refuse paths that carry no public channels."""
        return None if request.path in _CHANNELS else Reply(404, b"")

    def socket(self, connection: int, request: Request, now: int) -> _Connection:
        """Return a connection to one of the paths."""
        return _Connection(connection, request.path, now)

    def opened(self, connection: int, request: Request, now: int) -> list[Action]:
        """Take a connection; a minute before it is cut by its age that is announced."""
        if self.limits.max_age is not None:
            warned = now + int(max(0.0, self.limits.max_age - _NOTICE) * _SECOND)
            self.at(warned, lambda time: self._mine(self.notice(time), connection))
        return super().opened(connection, request, now)

    def received(self, connection: int, message: str | bytes, now: int) -> list[Action]:
        """Answer ``ping``, and each stream that is asked for or given back by itself."""
        held = self._connections[connection]
        if message in {"ping", b"ping"}:
            held.active = now
            return [Delivery(b"pong", (connection,))]
        try:
            call = read_call(message)
            self._admit(held, call.id, now)
        except Refused as refused:
            fields = {**refused.fields, "connId": held.id}
            return [Delivery(msgspec.json.encode(fields), (connection,))]
        out: list[Action] = []
        for arg in call.args:
            if arg.instrument in self._instruments and arg.channel in _CHANNELS[held.path]:
                out.append(Delivery(answer(call.op, arg, call.id, held.id), (connection,)))
                self._do(out, connection, call, arg, now)
            else:
                out.append(Delivery(missing(arg, held.id), (connection,)))
        held.active = now
        return out

    def refusal(self, status: int, retry_after: float | None) -> Reply:
        """Return the exchange's answer to a client that is throttled, or when it fails."""
        return refusal(status, retry_after)

    def notice(self, _now: int) -> list[Delivery]:
        """Return the announcement of a service upgrade."""
        return [
            Delivery(notice(held.id), (connection,))
            for connection, held in self._connections.items()
        ]

    def _admit(self, held: _Connection, request_id: str | None, now: int) -> None:
        operations = held.count(now, _HOUR)
        most = self.limits.messages
        if operations > _OPERATIONS or (most is not None and held.recent(now) > most):
            raise Refused("60014", "Requests too frequent", request_id)

    def _mine(self, notices: list[Delivery], connection: int) -> list[Action]:
        return [told for told in notices if told.connections == (connection,)]

    def _cut_idle(self, connection: int) -> Close:
        return Close(connection, 4004, f"No data received in {self.limits.idle or _IDLE:g}s.")

    # --- subscriptions -----------------------------------------------------------------------

    def _do(self, out: list[Action], connection: int, call: Call, arg: Arg, now: int) -> None:
        frames = self._instruments[arg.instrument]
        stream = _Stream(arg.channel, frames.symbol)
        if call.op == "unsubscribe":
            self._streams.remove(connection, stream, None)
            return
        if connection in self._streams.listeners(stream).get(None, ()):
            # taken again, but nothing is sent anew
            return
        opened = self._open(stream, frames, now)
        self._streams.add(connection, stream, None)
        if opened is not None:
            self._send(out, stream, opened, (connection,), now)

    def _open(self, stream: _Stream, frames: SymbolFrames, now: int) -> bytes | None:
        """Return the frame that a new listener gets at once."""
        if stream.channel == "books":
            if not frames.book.live or stream not in self._streams:
                frames.book.start(now)
            return frames.push("books", frames.snapshot(now), "snapshot")
        if stream.channel == "tickers":
            return frames.push("tickers", frames.ticker(now))
        if stream.channel in _CANDLES:
            opened = open_time(_CANDLES[stream.channel], now)
            self._candles[stream] = opened
            candle = candle_at(frames.market, _CANDLES[stream.channel], opened)
            return frames.push(stream.channel, frames.candle(candle, now))
        return None

    # --- listings and numbers ------------------------------------------------------------------

    def listed(self, symbol: str) -> list[Action]:
        """Take a symbol; clients find it in the list of instruments."""
        frames = SymbolFrames(self.market.symbols[symbol], self.to_venue(symbol))
        self._frames[symbol] = self._instruments[frames.venue] = frames
        out: list[Action] = []
        stream = _Stream("books", symbol)
        if stream in self._streams:
            # of a symbol that was here before, and that somebody still listens to
            now = self.market.now
            opened = self._open(stream, frames, now)
            if opened is not None:
                self._send(out, stream, opened, self._streams.listeners(stream)[None], now)
        return out

    def delisted(self, symbol: str) -> list[Action]:
        """Drop a symbol; its streams stay subscribed and are silent."""
        del self._instruments[self._frames.pop(symbol).venue]
        for held in (self._changed, self._traded, self._touches):
            held.pop(symbol, None)
        return []

    def restart_sequences(self, now: int) -> list[Action]:
        """Let the numbers of the books begin anew; the next update still names the old one."""
        out: list[Action] = []
        for frames in self._frames.values():
            frames.book.restart()
            stream = _Stream("books", frames.symbol)
            if stream in self._streams:
                self._push_book(out, stream, frames, now)
        return out

    def reject(self, connection: int, message: str | bytes, _now: int) -> list[Action] | None:
        """Refuse each stream of a subscription, as if there were none."""
        held = self._connections[connection]
        try:
            call = read_call(message)
        except Refused:
            return None
        if call.op != "subscribe":
            return None
        return [Delivery(missing(arg, held.id), (connection,)) for arg in call.args]

    def acknowledges(self, _message: str | bytes, frame: Delivery) -> bool:
        """Tell an answer to a subscription from other frames without a channel."""
        return b'"event":"subscribe"' in frame.payload

    # --- frames ------------------------------------------------------------------------------

    def publish(self, events: Sequence[MarketEvent]) -> list[Action]:
        """Return the trades; note what changed for what follows the clock."""
        out: list[Action] = []
        if not self._connections:
            return out
        for event in events:
            symbol = event.symbol
            frames = self._frames[symbol]
            if isinstance(event, Trade):
                self._traded[symbol] = None
                stream = _Stream("trades-all", symbol)
                listeners = self._streams.listeners(stream).get(None)
                if listeners:
                    payload = frames.push("trades-all", frames.trade(event))
                    self._send(out, stream, payload, listeners, event.time)
            else:
                self._changed[symbol] = None
                if frames.book.live:
                    frames.book.touched["buy"].update(event.bids)
                    frames.book.touched["sell"].update(event.asks)
        return out

    def on_tick(self, now: int) -> list[Action]:
        """Return books and tickers that changed, and each second the candles."""
        out: list[Action] = []
        self._go_on(now)
        for symbol in self._changed:
            frames = self._frames[symbol]
            book = _Stream("books", symbol)
            if book in self._streams:
                self._push_book(out, book, frames, now)
            else:
                frames.book.live = False
            self._push_ticker(out, _Stream("tickers", symbol), frames, now)
        self._changed.clear()
        if not now % _SECOND:
            self._each_second(out, now)
        return out

    def _each_second(self, out: list[Action], now: int) -> None:
        known, self._candles = self._candles, {}
        for stream in self._streams.keys():  # noqa: SIM118 - a list of its own, not a mapping's
            frames = self._frames.get(stream.symbol)
            if frames is None:
                continue
            if stream.channel == "books" and now - frames.book.pushed >= _QUIET:
                self._push_book(out, stream, frames, now)
            elif stream.channel in _CANDLES:
                self._push_candle(out, stream, frames, known, now)
        self._traded.clear()

    def _push_book(
        self, out: list[Action], stream: _Stream, frames: SymbolFrames, now: int
    ) -> None:
        payload = frames.push("books", frames.update(now), "update")
        self._send(out, stream, payload, self._streams.listeners(stream)[None], now)

    def _push_ticker(
        self, out: list[Action], stream: _Stream, frames: SymbolFrames, now: int
    ) -> None:
        if stream in self._streams:
            touch = frames.told()
            if self._touches.get(stream.symbol) != touch:
                self._touches[stream.symbol] = touch
                payload = frames.push("tickers", frames.ticker(now))
                self._send(out, stream, payload, self._streams.listeners(stream)[None], now)

    def _push_candle(
        self,
        out: list[Action],
        stream: _Stream,
        frames: SymbolFrames,
        known: dict[_Stream, int],
        now: int,
    ) -> None:
        interval = _CANDLES[stream.channel]
        current = self._candles[stream] = open_time(interval, now)
        before = known.get(stream, current)
        due = [before] if before < current else []
        if due or stream.symbol in self._traded:
            due.append(current)
        for opened in due:
            candle = candle_at(frames.market, interval, opened)
            payload = frames.push(stream.channel, frames.candle(candle, now))
            self._send(out, stream, payload, self._streams.listeners(stream)[None], now)

    def _send(
        self, out: list[Action], stream: _Stream, payload: bytes, to: tuple[int, ...], now: int
    ) -> None:
        for connection in to:
            self._connections[connection].active = now
        channel = _OURS.get(stream.channel, "candle")
        out.append(Delivery(payload, to, channel=channel, symbol=stream.symbol))
