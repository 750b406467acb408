"""Upbit's quotation REST (docs.upbit.com/kr/reference): limits and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from collector_core.symbols import split
from collector_testkit.dialects.budget import Budget
from collector_testkit.dialects.digits import shortest, trimmed
from collector_testkit.dialects.messages import Reply, Request
from collector_testkit.dialects.ticket_frames import moment
from collector_testkit.dialects.ticket_rest import (
    DAY,
    JSON,
    MICRO,
    Failed,
    TicketRest,
    error,
    rows_of,
)
from collector_testkit.dialects.upbit.frames import SymbolFrames
from collector_testkit.market import Candle

__all__ = ["UpbitRest", "refusal"]

_UNITS: Final = {
    "1": "1m",
    "3": "3m",
    "5": "5m",
    "10": "10m",
    "15": "15m",
    "30": "30m",
    "60": "1h",
    "240": "4h",
}
_PERIODS: Final = {"days": "1d", "weeks": "1w", "months": "1M"}


_MARKET_EVENT: Final = {
    "warning": False,
    "caution": {
        "PRICE_FLUCTUATIONS": False,
        "TRADING_VOLUME_SOARING": False,
        "DEPOSIT_AMOUNT_SOARING": False,
        "GLOBAL_PRICE_DIFFERENCES": False,
        "CONCENTRATION_OF_SMALL_ACCOUNTS": False,
    },
}


def refusal(status: int, retry_after: float | None) -> Reply:
    """Return the body of a throttled or failed request; this exchange sends no Retry-After."""
    if status == 429:
        return error(status, "too_many_requests", "요청 수가 초과되었습니다.")
    if status == 418:
        text = (
            f"차단되었습니다. {0 if retry_after is None else retry_after:g}초 후에 다시 시도하세요."
        )
        return error(status, "i_am_a_teapot", text)
    return error(status, status, "서버 오류가 발생했습니다.")


class UpbitRest(TicketRest[SymbolFrames]):
    """Answers requests."""

    DAYS_AGO = "days_ago"
    details = ("is_details", "market_event", _MARKET_EVENT)

    def __init__(self, symbols: Mapping[str, SymbolFrames], limit: int) -> None:
        super().__init__(symbols, limit)
        self._origin = Budget(1, 10.0)
        # path -> group of limits and answer
        self._answers: dict[str, tuple[str, Callable[[Request, int], Reply]]] = {
            "/v1/market/all": ("market", self._markets),
            "/v1/orderbook": ("orderbook", self._books),
            "/v1/orderbook/instruments": ("orderbook", self._instruments),
            "/v1/trades/ticks": ("trade", self._trades),
        }

    def answer(self, request: Request, now: int) -> Reply:
        """Return the answer of a request, with what is left of its group in the headers."""
        group, answer = self._find(request.path)
        if answer is None:
            return error(404, 404, "no Route matched with those values")
        if "origin" in request.headers:
            group, verdict = "origin", self._origin.take(request.client, 1, now)
            left = 0
        else:
            verdict = self._budget.take(f"{group}|{request.client}", 1, now)
            left = max(0, self._limit - verdict.used)
        if verdict.status != 200:
            reply = refusal(verdict.status, verdict.retry_after)
        else:
            try:
                reply = answer(request, now)
            except Failed as failed:
                reply = failed.reply
        remaining = ("Remaining-Req", f"group={group}; min=600; sec={left}")
        return msgspec.structs.replace(reply, headers=(*reply.headers, remaining))

    def _find(self, path: str) -> tuple[str, Callable[[Request, int], Reply] | None]:
        if path in self._answers:
            return self._answers[path]
        head, _, rest = path.partition("/v1/candles/")
        if head or not rest:
            return "", None
        kind, _, unit = rest.partition("/")
        if kind == "seconds" and not unit:
            return "candle", lambda request, now: self._candles(request, now, "1s", "")
        if kind == "minutes" and unit in _UNITS:
            return "candle", lambda request, now: self._candles(request, now, _UNITS[unit], unit)
        if kind in _PERIODS and not unit:
            return "candle", lambda request, now: self._candles(request, now, _PERIODS[kind], "")
        return "", None

    def _instruments(self, request: Request, _now: int) -> Reply:
        rows = [
            {
                "market": symbol.code,
                "quote_currency": split(symbol.symbol)[1],
                "tick_size": trimmed(symbol.price(1), 8),
                "supported_levels": ["0"],
            }
            for symbol in self._chosen(request)
        ]
        return Reply(200, msgspec.json.encode(rows), (JSON,), "instrument")

    def _books(self, request: Request, _now: int) -> Reply:
        count = min(30, self.number(request, "count", 30))
        symbols = self._chosen(request)
        rows = [self.book_row(symbol, count, ',"level":0') for symbol in symbols]
        return rows_of(rows, "book", symbols[0] if len(symbols) == 1 else None)

    def day_end(self, request: Request, day: int, now: int) -> int:
        """Return where the wanted part of a day ends."""
        return min(day + DAY, _clock(request.query["to"], day) if "to" in request.query else now)

    def _candles(self, request: Request, now: int, interval: str, unit: str) -> Reply:
        end = _instant(request.query["to"]) if request.query.get("to") else None
        symbol, candles = self._candle_rows(request, now, interval, end)
        more = f',"unit":{unit}' if unit else ""
        rows = [
            self.candle_row(symbol, candle, more or self._period(symbol, candle, interval))
            for candle in candles
        ]
        return rows_of(rows, "candle", symbol)

    def _period(self, symbol: SymbolFrames, candle: Candle, interval: str) -> str:
        if interval == "1d":
            before = symbol.market.tape.candles.last_before("1d", candle.open_time)
            closing = symbol.market.listing.price_ticks if before is None else before.close
            change = candle.close - closing
            return (
                f',"prev_closing_price":{self.plain(symbol.price(closing))},'
                f'"change_price":{self.plain(symbol.price(change))},'
                f'"change_rate":{shortest(change * 10**10 // closing, 10)}'
            )
        if interval in {"1w", "1M"}:
            day = moment(candle.open_time // MICRO, "%Y-%m-%d")
            return f',"first_day_of_period":"{day}"'
        return ""

    # --- in the exchange's words ---------------------------------------------------------------

    def wrong(self, text: str) -> Failed:
        """Return the failure of a parameter that cannot be read."""
        return _wrong(text)

    def known(self, code: str) -> SymbolFrames:
        """Return the symbol of a code; raises ``Failed``."""
        if not code:
            raise _wrong("market: required")
        if code not in self._symbols:
            raise Failed(error(404, 404, "Code not found"))
        return self._symbols[code]

    def small(self, units: int) -> str:
        """Return an amount of a trade."""
        return shortest(units, 8)

    def book_size(self, units: int) -> str:
        """Return an amount of a book."""
        return shortest(units, 8)

    def _chosen(self, request: Request) -> list[SymbolFrames]:
        return [self.known(code) for code in request.query.get("markets", "").split(",")]


def _instant(text: str) -> int:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise _wrong(f"to: {text}") from None
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    return int(time.timestamp()) * MICRO


def _clock(text: str, day: int) -> int:
    digits = text.replace(":", "")
    if len(digits) != 6 or not digits.isdecimal():
        raise _wrong(f"to: {text}")
    seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:])
    return day + seconds * MICRO


def _wrong(text: str) -> Failed:
    return Failed(error(400, "validation_error", text))
