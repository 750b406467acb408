"""Bithumb's public REST (apidocs.bithumb.com): limits and answers.

What is wrong with a request is told with HTTP status 200; only a path that does not exist is a 404.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from collector_testkit.dialects.bithumb.frames import SymbolFrames, plain, rest_id
from collector_testkit.dialects.digits import fixed, trimmed
from collector_testkit.dialects.messages import Reply, Request
from collector_testkit.dialects.ticket_frames import AHEAD
from collector_testkit.dialects.ticket_rest import JSON, MICRO, Failed, TicketRest, error, rows_of
from collector_testkit.market import Trade

__all__ = ["BithumbRest", "refusal"]

_BAN: Final = 60.0
"""Seconds for which an address is refused that goes on over the limit."""
_UNITS: Final = {
    "1": "1m",
    "3": "3m",
    "5": "5m",
    "10": "10m",
    "15": "15m",
    "30": "30m",
    "60": "1h",
}
_MISSING: Final = "Missing request parameter error. Check the required parameters!"


def refusal(status: int, _retry_after: float | None) -> Reply:
    """Return the body of a throttled or failed request; no Retry-After was ever seen."""
    if status in {429, 418}:
        # what the exchange answers was not observed; that a ban has a status of its own neither
        return error(429, "too_many_requests", "요청 수가 초과되었습니다.")
    return error(status, "server_error", "서버 오류가 발생했습니다.")


class BithumbRest(TicketRest[SymbolFrames]):
    """Answers requests."""

    DAYS_AGO = "daysAgo"
    details = ("isDetails", "market_warning", "NONE")

    def __init__(self, symbols: Mapping[str, SymbolFrames], limit: int) -> None:
        super().__init__(symbols, limit, _BAN)
        # path -> group of limits and answer
        self._answers: dict[str, tuple[str, Callable[[Request, int], Reply]]] = {
            "/v1/market/all": ("other", self._markets),
            "/v1/orderbook": ("orderbook", self._books),
            "/v1/trades/ticks": ("trades", self._trades),
            **{f"/v1/candles/minutes/{unit}": ("candles", self._candles) for unit in _UNITS},
        }

    def answer(self, request: Request, now: int) -> Reply:
        """Return the answer of a request, with what is left of its group in the headers."""
        if request.path not in self._answers:
            body = {"name": "not_found", "message": "No Route matched with those values"}
            return Reply(404, msgspec.json.encode(body), (JSON,))
        group, answer = self._answers[request.path]
        verdict = self._budget.take(f"{group}|{request.client}", 1, now)
        if verdict.status != 200:
            reply = refusal(verdict.status, verdict.retry_after)
        else:
            try:
                reply = answer(request, now)
            except Failed as failed:
                reply = failed.reply
        limits = (
            ("x-ratelimit-remaining", str(max(0, self._limit - verdict.used))),
            ("x-ratelimit-requested-tokens", "1"),
            ("x-ratelimit-burst-capacity", str(self._limit)),
            ("x-ratelimit-replenish-rate", str(self._limit)),
        )
        return msgspec.structs.replace(reply, headers=(*reply.headers, *limits))

    def _books(self, request: Request, _now: int) -> Reply:
        codes = request.query.get("markets", "").split(",")
        symbols = [self.known(code) for code in codes]
        rows = [self.book_row(symbol, 30 if len(symbols) == 1 else 15) for symbol in symbols]
        return rows_of(rows, "book", symbols[0] if len(symbols) == 1 else None)

    def _candles(self, request: Request, now: int) -> Reply:
        unit = request.path.rpartition("/")[2]
        end = _instant(request.query["to"]) if request.query.get("to") else None
        symbol, candles = self._candle_rows(request, now, _UNITS[unit], end)
        rows = [self.candle_row(symbol, candle, f',"unit":{unit}') for candle in candles]
        return rows_of(rows, "candle", symbol)

    # --- in the exchange's words ---------------------------------------------------------------

    def wrong(self, text: str) -> Failed:
        """Return the failure of a parameter that cannot be read."""
        return _failed(400, text)

    def known(self, code: str) -> SymbolFrames:
        """Return the symbol of a code, in either case, unlike the socket; raises ``Failed``."""
        if not code:
            raise _failed(400, _MISSING)
        symbol = self._symbols.get(code.upper())
        if symbol is None:
            raise _failed(404, "Code not found")
        return symbol

    def small(self, units: int) -> str:
        """Return an amount of a trade."""
        return plain(units)

    def book_size(self, units: int) -> str:
        """Return an amount of a book, in units of 10**-4."""
        return trimmed(units, 4)

    def total(self, units: int) -> str:
        """Return the sum of the amounts of a book, with all decimals."""
        return fixed(units, 4)

    def plain(self, units: int) -> str:
        """Return a price or a volume."""
        return plain(units)

    def ident(self, _frames: SymbolFrames, trade: Trade) -> int:
        """Return REST's own id of a trade."""
        return rest_id(trade)


def _failed(name: int, message: str) -> Failed:
    # the status of a refusal is 200
    return Failed(error(200, name, message))


def _instant(text: str) -> int:
    """Return the time of a text of Korea's clock."""
    try:
        time = datetime.strptime(text.replace(" ", "T"), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise _failed(400, f"to: {text}") from None
    return int(time.timestamp()) * MICRO - AHEAD
