"""Kraken, WebSocket v2: answers by symbol, cut books with checksums, heartbeats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.kraken.control import (
    DEPTHS,
    INTERVALS,
    Call,
    acknowledgement,
    pong,
    read_call,
    refused,
)
from collector_testkit.dialects.kraken.frames import BookView, SymbolFrames
from collector_testkit.dialects.kraken.listings import CATALOGUE, QUOTES, SYMBOLS
from collector_testkit.dialects.kraken.rest import KrakenRest, refusal
from collector_testkit.dialects.messages import Action, Delivery, Reply, Request
from collector_testkit.dialects.sockets import Socket, SocketDialect
from collector_testkit.market import BookChange, Market, MarketEvent, Trade
from collector_testkit.truth import TruthTrade

__all__ = ["KrakenDialect"]

_SECOND: Final = 1_000_000
_IDLE: Final = 60.0
_MESSAGES: Final = 20
_REQUESTS: Final = 15
_CHANNELS: Final = {"trade": "trade", "ticker": "ticker", "book": "book", "ohlc": "candle"}
_CANDLES: Final = 720
_TRADES: Final = 50
_STATUS: Final = (
    '{"channel":"status","type":"update","data":[{"version":"2.0.10","system":"online",'
    '"api_version":"v2","connection_id":%d}]}'
)

Key: TypeAlias = tuple[str, str]
"""Channel and symbol in the exchange's spelling."""


class _Connection(Socket):
    def __init__(self, now: int) -> None:
        super().__init__(now)
        # something was sent since the last whole second
        self.sent = False
        # it holds the channel of the instruments
        self.instruments = False


