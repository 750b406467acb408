"""Upbit: binary frames, one request that replaces the subscription, whole books."""

from __future__ import annotations

from typing import Final

import msgspec

from collector_testkit.dialects.budget import Budget
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.digits import fixed
from collector_testkit.dialects.messages import Action, Delivery, Reply, Request
from collector_testkit.dialects.ticket_dialect import Refused, TicketDialect, TicketSocket, Variant
from collector_testkit.dialects.ticket_frames import Unit
from collector_testkit.dialects.upbit.control import CANDLES, Call, read_call
from collector_testkit.dialects.upbit.frames import SymbolFrames
from collector_testkit.dialects.upbit.listings import CATALOGUE, QUOTES, SYMBOLS
from collector_testkit.dialects.upbit.rest import UpbitRest, refusal
from collector_testkit.market import Market, Trade
from collector_testkit.truth import TruthTrade

__all__ = ["UpbitDialect"]

_SECOND: Final = 1_000_000
_IDLE: Final = 120.0
_REQUESTS: Final = 10
_CONNECTS: Final = 5
_MESSAGES: Final = 5
_MESSAGES_A_MINUTE: Final = 100


class UpbitDialect(TicketDialect[SymbolFrames]):
    """The exchange's side of an Upbit connection."""

    name = "upbit"
    catalogue = CATALOGUE
    quotes = QUOTES
    symbols = SYMBOLS
    book_levels = 30
    idle = _IDLE

    def __init__(self, market: Market, limits: Limits | None = None) -> None:
        super().__init__(market, limits)
        self._rest = UpbitRest(self._codes, self.limits.weight or _REQUESTS)
        self._connects = Budget(_CONNECTS, 1.0)
        # levels that were sent last, by code and depth
        self._shown: dict[tuple[str, int], list[Unit]] = {}

    def frames_of(self, symbol: str) -> SymbolFrames:
        """Return what writes the frames of a symbol."""
        return SymbolFrames(self.market.symbols[symbol], self.to_venue(symbol))

    def fact(self, trade: Trade) -> TruthTrade:
        """Return a trade as the trade stream tells it in the format DEFAULT."""
        frames = self._frames[trade.symbol]
        return TruthTrade(
            self.name,
            trade.symbol,
            str(frames.sequential_id(trade)),
            fixed(frames.price(trade.price), 8),
            fixed(frames.size(trade.amount), 8),
            trade.side,
            trade.time // 1000 * 1000,
        )

    # --- connections -------------------------------------------------------------------------

    def handshake(self, request: Request, now: int) -> Reply | None:
        """Refuse other paths, and more than five connections a second."""
        refused = super().handshake(request, now)
        # tests set another limit, which the venue enforces
        if refused is not None or self.limits.attempts is not None:
            return refused
        verdict = self._connects.take(request.client, 1, now)
        return None if verdict.status == 200 else refusal(verdict.status, verdict.retry_after)

    def received(self, connection: int, message: str | bytes, now: int) -> list[Action]:
        """Answer ``PING``, replace the subscription, or refuse and close."""
        held = self._connections[connection]
        held.active = now
        if not self._admit(held, now):
            return self._refuse(connection, Refused("Too Many Requests", "429"), now)
        if message in {"PING", b"PING"}:
            return self._ping(connection, held, now)
        try:
            call = read_call(message)
        except Refused as refused:
            return self._refuse(connection, refused, now)
        if call.list_only:
            return [Delivery(_listed(call, held), (connection,), binary=True)]
        return self._subscribe(connection, call.format, call.wanted, now)

    def _admit(self, held: TicketSocket, now: int) -> bool:
        in_a_minute = held.count(now, 60)
        limit = self.limits.messages or _MESSAGES
        return held.recent(now) <= limit and in_a_minute <= _MESSAGES_A_MINUTE

    # --- what happens to the exchange ----------------------------------------------------------

    def reject(self, connection: int, message: str | bytes, now: int) -> list[Action] | None:
        """Answer a request for streams with an error, and close, as for an unknown type."""
        try:
            call = read_call(message)
        except Refused:
            return None
        if call.list_only:
            return None
        refused = Refused("INVALID_PARAM", "요청 값이 올바르지 않습니다.")
        return self._refuse(connection, refused, now)

    # --- frames ------------------------------------------------------------------------------

    def on_tick(self, now: int) -> list[Action]:
        """Return the books that changed, and each second the candles that a trade changed."""
        out: list[Action] = []
        self._go_on(now)
        for symbol in self._changed:
            frames = self._frames[symbol]
            shown: dict[int, bool] = {}
            for variant, connections in self._streams.listeners(("orderbook", frames.code)).items():
                depth = variant[1]
                if depth not in shown:
                    units = frames.units(depth)
                    shown[depth] = self._shown.get((frames.code, depth)) != units
                    self._shown[frames.code, depth] = units
                if shown[depth]:
                    payload = self._render("orderbook", frames, variant, None, "REALTIME")
                    out.append(self._frame("orderbook", frames, payload, connections, now))
        self._changed.clear()
        if not now % _SECOND:
            self._candles(out, now)
        return out

    def refusal(self, status: int, retry_after: float | None) -> Reply:
        """Return the exchange's answer to a client that is throttled, or when it fails."""
        return refusal(status, retry_after)

    def _candles(self, out: list[Action], now: int) -> None:
        for symbol in self._traded:
            for kind in CANDLES:
                self._push(out, kind, self._frames[symbol], None, now)
        self._traded.clear()

    def _render(
        self, kind: str, frames: SymbolFrames, variant: Variant, trade: Trade | None, stream: str
    ) -> str:
        if kind in CANDLES:
            candle = frames.market.tape.candles.latest(CANDLES[kind])
            if candle is None:
                raise ValueError(f"expected a trade of {frames.symbol} before {kind}, was none")
            short = variant[0].startswith("SIMPLE")
            payload = frames.candle(kind, candle, stream, short=short)
        else:
            payload = super()._render(kind, frames, variant, trade, stream)
        return f"[{payload}]" if variant[0].endswith("LIST") else payload


def _listed(call: Call, held: TicketSocket) -> bytes:
    codes: dict[str, list[str]] = {}
    for wanted in held.wanted:
        codes.setdefault(wanted.type, []).append(wanted.code)
    short = held.format.startswith("SIMPLE")
    names = ("ty", "cds", "lv") if short else ("type", "codes", "level")
    result: list[dict[str, object]] = []
    for kind, listed in codes.items():
        row: dict[str, object] = {names[0]: kind, names[1]: listed}
        if kind == "orderbook":
            row[names[2]] = 0
        result.append(row)
    method, rows, ticket = ("mthd", "rslt", "tckt") if short else ("method", "result", "ticket")
    return msgspec.json.encode({method: "LIST_SUBSCRIPTIONS", rows: result, ticket: call.ticket})
