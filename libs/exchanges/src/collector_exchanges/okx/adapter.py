"""OKX spot: subscriptions to frames, frames to outputs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final

import msgspec

from collector_core.errors import FrameError
from collector_core.symbols import SymbolTable
from collector_exchanges.okx import rest, rows, wire
from collector_exchanges.okx.spec import BARS, SPEC
from collector_feed.adapter import Adapter, Rest
from collector_feed.outputs import Acknowledged, Decoded, Notice, Rejected, Send, Subscription
from collector_feed.spec import Spec
from collector_feed.spellings import base_first
from collector_feed.unreadable import UNREADABLE, unreadable

__all__ = ["OkxAdapter"]

_CHANNELS: Final = {
    ("trade", ""): "trades-all",
    ("ticker", ""): "tickers",
    ("book", ""): "books",
    **{("candle", interval): f"candle{bar}" for interval, bar in BARS.items()},
}
"""Our channel and interval -> OKX's channel."""
_OURS: Final = {
    **{theirs: ours for ours, theirs in _CHANNELS.items()},
    # of recordings: the fills of an order put together, and the books that want a login today
    "trades": ("trade", ""),
    "books-l2-tbt": ("book", ""),
}
_INTERVALS: Final = {f"candle{bar}": interval for interval, bar in BARS.items()}
_UNKNOWN: Final = re.compile(r"channel:([\w-]+),instId:([^\s,]+) doesn't exist").search


class OkxAdapter(Adapter):
    """One connection, either to ``/public`` (ticker, book) or to ``/business`` (trade, candle)."""

    spec: ClassVar[Spec] = SPEC
    rest: ClassVar[Rest] = rest

    def __init__(self, symbols: SymbolTable) -> None:
        super().__init__(symbols)
        self._decode = msgspec.json.Decoder(wire.Push).decode
        # in two steps: what ``data`` is, the channel beside it says
        self._trades = msgspec.json.Decoder(list[wire.Trade], strict=wire.LAX).decode
        self._books = msgspec.json.Decoder(list[wire.Book], strict=wire.LAX).decode
        self._old_books = msgspec.json.Decoder(list[wire.OldBook], strict=wire.LAX).decode
        self._tickers = msgspec.json.Decoder(list[wire.Ticker], strict=wire.LAX).decode
        self._candles = msgspec.json.Decoder(list[wire.Candle], strict=wire.LAX).decode

    @staticmethod
    def read_symbol(venue_symbol: str) -> str:
        """Split ``BTC-USDT`` at its dash; what has more of them is no spot."""
        return base_first(venue_symbol)

    # --- subscriptions -----------------------------------------------------------------------

    def _message(self, part: Sequence[Subscription], *, subscribe: bool) -> Send:
        number = next(self._ids)
        args = [
            {"channel": self._pushed(_CHANNELS, s), "instId": self.symbols.to_venue(s.symbol)}
            for s in part
        ]
        op = "subscribe" if subscribe else "unsubscribe"
        return self._send({"id": str(number), "op": op, "args": args}, number)

    # --- frames ------------------------------------------------------------------------------

    def on_frame(self, frame: bytes | memoryview, receive_time: int | None) -> list[Decoded]:
        """Return what a frame says; see the evidence table of this folder's README."""
        try:
            push = self._decode(frame)
            if push.arg is None or isinstance(push.data, msgspec.UnsetType):
                return self._event(push)
            return self._data(push.arg, push.data, push.action, receive_time)
        except UNREADABLE as error:
            if frame == b"pong":
                # the answer to our text "ping", the one frame that is not JSON
                return []
            raise unreadable("an OKX frame", frame, error) from error

    def _data(
        self, arg: wire.Arg, data: msgspec.Raw, action: str, receive_time: int | None
    ) -> list[Decoded]:
        # most frequent first; a table looked into before a call
        symbol = self._ours.get(arg.instId) or self._symbol(arg.instId)
        match arg.channel:
            case "trades-all" | "trades":
                return [rows.trade(symbol, item, receive_time) for item in self._trades(data)]
            case "books":
                return [
                    rows.book(symbol, action, item, item.prevSeqId, item.seqId)
                    for item in self._books(data)
                ]
            case "tickers":
                return [rows.ticker(symbol, item, receive_time) for item in self._tickers(data)]
            case "books-l2-tbt":
                # nothing proves their chain
                return [rows.book(symbol, action, i, 0, None) for i in self._old_books(data)]
            case channel if channel in _INTERVALS:
                interval = _INTERVALS[channel]
                return [
                    rows.candle(symbol, interval, item, receive_time)
                    for item in self._candles(data)
                ]
            case channel:
                raise FrameError(f"expected a channel that we subscribe to, was {channel[:64]!r}")

    def _event(self, push: wire.Push) -> list[Decoded]:
        number = int(push.id) if push.id is not None and push.id.isdecimal() else None
        match push.event:
            case "subscribe" if push.arg is not None:
                return [Acknowledged(number, (self._subscription(push.arg),))]
            case "unsubscribe" if push.arg is not None:
                return []
            case "error" if push.code:
                reason = f"{push.code} {push.msg}".rstrip()
                named = _UNKNOWN(push.msg)
                arg = push.arg if named is None else wire.Arg(named[1], named[2])
                refused = () if arg is None else (self._subscription(arg),)
                return [Rejected(number, reason, refused)]
            case "notice" if push.code:
                return [Notice(f"{push.code} {push.msg}".rstrip())]
            case event:
                raise FrameError(f"expected a known event, was {event[:64]!r}")

    def _subscription(self, arg: wire.Arg) -> Subscription:
        if arg.channel not in _OURS:
            raise FrameError(f"expected a channel that we subscribe to, was {arg.channel[:64]!r}")
        channel, interval = _OURS[arg.channel]
        return Subscription(channel, self._symbol(arg.instId), interval)
