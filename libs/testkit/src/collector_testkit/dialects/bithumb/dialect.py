"""Bithumb: binary frames, one request that replaces the subscription, whole books of 15 levels."""

from __future__ import annotations

from typing import Final

from collector_core.numbers import exact
from collector_testkit.dialects.bithumb.control import LEVELS, read_call
from collector_testkit.dialects.bithumb.frames import SymbolFrames, plain
from collector_testkit.dialects.bithumb.listings import CATALOGUE, QUOTES, SYMBOLS
from collector_testkit.dialects.bithumb.rest import BithumbRest, refusal
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.messages import Action, Delivery, Reply
from collector_testkit.dialects.ticket_dialect import Refused, TicketDialect
from collector_testkit.market import Market, Trade
from collector_testkit.truth import TruthTrade

__all__ = ["BithumbDialect"]

_IDLE: Final = 60.0
"""As seen; the documentation says 120."""
_UP_FIRST: Final = 3_000_000
_REQUESTS: Final = 150


class BithumbDialect(TicketDialect[SymbolFrames]):
    """The exchange's side of a Bithumb connection."""

    name = "bithumb"
    catalogue = CATALOGUE
    quotes = QUOTES
    symbols = SYMBOLS
    book_levels = LEVELS
    book_unit = 10_000
    max_attempts = (10, 1.0)
    idle = _IDLE
    first_up = _UP_FIRST

    def __init__(self, market: Market, limits: Limits | None = None) -> None:
        super().__init__(market, limits)
        self._rest = BithumbRest(self._codes, self.limits.weight or _REQUESTS)

    def frames_of(self, symbol: str) -> SymbolFrames:
        """Return what writes the frames of a symbol."""
        return SymbolFrames(self.market.symbols[symbol], self.to_venue(symbol))

    def fact(self, trade: Trade) -> TruthTrade:
        """Return a trade as the trade stream tells it."""
        frames = self._frames[trade.symbol]
        return TruthTrade(
            self.name,
            trade.symbol,
            str(frames.sequential_id(trade)),
            exact(plain(frames.price(trade.price))),
            exact(plain(frames.size(trade.amount))),
            trade.side,
            trade.time // 1000 * 1000,
        )

    # --- connections -------------------------------------------------------------------------

    def received(self, connection: int, message: str | bytes, now: int) -> list[Action]:
        """Take up ``PING``, replace the subscription, or refuse and close."""
        held = self._connections[connection]
        held.active = now
        if message in {"PING", b"PING"}:
            return self._ping(connection, held, now)
        try:
            wanted, short = read_call(message)
        except Refused as refused:
            return self._refuse(connection, refused, now)
        return self._subscribe(connection, "SIMPLE" if short else "DEFAULT", wanted, now)

    # --- what happens to the exchange ----------------------------------------------------------

    def reject(self, connection: int, message: str | bytes, now: int) -> list[Action] | None:
        """Answer a request for streams with an error, and close, as for an unknown type."""
        try:
            wanted, _ = read_call(message)
        except Refused:
            return None
        text = f"{wanted[0].type} 은 지원하지 않는 타입입니다."
        return self._refuse(connection, Refused("INVALID_PARAM", text), now)

    def acknowledges(self, _message: str | bytes, _frame: Delivery) -> bool:
        """Tell that no frame acknowledges anything here."""
        return False

    # --- frames ------------------------------------------------------------------------------

    def on_tick(self, now: int) -> list[Action]:
        """Return the books that changed at any depth; what they show may be what they showed."""
        out: list[Action] = []
        self._go_on(now)
        for symbol in self._changed:
            self._push(out, "orderbook", self._frames[symbol], None, now)
        self._changed.clear()
        return out

    def refusal(self, status: int, retry_after: float | None) -> Reply:
        """Return the exchange's answer to a client that is throttled, or when it fails."""
        return refusal(status, retry_after)
