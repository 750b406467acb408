"""Upbit: subscriptions to frames, frames to outputs."""

from __future__ import annotations

from typing import ClassVar, Final

import msgspec

from collector_core.errors import FrameError
from collector_core.events import Candle, Level
from collector_core.symbols import SymbolTable
from collector_exchanges.upbit import wire
from collector_exchanges.upbit.rest import UpbitRest
from collector_exchanges.upbit.spec import INTERVALS, REST_INTERVALS, SPEC
from collector_feed import ticket_wire
from collector_feed.adapter import Rest
from collector_feed.candle_rows import candle
from collector_feed.json_numbers import UnitBooks
from collector_feed.outputs import Decoded, Rejected
from collector_feed.spec import Spec
from collector_feed.spellings import quote_first
from collector_feed.ticket_adapter import TicketAdapter
from collector_feed.ticket_rest import figures
from collector_feed.times import DateTimes
from collector_feed.unreadable import UNREADABLE, unreadable

__all__ = ["UpbitAdapter"]

_INTERVALS: Final = {f"candle.{unit}": interval for interval, unit in INTERVALS.items()}


class UpbitAdapter(TicketAdapter):
    """One connection to ``/websocket/v1`` in the format DEFAULT; the others are understood too."""

    spec: ClassVar[Spec] = SPEC
    rest: ClassVar[Rest] = UpbitRest(SPEC, REST_INTERVALS)
    types: ClassVar = {
        ("trade", ""): "trade",
        ("ticker", ""): "ticker",
        ("book", ""): "orderbook",
        **{("candle", interval): f"candle.{unit}" for interval, unit in INTERVALS.items()},
    }

    def __init__(self, symbols: SymbolTable) -> None:
        super().__init__(symbols)
        self._open_times = DateTimes()
        self._simple_books = UnitBooks(wire.SimpleUnit)
        self._decode = msgspec.json.Decoder(wire.Default).decode
        self._decode_simple = msgspec.json.Decoder(wire.Simple).decode
        self._decode_candle = msgspec.json.Decoder(wire.Candle).decode
        self._decode_simple_candle = msgspec.json.Decoder(wire.SimpleCandle).decode
        self._decode_loose = msgspec.json.Decoder(wire.Loose | list[msgspec.Raw]).decode

    @staticmethod
    def read_symbol(venue_symbol: str) -> str:
        """Turn ``KRW-BTC`` round, whose quote stands first."""
        return quote_first(venue_symbol, SPEC.quotes)

    def on_frame(self, frame: bytes | memoryview, receive_time: int | None) -> list[Decoded]:
        """Return what a frame says; see the evidence table of this folder's README."""
        try:
            try:
                message = self._decode(frame)
            except msgspec.ValidationError:
                return self._untyped(frame, receive_time)
            return [self._output(message, receive_time)]
        except UNREADABLE as error:
            raise unreadable("an Upbit frame", frame, error) from error

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
            return [Rejected(None, str(loose.error))]
        if loose.status == "UP" or "LIST_SUBSCRIPTIONS" in {loose.method, loose.mthd}:
            return []
        raise FrameError(f"expected a known message, was {bytes(frame[:120])!r}")

    def _sides(self, message: ticket_wire.Orderbook) -> tuple[list[Level], list[Level]]:
        if isinstance(message, wire.SimpleOrderbook):
            return self._simple_books.read_each(message.orderbook_units)
        return super()._sides(message)

    def _candle(self, message: wire.Candle, receive_time: int | None) -> Candle:
        interval = _INTERVALS[message.type]
        symbol = self._ours.get(message.code) or self._symbol(message.code)
        said = figures(message, self._open_times)
        return candle("upbit", symbol, interval, said, receive_time, closed=False)
