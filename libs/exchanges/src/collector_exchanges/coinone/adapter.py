"""Coinone: subscriptions to frames, frames to outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import msgspec

from collector_core.errors import FrameError
from collector_core.events import Candle, Ticker, Trade
from collector_core.numbers import exact, exact_price
from collector_core.symbols import SymbolTable
from collector_exchanges.coinone import levels, rest, wire
from collector_exchanges.coinone.spec import SPEC
from collector_feed.adapter import Adapter, Rest
from collector_feed.candle_rows import Figures, candle
from collector_feed.given import given
from collector_feed.outputs import Acknowledged, Decoded, Rejected, Send, Subscription
from collector_feed.spec import Spec
from collector_feed.spellings import quote_first
from collector_feed.unreadable import UNREADABLE, unreadable

__all__ = ["CoinoneAdapter"]

_PUSHED: Final = SPEC.channels["candle"].intervals
_CHANNELS: Final = {
    ("trade", ""): "TRADE",
    ("ticker", ""): "TICKER",
    ("book", ""): "ORDERBOOK",
    **{("candle", interval): "CHART" for interval in _PUSHED},
}
"""Our channel and interval -> Coinone's channel."""
_OURS: Final = {theirs: ours for (ours, _), theirs in _CHANNELS.items()}
_INVALID_TOPIC: Final = 160012


