"""Bybit spot: subscriptions to frames, frames to outputs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar, Final

import msgspec

from collector_core.errors import FrameError, SymbolError
from collector_core.events import Candle, Ticker, Trade
from collector_core.numbers import exact, exact_price, is_zero
from collector_core.symbols import SymbolTable, split_concatenated
from collector_exchanges.bybit import rest, wire
from collector_exchanges.bybit.spec import DEPTH, INTERVALS, SPEC
from collector_exchanges.bybit.wire import SIDES
from collector_feed.adapter import Adapter, Rest
from collector_feed.fields import level_texts
from collector_feed.outputs import (
    Acknowledged,
    BookDelta,
    BookSnapshot,
    Decoded,
    Rejected,
    Send,
    Subscription,
)
from collector_feed.spec import Spec
from collector_feed.unreadable import UNREADABLE, unreadable

__all__ = ["BybitAdapter"]

_TOPICS: Final = {
    ("trade", ""): "publicTrade",
    ("ticker", ""): "tickers",
    ("book", ""): f"orderbook.{DEPTH}",
    **{("candle", ours): f"kline.{theirs}" for ours, theirs in INTERVALS.items()},
}
"""Our channel and interval -> a topic without its symbol."""
_OURS: Final = {topic: ours for ours, topic in _TOPICS.items()}


class BybitAdapter(Adapter):
    """One connection to the public socket of the spot market."""

    spec: ClassVar[Spec] = SPEC
    rest: ClassVar[Rest] = rest

    def __init__(self, symbols: SymbolTable) -> None:
        super().__init__(symbols)
        # what this connection was asked for and not asked to end
        self._asked: set[Subscription] = set()
        self._decode = msgspec.json.Decoder(wire.Frame).decode
        self._decode_trades = msgspec.json.Decoder(list[wire.Trade]).decode
        self._decode_book = msgspec.json.Decoder(wire.Book).decode
        self._decode_ticker = msgspec.json.Decoder(wire.Ticker).decode
        self._decode_klines = msgspec.json.Decoder(list[wire.Kline]).decode

    @staticmethod
    def read_symbol(venue_symbol: str) -> str:
        """Cut ``BTCUSDT`` at the longest known quote currency."""
        return split_concatenated(venue_symbol, SPEC.quotes)

    # --- subscriptions -----------------------------------------------------------------------

    def change(
        self,
        held: Collection[Subscription],
        add: Sequence[Subscription],
        remove: Sequence[Subscription],
    ) -> list[tuple[Send, tuple[Subscription, ...]]]:
        """Return messages of at most ten topics; what was asked for before goes alone."""
        again = [s for s in add if s in self._asked]
        new = [s for s in add if s not in self._asked]
        messages = [
            *super().change(held, (), remove),
            # each to be answered for itself: a message is refused for one topic that it names
            *((self._message((s,), subscribe=True), (s,)) for s in again),
            *super().change(held, new, ()),
        ]
        self._asked.difference_update(remove)
        self._asked.update(add)
        return messages

    def reset(self) -> None:
        """Forget what the connection was asked for."""
        self._asked.clear()

    def _message(self, part: Sequence[Subscription], *, subscribe: bool) -> Send:
        number = next(self._ids)
        op = "subscribe" if subscribe else "unsubscribe"
        args = [f"{self._pushed(_TOPICS, s)}.{self.symbols.to_venue(s.symbol)}" for s in part]
        return self._send({"req_id": str(number), "op": op, "args": args}, number)

    def _subscription(self, topic: str) -> Subscription | None:
        kind, _, name = topic.rpartition(".")
        if kind not in _OURS:
            return None
        channel, interval = _OURS[kind]
        try:
            return Subscription(channel, self.symbols.from_venue(name), interval)
        except SymbolError:
            return None

    # --- frames ------------------------------------------------------------------------------

    def on_frame(self, frame: bytes | memoryview, receive_time: int | None) -> list[Decoded]:
        """Return what a frame says; see the evidence table of this folder's README."""
        try:
            message = self._decode(frame)
            topic = message.topic
            if topic is None:
                return self._answer(message)
            if message.data is msgspec.UNSET or message.ts is None:
                raise FrameError(f"expected data with a time, was {bytes(frame[:120])!r}")
            match topic.partition(".")[0]:
                case "orderbook":
                    return [self._book(message, message.data, message.ts)]
                case "publicTrade":
                    return self._trades(message.data, receive_time)
                case "tickers" if message.type == "snapshot":
                    return [self._ticker(message.data, message.ts, receive_time)]
                case "kline":
                    return self._candles(topic, message.data, message.ts, receive_time)
            raise FrameError(f"expected a known topic, was {topic[:64]!r}, {message.type!r}")
        except UNREADABLE as error:
            raise unreadable("a Bybit frame", frame, error) from error

    def _trades(self, data: msgspec.Raw, receive_time: int | None) -> list[Decoded]:
        ours = self._ours
        # positional, and the table looked into before a call: this line runs for each trade
        return [
            Trade(
                "bybit",
                ours.get(item.s) or self._symbol(item.s),
                item.T * 1000,
                receive_time,
                0,
                0,
                item.i,
                exact_price(item.p),
                exact(item.v),
                SIDES[item.S],
            )
            for item in self._decode_trades(data)
        ]

    def _book(self, message: wire.Frame, data: msgspec.Raw, ts: int) -> BookDelta | BookSnapshot:
        # The book's rule (docs/v5/websocket/public/orderbook):
        # 1. the first message of a subscription is a snapshot, and any later one replaces the book;
        # 2. u = 1 is a snapshot too, whatever the type says: the service was started anew;
        # 3. a delta has absolute amounts, 0 removes, and its u is one more than the last one.
        book = self._decode_book(data)
        symbol = self._ours.get(book.s) or self._symbol(book.s)
        time = (ts if message.cts is None else message.cts) * 1000
        bids, asks = level_texts(book.b), level_texts(book.a)
        if message.type == "delta" and book.u != 1:
            return BookDelta(symbol, time, book.u, book.u, bids, asks)
        if message.type not in {"snapshot", "delta"}:
            raise FrameError(f"expected a snapshot or a delta of a book, was {message.type!r}")
        bids, asks = ([v for v in side if not is_zero(v[1])] for side in (bids, asks))
        return BookSnapshot(symbol, time, book.u, bids, asks)

    def _ticker(self, data: msgspec.Raw, ts: int, receive_time: int | None) -> Ticker:
        item = self._decode_ticker(data)
        return Ticker(
            *self._head(item.symbol, ts * 1000, receive_time),
            last=exact(item.lastPrice),
            # the price of 24 hours ago
            open=exact(item.prevPrice24h),
            high=exact(item.highPrice24h),
            low=exact(item.lowPrice24h),
            volume=exact(item.volume24h),
            quote_volume=exact(item.turnover24h),
        )

    def _candles(
        self, topic: str, data: msgspec.Raw, ts: int, receive_time: int | None
    ) -> list[Decoded]:
        kind, _, name = topic.rpartition(".")
        if kind not in _OURS:
            raise FrameError(f"expected an interval of Bybit, was {topic[:64]!r}")
        return [
            Candle(
                *self._head(name, ts * 1000, receive_time),
                interval=_OURS[kind][1],
                open_time=item.start * 1000,
                # end is the last millisecond inside the candle
                close_time=(item.end + 1) * 1000,
                open=exact(item.open),
                high=exact(item.high),
                low=exact(item.low),
                close=exact(item.close),
                volume=exact(item.volume),
                quote_volume=exact(item.turnover),
                trade_count=None,
                closed=item.confirm,
            )
            for item in self._decode_klines(data)
        ]

    def _answer(self, message: wire.Frame) -> list[Decoded]:
        text = message.req_id or ""
        number = int(text) if text.isdecimal() and len(text) < 19 else None
        if message.success is False and message.ret_msg is not None:
            return [self._refusal(message, message.ret_msg, number)]
        if message.success and message.op in {"subscribe", "unsubscribe"}:
            return [Acknowledged(number)]
        if message.op in {"ping", "pong"} or (message.success and message.ret_msg == "pong"):
            return []
        raise FrameError(f"expected a topic or an answer, was op {message.op!r}")

    def _refusal(
        self, message: wire.Frame, text: str, number: int | None
    ) -> Rejected | Acknowledged:
        # 1. Nothing of the message was done, for the one topic that stands at the end of the text.
        # 2. That one is wrong, or it is subscribed already: the answer to the message before was
        #    lost. The others get no answer, are overdue and are sent again, each alone.
        # 3. Where no topic stands there, all are refused.
        named = self._subscription(text.rpartition(":")[2].strip(" []"))
        if named is None or message.op == "unsubscribe":
            return Rejected(number, text)
        if "already subscribed" in text:
            return Acknowledged(number, (named,))
        return Rejected(number, text, (named,))
