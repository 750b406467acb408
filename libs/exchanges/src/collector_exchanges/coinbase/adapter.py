"""Coinbase Advanced Trade: subscriptions to frames, frames to outputs."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import ClassVar, Final

import msgspec

from collector_core.errors import FrameError
from collector_core.events import Candle, Level, Ticker, Trade
from collector_core.numbers import are_exact, exact, exact_price
from collector_core.symbols import SymbolTable
from collector_exchanges.coinbase import rest, wire
from collector_exchanges.coinbase.spec import PUSHED, SPEC
from collector_exchanges.coinbase.wire import TAKER
from collector_feed.adapter import Adapter, Rest
from collector_feed.candle_rows import candle
from collector_feed.given import given
from collector_feed.outputs import (
    Acknowledged,
    BookDelta,
    BookSnapshot,
    Decoded,
    Lost,
    Rejected,
    Send,
    Subscription,
)
from collector_feed.spec import Spec
from collector_feed.spellings import base_first
from collector_feed.times import rfc3339
from collector_feed.unreadable import UNREADABLE, unreadable

__all__ = ["CoinbaseAdapter"]

_CHANNELS: Final = {
    ("trade", ""): "market_trades",
    ("ticker", ""): "ticker",
    ("book", ""): "level2",
    ("candle", PUSHED): "candles",
}
"""Our channel and interval -> the name to subscribe by."""
_OURS: Final = {name: ours for ours, name in _CHANNELS.items()}
_KNOWN: Final = {
    *("l2_data", "market_trades", "ticker", "ticker_batch", "candles", "heartbeats"),
    "subscriptions",
}


class CoinbaseAdapter(Adapter):
    """One connection; its messages are counted, and a hole in the count is ``Lost``.

    1. ``sequence_num`` grows by one with every message of the connection, of whatever channel,
       heartbeats and answers among them.
    2. A larger step: messages were dropped, and which they were nobody can say.
    3. A smaller number: a message out of order. Its trades are still of use; its levels, tickers
       and candles are older than what is known already.
    """

    spec: ClassVar[Spec] = SPEC
    rest: ClassVar[Rest] = rest

    def __init__(self, symbols: SymbolTable) -> None:
        super().__init__(symbols)
        # number of the next message of this connection; None before the first
        self._expected: int | None = None
        self._decode = msgspec.json.Decoder(wire.Message).decode
        self._decode_loose = msgspec.json.Decoder(wire.Loose).decode

    @staticmethod
    def read_symbol(venue_symbol: str) -> str:
        """Cut ``BTC-USD`` at its dash; dated and perpetual contracts have more than one."""
        return base_first(venue_symbol)

    # --- subscriptions -----------------------------------------------------------------------

    def opening(self) -> list[Send]:
        """Ask for heartbeats: the server closes who is silent for five seconds, or sent nothing."""
        return [self._send({"type": "subscribe", "channel": "heartbeats"})]

    def _group(self, subscription: Subscription) -> Hashable:
        # a message is of one channel
        return subscription.channel, subscription.interval

    def _message(self, part: Sequence[Subscription], *, subscribe: bool) -> Send:
        products = [self.symbols.to_venue(s.symbol) for s in part]
        kind = "subscribe" if subscribe else "unsubscribe"
        channel = self._pushed(_CHANNELS, part[0])
        # without an id: answers name subscriptions, not messages
        return self._send({"type": kind, "product_ids": products, "channel": channel})

    def reset(self) -> None:
        """Begin to count anew."""
        self._expected = None

    # --- frames ------------------------------------------------------------------------------

    def on_frame(self, frame: bytes | memoryview, receive_time: int | None) -> list[Decoded]:
        """Return what a frame says; see the evidence table of this folder's README.

        A frame that cannot be read is not counted, so the next one tells that it is missing.
        """
        try:
            try:
                message = self._decode(frame)
            except msgspec.ValidationError as error:
                return [self._untyped(frame, error)]
            number, expected = message.sequence_num, self._expected
            if expected is not None and number < expected:
                return self._late(message, receive_time)
            outputs = self._outputs(message, receive_time)
        except UNREADABLE as error:
            raise unreadable("a Coinbase frame", frame, error) from error
        self._expected = number + 1
        if expected is not None and number != expected:
            return [Lost(expected, number), *outputs]
        return outputs

    def _outputs(self, message: wire.Message, receive_time: int | None) -> list[Decoded]:
        match message:
            case wire.L2Data():
                return [self._book(message, event) for event in message.events]
            case wire.MarketTrades():
                return self._trades(message, receive_time)
            case wire.Ticker() | wire.TickerBatch():
                time = rfc3339(message.timestamp)
                return [
                    self._ticker(item, time, receive_time)
                    for event in message.events
                    for item in event.tickers
                    # seen: tickers of no product, every field empty
                    if item.product_id
                ]
            case wire.Candles():
                time = rfc3339(message.timestamp)
                return [
                    self._candle(item, time, receive_time)
                    for event in message.events
                    for item in event.candles
                ]
            case wire.Subscriptions():
                return self._acknowledged(message)
            case wire.Heartbeats():
                return []

    def _late(self, message: wire.Message, receive_time: int | None) -> list[Decoded]:
        if isinstance(message, wire.MarketTrades | wire.Subscriptions):
            return self._outputs(message, receive_time)
        return []

    def _book(self, message: wire.L2Data, event: wire.L2Event) -> BookDelta | BookSnapshot:
        bids: list[Level] = []
        asks: list[Level] = []
        updates = event.updates
        plain = are_exact([u.price_level for u in updates] + [u.new_quantity for u in updates])
        for update in updates:
            level = update.price_level, update.new_quantity
            if not plain:
                level = exact_price(level[0]), exact(level[1])
            if update.side == "bid":
                bids.append(level)
            else:
                asks.append(level)
        symbol = self._ours.get(event.product_id) or self._symbol(event.product_id)
        number = message.sequence_num
        # all levels of an event have one time; that of a snapshot may be the epoch's beginning
        moment = updates[0].event_time if updates else message.timestamp
        time = rfc3339(message.timestamp if moment.startswith("1970-") else moment)
        if event.type == "update":
            return BookDelta(symbol, time, number, number, bids, asks)
        return BookSnapshot(symbol, time, number, bids, asks)

    def _trades(self, message: wire.MarketTrades, receive_time: int | None) -> list[Decoded]:
        ours = self._ours
        return [
            Trade(
                "coinbase",
                ours.get(item.product_id) or self._symbol(item.product_id),
                rfc3339(item.time),
                receive_time,
                0,
                0,
                item.trade_id,
                exact_price(item.price),
                exact(item.size),
                TAKER[item.side],
                # those of a snapshot happened before the subscription
                event.type == "snapshot",
            )
            for event in message.events
            # the newest comes first
            for item in reversed(event.trades)
        ]

    def _ticker(self, item: wire.TickerItem, time: int, receive_time: int | None) -> Ticker:
        return Ticker(
            *self._head(item.product_id, time, receive_time),
            last=given(item.price),
            high=given(item.high_24_h),
            low=given(item.low_24_h),
            volume=given(item.volume_24_h),
            change_percent=given(item.price_percent_chg_24_h),
            bid=given(item.best_bid),
            bid_amount=given(item.best_bid_quantity),
            ask=given(item.best_ask),
            ask_amount=given(item.best_ask_quantity),
        )

    def _candle(self, item: wire.Candle, time: int, receive_time: int | None) -> Candle:
        symbol = self._ours.get(item.product_id) or self._symbol(item.product_id)
        figures = rest.figures(item, time)
        return candle("coinbase", symbol, PUSHED, figures, receive_time, closed=False)

    def _acknowledged(self, message: wire.Subscriptions) -> list[Decoded]:
        # everything that holds by now; heartbeats and channels of others name nothing of ours
        named = sorted(
            Subscription(channel, self._ours.get(product) or self._symbol(product), interval)
            for event in message.events
            for name, products in event.subscriptions.items()
            if name in _OURS
            for channel, interval in (_OURS[name],)
            for product in products
        )
        return [Acknowledged(None, tuple(named))] if named else []

    def _untyped(self, frame: bytes | memoryview, error: Exception) -> Decoded:
        loose = self._decode_loose(frame)
        if loose.type == "error" and loose.message is not None:
            return Rejected(None, " ".join(filter(None, (loose.message, loose.reason))))
        if loose.channel not in _KNOWN and loose.sequence_num == self._expected is not None:
            # of a channel that we know nothing of, so nothing of ours is missing with it
            self._expected += 1
        raise FrameError(
            f"expected a known message, was {bytes(frame[:120])!r}: {error}"
        ) from error

    def spent(self, headers: Mapping[str, str]) -> int | None:
        """Return the requests of the running second and address."""
        limit = headers.get("x-ratelimit-limit", "")
        left = headers.get("x-ratelimit-remaining", "")
        if not (limit.isdecimal() and left.isdecimal()):
            return None
        return max(0, int(limit) - int(left))
