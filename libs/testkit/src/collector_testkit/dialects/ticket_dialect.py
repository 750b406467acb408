"""Two Korean exchanges: binary frames, and requests that replace the whole subscription."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec

from collector_core.symbols import split
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.messages import Action, Delivery, Request
from collector_testkit.dialects.sockets import Socket, SocketDialect
from collector_testkit.dialects.ticket_frames import TicketFrames
from collector_testkit.market import Market, MarketEvent, Trade

__all__ = ["Refused", "TicketDialect", "TicketSocket", "Variant", "Wanted"]

_TENTH: Final = 100_000
_SECOND: Final = 1_000_000
_UP: Final = b'{"status":"UP"}'
_UP_EVERY: Final = 10 * _SECOND
_CLOSE_AFTER: Final = 150_000
"""Microseconds between an error frame and the close that follows it."""
_CHANNELS: Final = {"trade": "trade", "ticker": "ticker", "orderbook": "book"}

Key: TypeAlias = tuple[str, str]
"""Type and code."""
Variant: TypeAlias = tuple[str, int]
"""Format, and levels of an order book."""
Frames = TypeVar("Frames", bound=TicketFrames)


class Refused(Exception):
    """The exchange answers with an error and closes; its text is the error's name."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(name)
        self.frame = msgspec.json.encode({"error": {"name": name, "message": message}})


class Wanted(NamedTuple):
    """One type of one market."""

    type: str
    code: str
    depth: int
    """Levels of an order book; 0 for the other types."""
    snapshot: bool
    realtime: bool


class TicketSocket(Socket):
    """An open connection, and what it asked for last.

    Args:
        now: when it was opened.
    """

    def __init__(self, now: int) -> None:
        super().__init__(now)
        self.format = "DEFAULT"
        self.wanted: list[Wanted] = []
        self.pinged = False


class TicketDialect(SocketDialect[TicketSocket, Key, Variant], Generic[Frames]):
    """Base of the dialects of both."""

    websocket_path = "/websocket/v1"
    step = _TENTH
    first_up: ClassVar[int] = 0
    """Microseconds between a PING and its answer; none for an answer at once."""

    def __init__(self, market: Market, limits: Limits | None = None) -> None:
        super().__init__(market, limits)
        self._frames: dict[str, Frames] = {}
        self._codes: dict[str, Frames] = {}
        for symbol in market.symbols:
            self.listed(symbol)
        # symbols whose book changed since the last tenth of a second
        self._changed: dict[str, None] = {}
        # symbols that traded since the last second
        self._traded: dict[str, None] = {}

    @classmethod
    def to_venue(cls, symbol: str) -> str:
        """Return ``KRW-BTC`` for ``BTC/KRW``."""
        base, quote = split(symbol)
        return f"{quote}-{base}"

    def frames_of(self, symbol: str) -> Frames:
        """Return what writes the frames of a symbol."""
        raise NotImplementedError(f"{self.name} writes no frames of {symbol}")

    # --- connections -------------------------------------------------------------------------

    def socket(self, _connection: int, _request: Request, now: int) -> TicketSocket:
        """Return a connection that asked for nothing yet."""
        return TicketSocket(now)

    def heard(self, connection: int, now: int) -> None:
        """Note that the connection is not idle."""
        self._connections[connection].active = now

    def closed(self, connection: int) -> None:
        """Forget a connection."""
        super().closed(connection)
        if not self._connections:
            self._changed.clear()

    def _ping(self, connection: int, held: TicketSocket, now: int) -> list[Action]:
        if not held.pinged:
            held.pinged = True
            first = now + (self.first_up or _UP_EVERY)
            self.at(first, lambda time: self._up(connection, time))
        return [] if self.first_up else [Delivery(_UP, (connection,), binary=True)]

    def _up(self, connection: int, now: int) -> list[Action]:
        if connection not in self._connections:
            return []
        self._connections[connection].active = now
        self.at(now + _UP_EVERY, lambda time: self._up(connection, time))
        return [Delivery(_UP, (connection,), binary=True)]

    def _refuse(self, connection: int, refused: Refused, now: int) -> list[Action]:
        self._streams.drop(connection)
        self.at(now + _CLOSE_AFTER, lambda _: self._close(connection, 1000))
        return [Delivery(refused.frame, (connection,), binary=True)]

    # --- what happens to the exchange ----------------------------------------------------------

    def listed(self, symbol: str) -> list[Action]:
        """Take a symbol; clients find it in the list of markets and ask for it anew."""
        frames = self._frames[symbol] = self.frames_of(symbol)
        self._codes[frames.code] = frames
        return []

    def delisted(self, symbol: str) -> list[Action]:
        """Drop a symbol; its streams stay subscribed and are silent."""
        del self._codes[self._frames.pop(symbol).code]
        self._changed.pop(symbol, None)
        self._traded.pop(symbol, None)
        return []

    # --- frames ------------------------------------------------------------------------------

    def publish(self, events: Sequence[MarketEvent]) -> list[Action]:
        """Return trades and tickers; note what changed for what follows the clock."""
        out: list[Action] = []
        if not self._connections:
            return out
        for event in events:
            if not isinstance(event, Trade):
                self._changed[event.symbol] = None
                continue
            frames = self._frames[event.symbol]
            self._traded[event.symbol] = None
            for kind in ("trade", "ticker"):
                self._push(out, kind, frames, event, event.time)
        return out

    def _push(
        self, out: list[Action], kind: str, frames: Frames, trade: Trade | None, now: int
    ) -> None:
        for variant, to in self._streams.listeners((kind, frames.code)).items():
            payload = self._render(kind, frames, variant, trade, "REALTIME")
            out.append(self._frame(kind, frames, payload, to, now))

    def _subscribe(
        self, connection: int, form: str, wanted: list[Wanted], now: int
    ) -> list[Action]:
        held = self._connections[connection]
        self._streams.drop(connection)
        held.format, held.wanted = form, wanted
        out: list[Action] = []
        for item in wanted:
            # an unknown, delisted or lower-case code is ignored without an error
            frames = self._codes.get(item.code)
            if frames is None:
                continue
            variant = (form, item.depth)
            if item.realtime:
                self._streams.add(connection, (item.type, item.code), variant)
            last = frames.market.tape.last
            if item.snapshot and (last is not None or item.type == "orderbook"):
                payload = self._render(item.type, frames, variant, last, "SNAPSHOT")
                out.append(self._frame(item.type, frames, payload, (connection,), now))
        return out

    def _render(
        self, kind: str, frames: Frames, variant: Variant, trade: Trade | None, stream: str
    ) -> str:
        short = variant[0].startswith("SIMPLE")
        if trade is None or kind == "orderbook":
            return frames.book(frames.units(variant[1]), stream, short=short)
        write = frames.trade if kind == "trade" else frames.ticker
        return write(trade, stream, short=short)

    def _frame(
        self, kind: str, frames: Frames, payload: str, to: tuple[int, ...], now: int
    ) -> Delivery:
        for connection in to:
            self._connections[connection].active = now
        channel = _CHANNELS.get(kind, "candle")
        return Delivery(payload.encode(), to, binary=True, channel=channel, symbol=frames.symbol)
