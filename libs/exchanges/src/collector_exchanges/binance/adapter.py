"""Binance spot: subscriptions to frames, frames to outputs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import count
from typing import ClassVar

import msgspec

from collector_core.errors import FrameError, NumberError, SettingsError, SymbolError
from collector_core.events import Candle, Instrument, Level, Ticker, Trade
from collector_core.numbers import exact, exact_price
from collector_core.symbols import SymbolTable, split_concatenated
from collector_exchanges.binance import rest, wire
from collector_exchanges.binance.spec import INTERVALS, SPEC
from collector_feed.adapter import Adapter
from collector_feed.outputs import (
    Acknowledged,
    BookDelta,
    BookSnapshot,
    Decoded,
    Notice,
    Rejected,
    Request,
    Send,
    Subscription,
)
from collector_feed.spec import Spec

__all__ = ["BinanceAdapter"]

_STREAMS = {"trade": "trade", "ticker": "ticker", "book": "depth@100ms"}


class BinanceAdapter(Adapter):
    """One connection to ``/ws``; frames in the wrapping of ``/stream`` are understood as well."""

    spec: ClassVar[Spec] = SPEC

    def __init__(self, symbols: SymbolTable) -> None:
        super().__init__(symbols)
        # their spelling -> ours, of the symbols seen on this connection
        self._ours: dict[str, str] = {}
        self._ids = count(1)
        self._decode = msgspec.json.Decoder(wire.Message).decode
        self._decode_combined = msgspec.json.Decoder(wire.Combined).decode
        self._decode_loose = msgspec.json.Decoder(wire.Loose).decode
        self._decode_touch = msgspec.json.Decoder(wire.BookTicker).decode

    @staticmethod
    def read_symbol(venue_symbol: str) -> str:
        """Cut ``BTCUSDT`` at the longest known quote currency."""
        return split_concatenated(venue_symbol, SPEC.quotes)

    # --- subscriptions -----------------------------------------------------------------------

    def change(
        self,
        held: Collection[Subscription],  # noqa: ARG002  # additive: what is held stays
        add: Sequence[Subscription],
        remove: Sequence[Subscription],
    ) -> list[tuple[Send, tuple[Subscription, ...]]]:
        """Return SUBSCRIBE and UNSUBSCRIBE messages."""
        frames = []
        for method, subscriptions in (("UNSUBSCRIBE", remove), ("SUBSCRIBE", add)):
            size = SPEC.subscriptions_per_message
            for start in range(0, len(subscriptions), size):
                part = subscriptions[start : start + size]
                number = next(self._ids)
                message = {
                    "method": method,
                    "params": [self._stream(s) for s in part],
                    "id": number,
                }
                text = msgspec.json.encode(message).decode()
                frames.append((Send(text, number), tuple(part) if method == "SUBSCRIBE" else ()))
        return frames

    def _stream(self, subscription: Subscription) -> str:
        # stream names are lower case, symbols inside frames upper case
        name = self.symbols.to_venue(subscription.symbol).lower()
        if subscription.channel == "candle" and subscription.interval in INTERVALS:
            return f"{name}@kline_{subscription.interval}"
        if subscription.channel not in _STREAMS:
            raise SettingsError(f"expected a stream that Binance pushes, was {subscription}")
        return f"{name}@{_STREAMS[subscription.channel]}"

    # --- frames ------------------------------------------------------------------------------

    def on_frame(self, frame: bytes | memoryview, receive_time: int | None) -> list[Decoded]:
        """Return what a frame says; see the evidence table of this folder's README."""
        try:
            try:
                message = self._decode(frame)
            except msgspec.ValidationError:
                return self._untyped(frame, receive_time)
            if type(message) is wire.Trade:
                # most frames, by far
                return [self._trade(message, receive_time)]
            return self._outputs(message, receive_time)
        except (
            *(msgspec.MsgspecError, NumberError, SymbolError, UnicodeDecodeError),
            RecursionError,  # nested beyond any message
        ) as error:
            raise FrameError(
                f"expected a Binance frame, was {bytes(frame[:120])!r}: {error}"
            ) from error

    def _outputs(self, message: wire.Message, receive_time: int | None) -> list[Decoded]:
        match message:
            case wire.Trade():
                return [self._trade(message, receive_time)]
            case wire.DepthUpdate():
                return [
                    BookDelta(
                        self._ours.get(message.s) or self._symbol(message.s),
                        message.E * 1000,
                        message.U,
                        message.u,
                        _levels(message.b),
                        _levels(message.a),
                    )
                ]
            case wire.Ticker():
                return [self._ticker(message, receive_time)]
            case wire.Kline():
                return [self._candle(message, receive_time)]
            case wire.AggTrade():
                return [
                    Trade(
                        "binance",
                        self._symbol(message.s),
                        message.T * 1000,
                        receive_time,
                        0,
                        0,
                        # counts fills of one order, not trades: it must never pass for a trade id
                        f"agg-{message.a}",
                        exact(message.p),
                        exact(message.q),
                        "sell" if message.m else "buy",
                    )
                ]
            case wire.ServerShutdown():
                return [Notice("serverShutdown")]

    def _trade(self, message: wire.Trade, receive_time: int | None) -> Trade:
        # positional, and the table looked into before a call: this line runs for each trade
        return Trade(
            "binance",
            self._ours.get(message.s) or self._symbol(message.s),
            message.T * 1000,
            receive_time,
            0,
            0,
            str(message.t),
            exact_price(message.p),
            exact(message.q),
            # m: the buyer is the maker, so the taker sold
            "sell" if message.m else "buy",
        )

    def _untyped(self, frame: bytes | memoryview, receive_time: int | None) -> list[Decoded]:
        try:
            return self._outputs(self._decode_combined(frame).data, receive_time)
        except msgspec.ValidationError as error:
            loose = self._decode_loose(frame)
            if loose.e is not None:
                raise FrameError(f"expected a known message, was {loose.e!r}: {error}") from error
        if loose.data is not None:
            return [self._touch(loose.data, receive_time)]
        if loose.error is not None or loose.code is not None:
            number = loose.id if isinstance(loose.id, int) else None
            failure = loose.error or wire.MessageError(loose.code or 0, loose.msg or "")
            return [Rejected(number, f"{failure.code} {failure.msg}")]
        if loose.result is not msgspec.UNSET:
            # the answer to LIST_SUBSCRIPTIONS has our id as well and harms nobody
            return [Acknowledged(loose.id)] if isinstance(loose.id, int) else []
        return [self._touch(self._decode_touch(frame), receive_time)]

    def _symbol(self, venue_symbol: str) -> str:
        symbol = self._ours.get(venue_symbol)
        if symbol is None:
            symbol = self._ours[venue_symbol] = self.symbols.from_venue(venue_symbol)
        return symbol

    def _ticker(self, message: wire.Ticker, receive_time: int | None) -> Ticker:
        return Ticker(
            exchange="binance",
            symbol=self._symbol(message.s),
            exchange_time=message.E * 1000,
            receive_time=receive_time,
            epoch=0,
            seq=0,
            last=exact(message.c),
            open=exact(message.o),
            high=exact(message.h),
            low=exact(message.l),
            volume=exact(message.v),
            quote_volume=exact(message.q),
            change=exact(message.p),
            change_percent=exact(message.P),
            vwap=exact(message.w),
            bid=exact(message.b),
            bid_amount=exact(message.B),
            ask=exact(message.a),
            ask_amount=exact(message.A),
            trade_count=message.n,
        )

    def _touch(self, message: wire.BookTicker, receive_time: int | None) -> Ticker:
        return Ticker(
            exchange="binance",
            symbol=self._symbol(message.s),
            exchange_time=None,
            receive_time=receive_time,
            epoch=0,
            seq=0,
            bid=exact(message.b),
            bid_amount=exact(message.B),
            ask=exact(message.a),
            ask_amount=exact(message.A),
        )

    def _candle(self, message: wire.Kline, receive_time: int | None) -> Candle:
        k = message.k
        return Candle(
            exchange="binance",
            symbol=self._symbol(message.s),
            exchange_time=message.E * 1000,
            receive_time=receive_time,
            epoch=0,
            seq=0,
            interval=k.i,
            open_time=k.t * 1000,
            # T is the last millisecond inside the candle
            close_time=(k.T + 1) * 1000,
            open=exact(k.o),
            high=exact(k.h),
            low=exact(k.l),
            close=exact(k.c),
            volume=exact(k.v),
            quote_volume=exact(k.q),
            trade_count=k.n,
            closed=k.x,
        )

    # --- REST --------------------------------------------------------------------------------

    def instruments(self) -> Request[list[Instrument]]:
        """Return the request for ``exchangeInfo``."""
        return rest.instruments()

    def book(self, symbol: str) -> Request[BookSnapshot]:
        """Return the request for the 5,000 best levels a side."""
        return rest.book(symbol, self.symbols.to_venue(symbol))

    def trades(self, symbol: str, from_id: str | None = None) -> Request[list[Trade]]:
        """Return the request for up to 1,000 trades, from an id on or the newest."""
        return rest.trades(symbol, self.symbols.to_venue(symbol), from_id)

    def candles(
        self, symbol: str, interval: str, start: int | None, end: int | None
    ) -> Request[list[Candle]]:
        """Return the request for up to 1,000 candles."""
        return rest.candles(symbol, self.symbols.to_venue(symbol), interval, start, end)


def _levels(levels: list[tuple[str, str]]) -> list[Level]:
    return [(exact(price), exact(amount)) for price, amount in levels]
