"""Kraken: subscriptions to frames, frames to outputs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar, Final

import msgspec
from msgspec import Raw

from collector_core.errors import FrameError, SymbolError
from collector_core.events import Candle, Level, Ticker, Trade
from collector_core.numbers import exact, exact_price
from collector_core.symbols import SymbolTable, join
from collector_exchanges.kraken import rest, wire
from collector_exchanges.kraken.checksum import Checksum
from collector_exchanges.kraken.spec import DEPTH, INTERVALS, SPEC
from collector_feed.adapter import Adapter, Rest
from collector_feed.candle_rows import Figures, candle
from collector_feed.fields import level_texts
from collector_feed.json_numbers import number
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
from collector_feed.times import rfc3339
from collector_feed.unreadable import UNREADABLE, unreadable

__all__ = ["KrakenAdapter"]

_CHANNELS: Final = {
    ("trade", ""): "trade",
    ("ticker", ""): "ticker",
    ("book", ""): "book",
    **{("candle", interval): "ohlc" for interval in INTERVALS},
}
"""Our channel and interval -> Kraken's channel."""
_OURS: Final = {theirs: ours for (ours, _), theirs in _CHANNELS.items()}
_INTERVALS: Final = {minutes: interval for interval, minutes in INTERVALS.items()}
_KEPT: Final = 1_000
"""Messages remembered until their answers, which do not say what was asked."""
_THROTTLED: Final = "Exceeded msg rate"