class KrakenDialect(SocketDialect[_Connection, Key, int]):
    """The exchange's side of a Kraken connection."""

    name = "kraken"
    websocket_path = "/v2"
    catalogue = CATALOGUE
    quotes = QUOTES
    symbols = SYMBOLS
    max_attempts = (150, 600.0)
    step = _SECOND
    idle = _IDLE

    def __init__(self, market: Market, limits: Limits | None = None) -> None:
        super().__init__(market, limits)
        self._symbols: dict[str, SymbolFrames] = {}
        for symbol in market.symbols:
            self._add(symbol)
        self._rest = KrakenRest(self._symbols, self.limits.weight or _REQUESTS)
        # what subscribers hold of books, by symbol and depth
        self._views: dict[tuple[str, int], BookView] = {}

    @classmethod
    def to_venue(cls, symbol: str) -> str:
        """Return the symbol: the spelling is the same."""
        return symbol

    def fact(self, trade: Trade) -> TruthTrade:
        """Return a trade as the trade channel tells it."""
        frames = self._symbols[self.to_venue(trade.symbol)]
        return frames.fact(self.name, trade, str(trade.id), 1)

    def _add(self, symbol: str) -> SymbolFrames:
        venue = self.to_venue(symbol)
        frames = self._symbols[venue] = SymbolFrames(self.market.symbol(symbol), venue)
        return frames

    # --- connections -------------------------------------------------------------------------

    def socket(self, _connection: int, _request: Request, now: int) -> _Connection:
        """Return a connection that holds nothing yet."""
        return _Connection(now)

    def opened(self, connection: int, request: Request, now: int) -> list[Action]:
        """Take a connection and tell the state of the engine."""
        # beyond 2**63, as they are
        status = _STATUS % (2**63 + now * 4_096 + connection)
        first = super().opened(connection, request, now)
        return [*first, self._answer(status.encode(), connection, now)]

    def received(self, connection: int, message: str | bytes, now: int) -> list[Action]:
        """Do what a request asks and answer it, symbol by symbol."""
        held = self._connections[connection]
        held.active = now
        call = read_call(message)
        if held.count(now) > (self.limits.messages or _MESSAGES):
            payload = refused("Exceeded msg rate", call, None, now)
        elif call is None:
            payload = refused("Malformed request", None, None, now)
        elif call.method == "ping":
            payload = pong(call, now)
        elif call.method not in {"subscribe", "unsubscribe"}:
            payload = refused("Unsupported method", call, None, now)
        elif call.params.channel == "instrument":
            return self._instruments(connection, call, now)
        elif call.method == "subscribe":
            return self._subscribe(connection, call, now)
        else:
            return self._unsubscribe(connection, call, now)
        return [self._answer(payload, connection, now)]

    def heard(self, connection: int, now: int) -> None:
        """Note that the connection is not idle."""
        self._connections[connection].active = now

    def _answer(self, payload: bytes, connection: int, now: int) -> Delivery:
        self._note((connection,), now)
        return Delivery(payload, (connection,))

    def _note(self, connections: tuple[int, ...], now: int) -> None:
        for connection in connections:
            held = self._connections[connection]
            held.active = now
            held.sent = True

    # --- subscriptions -----------------------------------------------------------------------

    def _instruments(self, connection: int, call: Call, now: int) -> list[Action]:
        self._connections[connection].instruments = call.method == "subscribe"
        out: list[Action] = [self._answer(acknowledgement(call, None, now), connection, now)]
        if call.method == "subscribe" and call.params.wants_snapshot:
            pairs = (frames.pair() for frames in self._symbols.values())
            out.append(self._answer(_instrument("snapshot", pairs), connection, now))
        return out

    def _subscribe(self, connection: int, call: Call, now: int) -> list[Action]:
        params = call.params
        wrong = None
        if params.channel not in _CHANNELS:
            wrong = "Subscription name invalid"
        elif params.channel == "book" and params.depth not in DEPTHS:
            wrong = "Subscription depth not supported"
        elif params.channel == "ohlc" and params.interval not in INTERVALS:
            wrong = "Subscription ohlc interval not supported"
        if wrong is not None:
            return [self._answer(refused(wrong, call, None, now), connection, now)]
        out: list[Action] = []
        for venue in params.symbol:
            wrong = self._refuse(connection, call, venue)
            if wrong is not None:
                out.append(self._answer(refused(wrong, call, venue, now), connection, now))
                continue
            out.append(self._answer(acknowledgement(call, venue, now), connection, now))
            out += self._begin(connection, call, self._symbols[venue], now)
        return out

    def _refuse(self, connection: int, call: Call, venue: str) -> str | None:
        if venue not in self._symbols:
            return f"Currency pair not supported {venue}"
        held = self._streams.listeners((call.params.channel, venue))
        # of a book there is one depth a connection
        taken = held.values() if call.params.channel == "book" else [held.get(call.params.variant)]
        if any(connection in (connections or ()) for connections in taken):
            return "Already subscribed"
        return None

    def _begin(self, connection: int, call: Call, frames: SymbolFrames, now: int) -> list[Action]:
        channel, variant = call.params.channel, call.params.variant
        key = channel, frames.venue
        if channel == "book" and variant not in self._streams.listeners(key):
            self._views[frames.venue, variant] = BookView(frames.market, variant)
        self._streams.add(connection, key, variant)
        if not call.params.wants_snapshot:
            return []
        payload = self._snapshot(channel, variant, frames, now)
        if payload is None:
            return []
        return [self._frame(channel, frames, payload, (connection,), now)]

    def _snapshot(self, channel: str, variant: int, frames: SymbolFrames, now: int) -> str | None:
        tape = frames.market.tape
        match channel:
            case "book":
                shown = self._views[frames.venue, variant].shown
                bids, asks = [*shown["buy"].items()], [*shown["sell"].items()]
                return frames.book("snapshot", bids, asks, now)
            case "ticker":
                return frames.ticker("snapshot", now)
            case "trade":
                return frames.trades("snapshot", tape.newest(_TRADES))
        past = tape.candles.range(INTERVALS[variant])[-_CANDLES:]
        return frames.candles("snapshot", variant, past, now) if past else None

    def _unsubscribe(self, connection: int, call: Call, now: int) -> list[Action]:
        out: list[Action] = []
        for venue in call.params.symbol:
            key, variant = (call.params.channel, venue), call.params.variant
            if connection in self._streams.listeners(key).get(variant, ()):
                self._streams.remove(connection, key, variant)
                answer = acknowledgement(call, venue, now)
            else:
                answer = refused("Subscription Not Found", call, venue, now)
            out.append(self._answer(answer, connection, now))
        return out

    # --- frames ------------------------------------------------------------------------------

    def publish(self, events: Sequence[MarketEvent]) -> list[Action]:
        """Return what an action did: its trades in one frame, and what follows from them."""
        out: list[Action] = []
        if not self._connections:
            return out
        trades: dict[str, list[Trade]] = {}
        for event in events:
            if isinstance(event, Trade):
                trades.setdefault(self.to_venue(event.symbol), []).append(event)
        for venue, done in trades.items():
            frames, time = self._symbols[venue], done[-1].time
            self._push(out, "trade", frames, frames.trades("update", done), time)
            ticker = frames.ticker("update", time)
            if ticker is not None:
                self._push(out, "ticker", frames, ticker, time)
            for minutes, to in self._streams.listeners(("ohlc", venue)).items():
                candle = frames.market.tape.candles.latest(INTERVALS[minutes])
                if candle is not None:
                    payload = frames.candles("update", minutes, [candle], time)
                    out.append(self._frame("ohlc", frames, payload, to, time))
        for event in events:
            if isinstance(event, BookChange):
                self._change(out, event)
        return out

    def _push(
        self, out: list[Action], channel: str, frames: SymbolFrames, payload: str, time: int
    ) -> None:
        listeners = self._streams.listeners((channel, frames.venue))
        out.extend(self._frame(channel, frames, payload, to, time) for to in listeners.values())

    def _change(self, out: list[Action], change: BookChange) -> None:
        frames = self._symbols[self.to_venue(change.symbol)]
        for depth, to in self._streams.listeners(("book", frames.venue)).items():
            view = self._views[frames.venue, depth]
            bids = view.changes("buy") if change.bids else []
            asks = view.changes("sell") if change.asks else []
            if bids or asks:
                payload = frames.book("update", bids, asks, change.time)
                out.append(self._frame("book", frames, payload, to, change.time))

    def _frame(
        self, channel: str, frames: SymbolFrames, payload: str, to: tuple[int, ...], now: int
    ) -> Delivery:
        self._note(to, now)
        return Delivery(payload.encode(), to, channel=_CHANNELS[channel], symbol=frames.symbol)

    def on_tick(self, now: int) -> list[Action]:
        """Return the heartbeat for whoever holds a stream and was sent nothing for a second."""
        self._go_on(now)
        quiet = []
        for connection, held in self._connections.items():
            if not held.sent and (held.instruments or self._streams.held(connection)):
                quiet.append(connection)
                held.active = now
            held.sent = False
        return [Delivery(b'{"channel":"heartbeat"}', tuple(quiet))] if quiet else []

    # --- REST --------------------------------------------------------------------------------

    def refusal(self, status: int, retry_after: float | None) -> Reply:
        """Return the exchange's answer to a client that is throttled, or when it fails."""
        return refusal(status, retry_after)

    # --- listings and refusals ---------------------------------------------------------------

    def listed(self, symbol: str) -> list[Action]:
        """Take a new symbol and tell it on the channel of the instruments."""
        return self._tell(self._add(symbol).pair())

    def delisted(self, symbol: str) -> list[Action]:
        """Drop a symbol and tell it on the channel of the instruments."""
        frames = self._symbols.pop(self.to_venue(symbol))
        return self._tell(frames.pair("delisted"))

    def _tell(self, pair: str) -> list[Action]:
        to = tuple(c for c, held in self._connections.items() if held.instruments)
        if not to:
            return []
        self._note(to, self.market.now)
        return [Delivery(_instrument("update", [pair]), to)]

    def reject(self, connection: int, message: str | bytes, now: int) -> list[Action] | None:
        """Refuse each symbol of a message."""
        call = read_call(message)
        if call is None or call.method != "subscribe" or call.params.channel not in _CHANNELS:
            return None
        self._connections[connection].active = now
        return [
            self._answer(
                refused(f"Currency pair not supported {venue}", call, venue, now), connection, now
            )
            for venue in call.params.symbol
        ]

    def acknowledges(self, _message: str | bytes, frame: Delivery) -> bool:
        """Tell an acknowledgement by its success; pongs and instruments have no such thing."""
        return b'"success":true' in frame.payload


def _instrument(kind: str, pairs: Iterable[str]) -> bytes:
    listed = ",".join(pairs)
    return (
        f'{{"channel":"instrument","type":"{kind}","data":{{"assets":[],"pairs":[{listed}]}}}}'
    ).encode()