class CoinoneAdapter(Adapter):
    """One connection in the format DEFAULT.

    Coinone takes every topic and refuses a bad one a moment later, without saying which. So the
    adapter remembers the topics that were taken, and names the bad ones as soon as there are no
    more silent topics than refusals.
    """

    spec: ClassVar[Spec] = SPEC
    rest: ClassVar[Rest] = rest

    def __init__(self, symbols: SymbolTable) -> None:
        super().__init__(symbols)
        self._texts = levels.Texts()
        # topics taken on this connection, and refusals that no topic was found for
        self._taken: dict[Subscription, None] = {}
        self._refused = 0
        self._decode = msgspec.json.Decoder(wire.Default).decode
        self._decode_control = msgspec.json.Decoder(wire.Control).decode
        self._decode_short = msgspec.json.Decoder(wire.ShortTicker).decode
        self._decode_loose = msgspec.json.Decoder(wire.Loose).decode

    @staticmethod
    def read_symbol(venue_symbol: str) -> str:
        """Turn ``KRW-BTC`` round: both fields of a message, the quote currency first."""
        return quote_first(venue_symbol, SPEC.quotes)

    def reset(self) -> None:
        """Forget what was taken and seen on the connection."""
        self._taken.clear()
        self._refused = 0
        # the symbols in it are those that sent data on this connection
        self._ours.clear()

    # --- subscriptions -----------------------------------------------------------------------

    def _message(self, part: Sequence[Subscription], *, subscribe: bool) -> Send:
        # one topic a message, and no id
        (subscription,) = part
        channel = self._pushed(_CHANNELS, subscription)
        quote, _, base = self.symbols.to_venue(subscription.symbol).partition("-")
        topic = {"quote_currency": quote, "target_currency": base}
        if subscription.interval:
            topic["interval"] = subscription.interval
        kind = "SUBSCRIBE" if subscribe else "UNSUBSCRIBE"
        return self._send({"request_type": kind, "channel": channel, "topic": topic})

    # --- frames ------------------------------------------------------------------------------

    def on_frame(self, frame: bytes | memoryview, receive_time: int | None) -> list[Decoded]:
        """Return what a frame says; see the evidence table of this folder's README."""
        try:
            try:
                message = self._decode(frame)
            except msgspec.ValidationError:
                return self._untyped(frame, receive_time)
            return [self._output(message, receive_time)]
        except UNREADABLE as error:
            raise unreadable("a Coinone frame", frame, error) from error

    def _output(self, message: wire.Default, receive_time: int | None) -> Decoded:
        match message:
            case wire.Trade(data=data):
                pair = f"{data.quote_currency}-{data.target_currency}"
                return Trade(
                    "coinone",
                    self._ours.get(pair) or self._symbol(pair),
                    data.timestamp * 1000,
                    receive_time,
                    0,
                    0,
                    data.id,
                    exact_price(data.price),
                    exact(data.qty),
                    levels.taker(data.is_seller_maker),
                )
            case wire.Orderbook(data=data):
                pair = f"{data.quote_currency}-{data.target_currency}"
                return levels.book(self._ours.get(pair) or self._symbol(pair), data, self._texts)
            case wire.Ticker(data=data):
                return self._ticker(data, receive_time)
            case wire.Chart(data=data):
                return self._candle(data, receive_time)

    def _untyped(self, frame: bytes | memoryview, receive_time: int | None) -> list[Decoded]:
        loose = self._decode_loose(frame)
        if loose.r is not None:
            return [self._ticker(self._decode_short(frame).data, receive_time)]
        if loose.response_type == "DATA":
            # again, for its error says what is wrong
            return [self._output(self._decode(frame), receive_time)]
        return self._answered(self._decode_control(frame))

    def _answered(self, answer: wire.Control) -> list[Decoded]:
        out: list[Decoded] = []
        match answer:
            case wire.Connected():
                pass
            case wire.Pong():
                out = self._named()
            case wire.Subscribed():
                taken = self._subscription(answer)
                self._taken[taken] = None
                out.append(Acknowledged(None, (taken,)))
            case wire.Unsubscribed():
                self._taken.pop(self._subscription(answer), None)
            case wire.Error():
                self._refused += answer.error_code == _INVALID_TOPIC
                text = f"{answer.error_code} {answer.message} {answer.field}".rstrip()
                out = self._named() or [Rejected(None, text)]
        return out

    def _subscription(self, answer: wire.Subscribed | wire.Unsubscribed) -> Subscription:
        topic = answer.data
        # a topic is echoed as it was sent, and what was sent is in the table
        symbol = self.symbols.from_venue(f"{topic.quote_currency}-{topic.target_currency}")
        return Subscription(_OURS[answer.channel], symbol, topic.interval)

    def _named(self) -> list[Decoded]:
        # A bad topic is taken, gives one refusal and never sends. A symbol that sent anything is
        # listed, so its other topics are quiet and not bad. Where as many topics are silent as
        # were refused, they are those; where there are more, some are only quiet: wait.
        if not self._refused:
            return []
        heard = set(self._ours.values())
        silent = tuple(s for s in self._taken if s.symbol not in heard)
        if len(silent) > self._refused:
            return []
        named = len(silent) == self._refused
        self._refused = 0
        if not named:
            return []
        for subscription in silent:
            del self._taken[subscription]
        return [Rejected(None, f"{_INVALID_TOPIC} Invalid Topic", silent)]

    def _ticker(
        self, data: wire.TickerData | wire.ShortTickerData, receive_time: int | None
    ) -> Ticker:
        pair = f"{data.quote_currency}-{data.target_currency}"
        return Ticker(
            *self._head(pair, data.timestamp * 1000, receive_time),
            last=exact(data.last),
            # first, high and low are of the day since 00:00 UTC, not of 24 hours
            volume=exact(data.target_volume),
            quote_volume=exact(data.quote_volume),
            bid=given(data.bid_best_price),
            bid_amount=given(data.bid_best_qty),
            ask=given(data.ask_best_price),
            ask_amount=given(data.ask_best_qty),
        )

    def _candle(self, data: wire.ChartData, receive_time: int | None) -> Candle:
        if data.interval not in _PUSHED:
            raise FrameError(f"expected an interval of Coinone's, was {data.interval[:64]!r}")
        pair = f"{data.quote_currency}-{data.target_currency}"
        figures = Figures(
            *(data.candle_timestamp * 1000, data.first, data.high, data.low, data.last),
            volume=data.target_volume,
            quote_volume=data.quote_volume,
            exchange_time=data.timestamp * 1000,
        )
        symbol = self._ours.get(pair) or self._symbol(pair)
        return candle("coinone", symbol, data.interval, figures, receive_time, closed=False)

    def spent(self, headers: Mapping[str, str]) -> int | None:
        """Return the requests taken out of the bucket and not put back yet."""
        left = headers.get("public-ratelimit-remaining", "")
        size = headers.get("public-ratelimit-burst-capacity", str(SPEC.request_weight.count))
        return max(0, int(size) - int(left)) if left.isdecimal() and size.isdecimal() else None
