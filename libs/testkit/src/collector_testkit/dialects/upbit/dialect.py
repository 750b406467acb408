"""Upbit: binary frames, one request that replaces the subscription, whole books."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec

from collector_core.symbols import split
from collector_testkit.dialects.budget import Budget
from collector_testkit.dialects.dialect import Dialect, Limits
from collector_testkit.dialects.digits import fixed
from collector_testkit.dialects.messages import ABORT, Action, Close, Delivery, Reply, Request
from collector_testkit.dialects.streams import Streams
from collector_testkit.dialects.upbit.control import CANDLES, Call, Refused, Wanted, read_call
from collector_testkit.dialects.upbit.frames import SymbolFrames
from collector_testkit.dialects.upbit.listings import CATALOGUE, QUOTES, SYMBOLS
from collector_testkit.dialects.upbit.rest import UpbitRest, refusal
from collector_testkit.market import Market, MarketEvent, Trade
from collector_testkit.truth import TruthTrade

__all__ = ["UpbitDialect"]

_TENTH: Final = 100_000
_SECOND: Final = 1_000_000
_IDLE: Final = 120.0
_UP: Final = b'{"status":"UP"}'
_UP_EVERY: Final = 10 * _SECOND
_CLOSE_AFTER: Final = 150_000
"""Microseconds between an error frame and the close that follows it."""
_REQUESTS: Final = 10
_CONNECTS: Final = 5
_MESSAGES: Final = 5
_MESSAGES_A_MINUTE: Final = 100
_CHANNELS: Final = {"trade": "trade", "ticker": "ticker", "orderbook": "book"}

Key: TypeAlias = tuple[str, str]
"""Type and code."""
Variant: TypeAlias = tuple[str, int]
"""Format, and levels of an order book."""


class _Connection:
    __slots__ = ("active", "format", "messages", "pinged", "wanted")

    def __init__(self, now: int) -> None:
        self.format = "DEFAULT"
        self.wanted: list[Wanted] = []
        # time of the last byte either way
        self.active = now
        self.pinged = False
        # times of the messages of the last minute
        self.messages: deque[int] = deque()


class UpbitDialect(Dialect):
    """The exchange's side of an Upbit connection."""

    name = "upbit"
    websocket_path = "/websocket/v1"
    catalogue = CATALOGUE
    quotes = QUOTES
    symbols = SYMBOLS

    def __init__(self, market: Market, limits: Limits | None = None) -> None:
        super().__init__(market, limits)
        self._frames = {
            symbol: SymbolFrames(traded, self.to_venue(symbol))
            for symbol, traded in market.symbols.items()
        }
        self._codes = {frames.code: frames for frames in self._frames.values()}
        self._rest = UpbitRest(self._codes, self.limits.weight or _REQUESTS)
        self._connects = Budget(_CONNECTS, 1.0)
        self._streams: Streams[Key, Variant] = Streams()
        self._connections: dict[int, _Connection] = {}
        # symbols whose book changed since the last tenth of a second
        self._changed: dict[str, None] = {}
        # symbols that traded since the last second
        self._traded: dict[str, None] = {}
        # levels that were sent last, by code and depth
        self._shown: dict[tuple[str, int], list[tuple[int, int, int, int]]] = {}
        self._tick: int | None = None

    @classmethod
    def to_venue(cls, symbol: str) -> str:
        """Return ``KRW-BTC`` for ``BTC/KRW``."""
        base, quote = split(symbol)
        return f"{quote}-{base}"

    def fact(self, trade: Trade) -> TruthTrade:
        """Return a trade as the trade stream tells it in the format DEFAULT."""
        frames = self._frames[trade.symbol]
        return TruthTrade(
            self.name,
            trade.symbol,
            str(frames.sequential_id(trade)),
            fixed(frames.price(trade.price), 8),
            fixed(frames.size(trade.amount), 8),
            trade.side,
            trade.time // 1000 * 1000,
        )

    # --- connections -------------------------------------------------------------------------

    def handshake(self, request: Request, now: int) -> Reply | None:
        """Refuse other paths, and more than five connections a second."""
        if request.path != self.websocket_path:
            return Reply(404, b"")
        verdict = self._connects.take(request.client, 1, now)
        return None if verdict.status == 200 else refusal(verdict.status, verdict.retry_after)

    def opened(self, connection: int, _request: Request, now: int) -> list[Action]:
        """Take a connection; nothing is sent before it asks."""
        self._connections[connection] = _Connection(now)
        if self._tick is None:
            self._tick = now - now % _TENTH + _TENTH
        self._watch_idle(connection, now)
        if self.limits.max_age is not None:
            end = now + int(self.limits.max_age * _SECOND)
            self.at(end, lambda _: self._close(connection, 1001))
        return []

    def received(self, connection: int, message: str | bytes, now: int) -> list[Action]:
        """Answer ``PING``, replace the subscription, or refuse and close."""
        held = self._connections[connection]
        held.active = now
        if not self._admit(held, now):
            return self._refuse(connection, Refused("Too Many Requests", "429"), now)
        if message in {"PING", b"PING"}:
            return self._ping(connection, held, now)
        try:
            call = read_call(message)
        except Refused as refused:
            return self._refuse(connection, refused, now)
        if call.list_only:
            return [Delivery(_listed(call, held), (connection,), binary=True)]
        return self._subscribe(connection, call, now)

    def heard(self, connection: int, now: int) -> None:
        """Note that the connection is not idle."""
        self._connections[connection].active = now

    def closed(self, connection: int) -> None:
        """Forget a connection."""
        self._streams.drop(connection)
        del self._connections[connection]
        if not self._connections:
            self._tick = None

    def _admit(self, held: _Connection, now: int) -> bool:
        messages = held.messages
        messages.append(now)
        while messages[0] <= now - 60 * _SECOND:
            messages.popleft()
        recent = sum(time > now - _SECOND for time in messages)
        limit = self.limits.messages or _MESSAGES
        return recent <= limit and len(messages) <= _MESSAGES_A_MINUTE

    def _ping(self, connection: int, held: _Connection, now: int) -> list[Action]:
        if not held.pinged:
            held.pinged = True
            self.at(now + _UP_EVERY, lambda time: self._up(connection, time))
        return [Delivery(_UP, (connection,), binary=True)]

    def _up(self, connection: int, now: int) -> list[Action]:
        if connection not in self._connections:
            return []
        self._connections[connection].active = now
        self.at(now + _UP_EVERY, lambda time: self._up(connection, time))
        return [Delivery(_UP, (connection,), binary=True)]

    def _refuse(self, connection: int, refused: Refused, now: int) -> list[Action]:
        self._streams.drop(connection)
        self.at(now + _CLOSE_AFTER, lambda _: self._close(connection, 1000))
        return [Delivery(refused.frame, (connection,), binary=True)]

    def _close(self, connection: int, code: int) -> list[Action]:
        return [Close(connection, code)] if connection in self._connections else []

    def _watch_idle(self, connection: int, now: int) -> list[Action]:
        held = self._connections.get(connection)
        if held is None:
            return []
        end = held.active + int((self.limits.idle or _IDLE) * _SECOND)
        if end <= now:
            return [Close(connection, ABORT)]
        self.at(end, lambda time: self._watch_idle(connection, time))
        return []

    # --- frames ------------------------------------------------------------------------------

    def publish(self, events: Sequence[MarketEvent]) -> list[Action]:
        """Return trades and tickers; note what changed for books and candles."""
        out: list[Action] = []
        if not self._connections:
            return out
        for event in events:
            if isinstance(event, Trade):
                frames = self._frames[event.symbol]
                self._traded[event.symbol] = None
                for kind in ("trade", "ticker"):
                    for variant, connections in self._streams.listeners(
                        (kind, frames.code)
                    ).items():
                        payload = self._render(kind, frames, variant, event, "REALTIME")
                        out.append(self._frame(kind, frames, payload, connections, event.time))
            else:
                self._changed[event.symbol] = None
        return out

    def next_tick(self) -> int | None:
        """Return the next tenth of a second while somebody is connected."""
        return self._tick

    def on_tick(self, now: int) -> list[Action]:
        """Return the books that changed, and each second the candles that a trade changed."""
        out: list[Action] = []
        self._tick = now - now % _TENTH + _TENTH
        for symbol in self._changed:
            frames = self._frames[symbol]
            shown: dict[int, bool] = {}
            for variant, connections in self._streams.listeners(("orderbook", frames.code)).items():
                depth = variant[1]
                if depth not in shown:
                    units = frames.units(depth)
                    shown[depth] = self._shown.get((frames.code, depth)) != units
                    self._shown[frames.code, depth] = units
                if shown[depth]:
                    payload = self._render("orderbook", frames, variant, None, "REALTIME")
                    out.append(self._frame("orderbook", frames, payload, connections, now))
        self._changed.clear()
        if not now % _SECOND:
            self._candles(out, now)
        return out

    def request(self, request: Request, now: int) -> Reply:
        """Answer a REST request."""
        return self._rest.answer(request, now)

    def refusal(self, status: int, retry_after: float | None) -> Reply:
        """Return the exchange's answer to a client that is throttled, or when it fails."""
        return refusal(status, retry_after)

    def _candles(self, out: list[Action], now: int) -> None:
        for symbol in self._traded:
            frames = self._frames[symbol]
            for kind in CANDLES:
                for variant, connections in self._streams.listeners((kind, frames.code)).items():
                    payload = self._render(kind, frames, variant, None, "REALTIME")
                    out.append(self._frame(kind, frames, payload, connections, now))
        self._traded.clear()

    def _subscribe(self, connection: int, call: Call, now: int) -> list[Action]:
        held = self._connections[connection]
        self._streams.drop(connection)
        held.format, held.wanted = call.format, call.wanted
        out: list[Action] = []
        for wanted in call.wanted:
            # an unknown, delisted or lower-case code is ignored without an error
            frames = self._codes.get(wanted.code)
            if frames is None:
                continue
            variant = (call.format, wanted.depth)
            if wanted.realtime:
                self._streams.add(connection, (wanted.type, wanted.code), variant)
            last = frames.market.tape.last
            if wanted.snapshot and (last is not None or wanted.type == "orderbook"):
                payload = self._render(wanted.type, frames, variant, last, "SNAPSHOT")
                out.append(self._frame(wanted.type, frames, payload, (connection,), now))
        return out

    def _render(
        self, kind: str, frames: SymbolFrames, variant: Variant, trade: Trade | None, stream: str
    ) -> str:
        short = variant[0].startswith("SIMPLE")
        if kind == "orderbook":
            payload = frames.book(frames.units(variant[1]), stream, short=short)
        elif trade is not None and kind == "trade":
            payload = frames.trade(trade, stream, short=short)
        elif trade is not None and kind == "ticker":
            payload = frames.ticker(trade, stream, short=short)
        else:
            candle = frames.market.tape.candles.latest(CANDLES[kind])
            if candle is None:
                raise ValueError(f"expected a trade of {frames.symbol} before {kind}, was none")
            payload = frames.candle(kind, candle, stream, short=short)
        return f"[{payload}]" if variant[0].endswith("LIST") else payload

    def _frame(
        self, kind: str, frames: SymbolFrames, payload: str, to: tuple[int, ...], now: int
    ) -> Delivery:
        for connection in to:
            self._connections[connection].active = now
        channel = _CHANNELS.get(kind, "candle")
        return Delivery(payload.encode(), to, binary=True, channel=channel, symbol=frames.symbol)


def _listed(call: Call, held: _Connection) -> bytes:
    codes: dict[str, list[str]] = {}
    for wanted in held.wanted:
        codes.setdefault(wanted.type, []).append(wanted.code)
    short = held.format.startswith("SIMPLE")
    names = ("ty", "cds", "lv") if short else ("type", "codes", "level")
    result: list[dict[str, object]] = []
    for kind, listed in codes.items():
        row: dict[str, object] = {names[0]: kind, names[1]: listed}
        if kind == "orderbook":
            row[names[2]] = 0
        result.append(row)
    method, rows, ticket = ("mthd", "rslt", "tckt") if short else ("method", "result", "ticket")
    return msgspec.json.encode({method: "LIST_SUBSCRIPTIONS", rows: result, ticket: call.ticket})
