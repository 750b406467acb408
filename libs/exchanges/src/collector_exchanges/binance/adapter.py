"""Binance spot: subscriptions to frames, frames to outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import msgspec

from collector_core.errors import FrameError
from collector_core.events import Candle, Ticker, Trade
from collector_core.numbers import exact, exact_price
from collector_core.symbols import SymbolTable, split_concatenated
from collector_exchanges.binance import rest, wire
from collector_exchanges.binance.spec import INTERVALS, SPEC
from collector_feed.adapter import Adapter, Rest
from collector_feed.fields import level_texts
from collector_feed.outputs import (
    Acknowledged,
    BookDelta,
    Decoded,
    Notice,
    Rejected,
    Send,
    Subscription,
)
from collector_feed.spec import Spec
from collector_feed.unreadable import UNREADABLE, unreadable

__all__ = ["BinanceAdapter"]

_STREAMS: Final = {
    ("trade", ""): "trade",
    ("ticker", ""): "ticker",
    ("book", ""): "depth@100ms",
    **{("candle", interval): f"kline_{interval}" for interval in INTERVALS},
}
"""Our channel and interval -> the end of a stream's name."""


class BinanceAdapter(Adapter):
    """One connection to ``/ws``; frames in the wrapping of ``/stream`` are understood as well."""

    spec: ClassVar[Spec] = SPEC
    rest: ClassVar[Rest] = rest

    def __init__(self, symbols: SymbolTable) -> None:
        super().__init__(symbols)
        self._decode = msgspec.json.Decoder(wire.Message).decode
        self._decode_combined = msgspec.json.Decoder(wire.Combined).decode
        self._decode_loose = msgspec.json.Decoder(wire.Loose).decode
        self._decode_touch = msgspec.json.Decoder(wire.BookTicker).decode

    @staticmethod
    def read_symbol(venue_symbol: str) -> str:
        """Cut ``BTCUSDT`` at the longest known quote currency."""
        return split_concatenated(venue_symbol, SPEC.quotes)

    # --- subscriptions -----------------------------------------------------------------------

    def _message(self, part: Sequence[Subscription], *, subscribe: bool) -> Send:
        number = next(self._ids)
        method = "SUBSCRIBE" if subscribe else "UNSUBSCRIBE"
        params = [
            # stream names are lower case, symbols inside frames upper case
            f"{self.symbols.to_venue(s.symbol).lower()}@{self._pushed(_STREAMS, s)}"
            for s in part
        ]
        return self._send({"method": method, "params": params, "id": number}, number)

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
        except UNREADABLE as error:
            raise unreadable("a Binance frame", frame, error) from error

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
                        level_texts(message.b),
                        level_texts(message.a),
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

    def _ticker(self, message: wire.Ticker, receive_time: int | None) -> Ticker:
        return Ticker(
            *self._head(message.s, message.E * 1000, receive_time),
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
            *self._head(message.s, None, receive_time),
            bid=exact(message.b),
            bid_amount=exact(message.B),
            ask=exact(message.a),
            ask_amount=exact(message.A),
        )

    def _candle(self, message: wire.Kline, receive_time: int | None) -> Candle:
        k = message.k
        return Candle(
            *self._head(message.s, message.E * 1000, receive_time),
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

    def spent(self, headers: Mapping[str, str]) -> int | None:
        """Return the weight of the running minute and address."""
        used = headers.get("x-mbx-used-weight-1m", "")
        return int(used) if used.isdecimal() else None
