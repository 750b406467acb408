"""Bithumb: frames to outputs; subscriptions are those of the tickets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from collector_core.symbols import SymbolTable
from collector_exchanges.bithumb import wire
from collector_exchanges.bithumb.rest import BithumbRest
from collector_exchanges.bithumb.spec import INTERVALS, SPEC
from collector_feed.adapter import Rest
from collector_feed.outputs import Decoded, Rejected
from collector_feed.spec import Spec
from collector_feed.spellings import quote_first
from collector_feed.ticket_adapter import TicketAdapter
from collector_feed.unreadable import UNREADABLE, unreadable

__all__ = ["BithumbAdapter"]


class BithumbAdapter(TicketAdapter):
    """One connection to ``/websocket/v1`` in the format DEFAULT."""

    spec: ClassVar[Spec] = SPEC
    rest: ClassVar[Rest] = BithumbRest(SPEC, INTERVALS)
    types: ClassVar = {("trade", ""): "trade", ("ticker", ""): "ticker", ("book", ""): "orderbook"}

    def __init__(self, symbols: SymbolTable) -> None:
        super().__init__(symbols)
        self._decode = msgspec.json.Decoder(wire.Message).decode
        self._decode_loose = msgspec.json.Decoder(wire.Loose).decode

    @staticmethod
    def read_symbol(venue_symbol: str) -> str:
        """Turn ``KRW-BTC`` round, whose quote stands first."""
        return quote_first(venue_symbol, SPEC.quotes)

    def on_frame(self, frame: bytes | memoryview, receive_time: int | None) -> list[Decoded]:
        """Return what a frame says; see the evidence table of this folder's README."""
        try:
            try:
                message = self._decode(frame)
            except msgspec.ValidationError as error:
                return self._other(frame, error)
            return [self._output(message, receive_time)]
        except UNREADABLE as error:
            raise unreadable("a Bithumb frame", frame, error) from error

    def _other(self, frame: bytes | memoryview, cause: msgspec.ValidationError) -> list[Decoded]:
        loose = self._decode_loose(frame)
        if loose.type is None:
            if loose.error is not None:
                return [Rejected(None, str(loose.error))]
            if loose.status == "UP":
                return []
        raise cause

    def spent(self, headers: Mapping[str, str]) -> int | None:
        """Return what is gone of the bucket of the answer's group; it fills within a second."""
        size = headers.get("x-ratelimit-burst-capacity", "")
        left = headers.get("x-ratelimit-remaining", "")
        if not (size.isdecimal() and left.isdecimal()):
            return None
        return max(0, int(size) - int(left))
