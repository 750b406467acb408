"""Upbit: subscriptions to frames, frames to outputs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import count
from typing import ClassVar, Final
from uuid import UUID

import msgspec

from collector_core import intervals
from collector_core.errors import FrameError, NumberError, SettingsError, SymbolError
from collector_core.events import Candle, Instrument, Ticker, Trade
from collector_core.symbols import SymbolTable, join
from collector_exchanges.upbit import rest, wire
from collector_exchanges.upbit.spec import INTERVALS, SPEC
from collector_exchanges.upbit.values import SIDES, LevelTexts, OpenTimes, levels, number
from collector_feed.adapter import Adapter
from collector_feed.outputs import BookSnapshot, Decoded, Rejected, Request, Send, Subscription
from collector_feed.spec import Spec

__all__ = ["UpbitAdapter"]

_TYPES: Final = {"trade": "trade", "ticker": "ticker", "book": "orderbook"}
_INTERVALS: Final = {f"candle.{unit}": interval for interval, unit in INTERVALS.items()}


class UpbitAdapter(Adapter):
    """One connection to ``/websocket/v1`` in the format DEFAULT; the others are understood too."""

    spec: ClassVar[Spec] = SPEC

    def __init__(self, symbols: SymbolTable) -> None:
        super().__init__(symbols)
        # their spelling -> ours, of the symbols seen on this connection
        self._ours: dict[str, str] = {}
        self._tickets = count(1)
        self._texts = LevelTexts()
        self._open_times = OpenTimes()
        self._decode = msgspec.json.Decoder(wire.Default).decode
        self._decode_simple = msgspec.json.Decoder(wire.Simple).decode
        self._decode_candle = msgspec.json.Decoder(wire.Candle).decode
        self._decode_simple_candle = msgspec.json.Decoder(wire.SimpleCandle).decode
        self._decode_loose = msgspec.json.Decoder(wire.Loose | list[msgspec.Raw]).decode

    @staticmethod
    def read_symbol(venue_symbol: str) -> str:
        """Turn ``KRW-BTC`` round, whose quote stands first."""
        quote, dash, base = venue_symbol.partition("-")
        if not dash or quote not in SPEC.quotes:
            raise SymbolError(
                f"expected one of {', '.join(SPEC.quotes)}, a dash and a currency, "
                f"was {venue_symbol[:64]!r}"
            )
        return join(base, quote)

    # --- subscriptions -----------------------------------------------------------------------

    def change(
        self,
        held: Collection[Subscription],
        add: Sequence[Subscription],
        remove: Sequence[Subscription],
    ) -> list[tuple[Send, tuple[Subscription, ...]]]:
        """Return one message with everything that is wanted: it replaces what was.

        There is no way to want nothing; when nothing is left, the last stream goes on unheard.
        """
        gone = frozenset(remove)
        wanted = [s for s in dict.fromkeys((*held, *add)) if s not in gone]
        if not wanted:
            return []
        codes: dict[str, list[str]] = {}
        for subscription in wanted:
            code = self.symbols.to_venue(subscription.symbol)
            codes.setdefault(_type(subscription), []).append(code)
        message = [
            {"ticket": str(UUID(int=next(self._tickets)))},
            *({"type": kind, "codes": listed} for kind, listed in codes.items()),
            {"format": "DEFAULT"},
        ]
        return [(Send(msgspec.json.encode(message).decode()), tuple(add))]

    # --- frames ------------------------------------------------------------------------------

    def on_frame(self, frame: bytes | memoryview, receive_time: int | None) -> list[Decoded]:
        """Return what a frame says; see the evidence table of this folder's README."""
        try:
            try:
                message = self._decode(frame)
            except msgspec.ValidationError:
                return self._untyped(frame, receive_time)
            return [self._output(message, receive_time)]
        except (
            *(msgspec.MsgspecError, NumberError, SymbolError, UnicodeDecodeError),
            RecursionError,  # nested beyond any message
        ) as error:
            raise FrameError(
                f"expected an Upbit frame, was {bytes(frame[:120])!r}: {error}"
            ) from error

    def _output(self, message: wire.Default | wire.Simple, receive_time: int | None) -> Decoded:
        match message:
            case wire.Trade() | wire.SimpleTrade():
                return Trade(
                    "upbit",
                    self._ours.get(message.code) or self._symbol(message.code),
                    message.trade_timestamp * 1000,
                    receive_time,
                    0,
                    0,
                    str(message.sequential_id),
                    number(message.trade_price),
                    number(message.trade_volume),
                    SIDES[message.ask_bid],
                )
            case wire.Orderbook() | wire.SimpleOrderbook():
                bids, asks = levels(message.orderbook_units, self._texts)
                return BookSnapshot(
                    self._ours.get(message.code) or self._symbol(message.code),
                    message.timestamp * 1000,
                    None,
                    bids,
                    asks,
                )
            case wire.Ticker() | wire.SimpleTicker():
                return Ticker(
                    exchange="upbit",
                    symbol=self._symbol(message.code),
                    exchange_time=message.timestamp * 1000,
                    receive_time=receive_time,
                    epoch=0,
                    seq=0,
                    last=number(message.trade_price),
                    # open, high, low and change are of the day since 00:00 UTC, not of 24 hours
                    volume=number(message.acc_trade_volume_24h),
                    quote_volume=number(message.acc_trade_price_24h),
                )

    def _untyped(self, frame: bytes | memoryview, receive_time: int | None) -> list[Decoded]:
        loose = self._decode_loose(frame)
        if isinstance(loose, wire.Loose):
            return self._object(frame, loose, receive_time)
        outputs: list[Decoded] = []
        for item in map(bytes, loose):
            inner = self._decode_loose(item)
            if not isinstance(inner, wire.Loose):
                raise FrameError(f"expected objects in a list, was {item[:120]!r}")
            outputs.extend(self._object(item, inner, receive_time))
        return outputs

    def _object(
        self, frame: bytes | memoryview, loose: wire.Loose, receive_time: int | None
    ) -> list[Decoded]:
        if loose.type is not None:
            if loose.type in _INTERVALS:
                return [self._candle(self._decode_candle(frame), receive_time)]
            return [self._output(self._decode(frame), receive_time)]
        if loose.ty is not None:
            if loose.ty in _INTERVALS:
                return [self._candle(self._decode_simple_candle(frame), receive_time)]
            return [self._output(self._decode_simple(frame), receive_time)]
        if loose.error is not None:
            return [Rejected(None, f"{loose.error.name} {loose.error.message}".rstrip())]
        if loose.status == "UP" or "LIST_SUBSCRIPTIONS" in {loose.method, loose.mthd}:
            return []
        raise FrameError(f"expected a known message, was {bytes(frame[:120])!r}")

    def _symbol(self, code: str) -> str:
        symbol = self._ours.get(code)
        if symbol is None:
            symbol = self._ours[code] = self.symbols.from_venue(code)
        return symbol

    def _candle(self, message: wire.Candle | wire.SimpleCandle, receive_time: int | None) -> Candle:
        interval = _INTERVALS[message.type]
        opened = self._open_times[message.candle_date_time_utc]
        return Candle(
            exchange="upbit",
            symbol=self._symbol(message.code),
            exchange_time=message.timestamp * 1000,
            receive_time=receive_time,
            epoch=0,
            seq=0,
            interval=interval,
            open_time=opened,
            close_time=intervals.close_time(interval, opened),
            open=number(message.opening_price),
            high=number(message.high_price),
            low=number(message.low_price),
            close=number(message.trade_price),
            volume=number(message.candle_acc_trade_volume),
            quote_volume=number(message.candle_acc_trade_price),
            trade_count=None,
            closed=False,
        )

    # --- REST --------------------------------------------------------------------------------

    def instruments(self) -> Request[list[Instrument]]:
        """Return the request for ``market/all``."""
        return rest.instruments()

    def book(self, symbol: str) -> Request[BookSnapshot]:
        """Return the request for the 30 best levels a side."""
        return rest.book(symbol, self.symbols.to_venue(symbol))

    def trades(self, symbol: str, from_id: str | None = None) -> Request[list[Trade]]:  # noqa: ARG002  # ids can only be paged back from
        """Return the request for the newest 500 trades of the UTC day."""
        return rest.trades(symbol, self.symbols.to_venue(symbol))

    def trades_before(self, symbol: str, before_id: str) -> Request[list[Trade]]:
        """Return the request for the 500 trades before one, to page back over a longer gap."""
        return rest.trades(symbol, self.symbols.to_venue(symbol), before_id)

    def candles(
        self, symbol: str, interval: str, start: int | None, end: int | None
    ) -> Request[list[Candle]]:
        """Return the request for the closed candles of up to 200 intervals.

        Without a trade there is no candle: a page may have fewer rows, or none, and more follow.
        """
        return rest.candles(symbol, self.symbols.to_venue(symbol), interval, start, end)


def _type(subscription: Subscription) -> str:
    try:
        if subscription.channel == "candle":
            return f"candle.{INTERVALS[subscription.interval]}"
        return _TYPES[subscription.channel]
    except KeyError:
        raise SettingsError(f"expected a stream that Upbit pushes, was {subscription}") from None