class KrakenAdapter(Adapter):
    """One connection to ``/v2``."""

    spec: ClassVar[Spec] = SPEC
    rest: ClassVar[Rest] = rest

    def __init__(self, symbols: SymbolTable) -> None:
        super().__init__(symbols)
        # id of a message -> channel and interval that it is about
        self._asked: dict[int, tuple[str, str]] = {}
        # by their spelling
        self._checksums: dict[str, Checksum] = {}
        self._decode = msgspec.json.Decoder(wire.Message).decode
        self._decode_loose = msgspec.json.Decoder(wire.Loose).decode

    @staticmethod
    def read_symbol(venue_symbol: str) -> str:
        """Read ``BTC/USD``, which is our spelling but for the case of some letters."""
        base, slash, quote = venue_symbol.partition("/")
        if not slash:
            raise SymbolError(f"expected base/quote, was {venue_symbol[:64]!r}")
        return join(base, quote)

    # --- subscriptions -----------------------------------------------------------------------

    def opening(self) -> list[Send]:
        """Ask for all pairs: their precisions are in the checksums."""
        return [self._asking("subscribe", {"channel": "instrument", "snapshot": True})]

    def reset(self) -> None:
        """Forget the messages that were under way, and the precisions: they come again."""
        self._asked.clear()
        self._checksums.clear()

    def _group(self, subscription: Subscription) -> Hashable:
        # a message is of one channel and many symbols
        return subscription.channel, subscription.interval

    def _message(self, part: Sequence[Subscription], *, subscribe: bool) -> Send:
        channel, interval = part[0].channel, part[0].interval
        theirs = self._pushed(_CHANNELS, part[0])
        symbols = [self.symbols.to_venue(subscription.symbol) for subscription in part]
        params: dict[str, object] = {"channel": theirs, "symbol": symbols}
        # what was subscribed with a depth or an interval is unsubscribed by it
        if channel == "book":
            params["depth"] = DEPTH
        elif channel == "candle":
            params["interval"] = INTERVALS[interval]
        if subscribe:
            # the past of trades and candles is fetched, where it is wanted
            params["snapshot"] = channel in {"book", "ticker"}
        return self._asking("subscribe" if subscribe else "unsubscribe", params, part[0])

    def _asking(
        self, method: str, params: dict[str, object], about: Subscription | None = None
    ) -> Send:
        ident = next(self._ids)
        if about is not None:
            if len(self._asked) >= _KEPT:
                del self._asked[next(iter(self._asked))]
            self._asked[ident] = about.channel, about.interval
        return self._send({"method": method, "params": params, "req_id": ident}, ident)

    # --- frames ------------------------------------------------------------------------------

    def on_frame(self, frame: bytes | memoryview, receive_time: int | None) -> list[Decoded]:
        """Return what a frame says; see the evidence table of this folder's README."""
        try:
            try:
                message = self._decode(frame)
            except msgspec.ValidationError as error:
                return self._answer(frame, error)
            return self._outputs(message, receive_time)
        except UNREADABLE as error:
            raise unreadable("a Kraken frame", frame, error) from error

    def _outputs(self, message: wire.Message, receive_time: int | None) -> list[Decoded]:
        match message:
            case wire.Book():
                return [self._book(message.type, data) for data in message.data]
            case wire.Trade():
                past = message.type == "snapshot"
                return [self._trade(data, receive_time, past) for data in message.data]
            case wire.Ticker():
                return [self._ticker(data, receive_time) for data in message.data]
            case wire.Ohlc():
                time = _time(message.timestamp)
                return [self._candle(data, time, receive_time) for data in message.data]
            case wire.Instrument():
                for pair in message.data.pairs:
                    self._checksums[pair.symbol] = Checksum(
                        (pair.price_precision, pair.qty_precision)
                    )
                return []
            case wire.Heartbeat() | wire.Status():
                return []

    def _book(self, kind: wire.Kind, data: wire.BookData) -> BookDelta | BookSnapshot:
        symbol = self._ours.get(data.symbol) or self._symbol(data.symbol)
        time = _time(data.timestamp)
        bids, asks = _levels(data.bids), _levels(data.asks)
        if kind == "snapshot":
            return BookSnapshot(symbol, time, None, bids, asks, data.checksum)
        return BookDelta(symbol, time, 0, 0, bids, asks, data.checksum)

    def _trade(
        self,
        data: wire.TradeData,
        receive_time: int | None,
        past: bool,  # noqa: FBT001  # positional: this line runs for each trade
    ) -> Trade:
        return Trade(
            "kraken",
            self._ours.get(data.symbol) or self._symbol(data.symbol),
            rfc3339(data.timestamp),
            receive_time,
            0,
            0,
            str(data.trade_id),
            exact_price(str(data.price, "ascii")),
            exact(str(data.qty, "ascii")),
            data.side,
            past,
        )

    def _ticker(self, data: wire.TickerData, receive_time: int | None) -> Ticker:
        return Ticker(
            *self._head(data.symbol, _time(data.timestamp), receive_time),
            last=_figure(data.last),
            high=_figure(data.high),
            low=_figure(data.low),
            volume=_figure(data.volume),
            change=_figure(data.change),
            change_percent=_figure(data.change_pct),
            vwap=_figure(data.vwap),
            bid=_figure(data.bid),
            bid_amount=_figure(data.bid_qty),
            ask=_figure(data.ask),
            ask_amount=_figure(data.ask_qty),
        )

    def _candle(self, data: wire.Candle, time: int | None, receive_time: int | None) -> Candle:
        interval = _INTERVALS.get(data.interval)
        if interval is None:
            raise FrameError(f"expected minutes of a candle, was {data.interval}")
        figures = Figures(
            rfc3339(data.interval_begin),
            *(number(data.open), number(data.high), number(data.low), number(data.close)),
            volume=number(data.volume),
            trade_count=data.trades,
            exchange_time=time,
        )
        symbol = self._ours.get(data.symbol) or self._symbol(data.symbol)
        return candle("kraken", symbol, interval, figures, receive_time, closed=False)

    # --- answers -----------------------------------------------------------------------------

    def _answer(self, frame: bytes | memoryview, error: msgspec.ValidationError) -> list[Decoded]:
        answer = self._decode_loose(frame)
        if answer.channel is not None:
            raise error
        refused = answer.error or answer.other_error
        if refused is not None:
            return self._refusal(answer, refused)
        if answer.method == "pong":
            return []
        if answer.method not in {"subscribe", "unsubscribe"} or not answer.success:
            raise FrameError(f"expected a known message, was {bytes(frame[:120])!r}")
        if answer.method == "unsubscribe" or answer.result is None:
            return []
        result = answer.result
        interval = "" if result.interval is None else _INTERVALS.get(result.interval, "")
        channel = _OURS.get(result.channel)
        if channel is None or result.symbol is None:
            # of the opening
            return []
        ours = self._ours.get(result.symbol) or self._symbol(result.symbol)
        return [Acknowledged(answer.req_id, (Subscription(channel, ours, interval),))]

    def _refusal(self, answer: wire.Loose, reason: str) -> list[Decoded]:
        # nothing is refused for good: whoever waits for the answer asks again, later
        if reason == _THROTTLED:
            return []
        named: tuple[Subscription, ...] = ()
        kind = None if answer.req_id is None else self._asked.get(answer.req_id)
        if kind is not None and answer.symbol is not None:
            ours = self._ours.get(answer.symbol) or self._symbol(answer.symbol)
            named = (Subscription(kind[0], ours, kind[1]),)
        if answer.method == "unsubscribe":
            # it is not held: that is what was asked for
            return []
        if reason == "Already subscribed" and named:
            # the answer to the first message was lost
            return [Acknowledged(answer.req_id, named)]
        return [Rejected(answer.req_id, reason, named)]

    def checksum(self, symbol: str, bids: Sequence[Level], asks: Sequence[Level]) -> int | None:
        """Return the CRC32 of the ten best levels; None before the precisions have come."""
        known = self._checksums.get(self.symbols.to_venue(symbol))
        return None if known is None else known.of(bids, asks)


def _levels(levels: list[wire.Level]) -> list[Level]:
    return level_texts([(str(level.price, "ascii"), str(level.qty, "ascii")) for level in levels])


def _time(text: str | None) -> int | None:
    return None if text is None else rfc3339(text)


def _figure(raw: Raw) -> str | None:
    return None if bytes(raw) == b"null" else number(raw)
