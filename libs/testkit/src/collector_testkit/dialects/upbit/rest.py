"""Upbit's quotation REST (docs.upbit.com/kr/reference): limits and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from collector_core.intervals import open_time
from collector_core.symbols import split
from collector_testkit.dialects.budget import Budget
from collector_testkit.dialects.digits import shortest, trimmed
from collector_testkit.dialects.messages import Reply, Request
from collector_testkit.dialects.upbit.frames import SymbolFrames, moment
from collector_testkit.market import Candle, Trade

__all__ = ["UpbitRest", "refusal"]

_JSON: Final = ("Content-Type", "application/json;charset=UTF-8")
_MICRO: Final = 1_000_000
_DAY: Final = 86_400 * _MICRO
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


class _Failed(Exception):
    def __init__(self, status: int, name: str | int, message: str) -> None:
        super().__init__(message)
        self.reply = _error(status, name, message)


def _error(status: int, name: str | int, message: str) -> Reply:
    body = msgspec.json.encode({"error": {"name": name, "message": message}})
    return Reply(status, body, (_JSON,))


def refusal(status: int, retry_after: float | None) -> Reply:
    """Return the body of a throttled or failed request; this exchange sends no Retry-After."""
    if status == 429:
        return _error(status, "too_many_requests", "요청 수가 초과되었습니다.")
    if status == 418:
        text = (
            f"차단되었습니다. {0 if retry_after is None else retry_after:g}초 후에 다시 시도하세요."
        )
        return _error(status, "i_am_a_teapot", text)
    return _error(status, status, "서버 오류가 발생했습니다.")


class UpbitRest:
    """Answers requests.

    Args:
        symbols: the symbols by the exchange's spelling.
        limit: requests that a second admits, for each group of endpoints.
    """

    def __init__(self, symbols: Mapping[str, SymbolFrames], limit: int) -> None:
        self._symbols = symbols
        self._limit = limit
        self._budget = Budget(limit, 1.0)
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
            return _error(404, 404, "no Route matched with those values")
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
            except _Failed as failed:
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

    def _markets(self, request: Request, _now: int) -> Reply:
        details = request.query.get("is_details", "false") == "true"
        rows = []
        for code, symbol in self._symbols.items():
            base = split(symbol.symbol)[0]
            row: dict[str, object] = {"market": code, "korean_name": base, "english_name": base}
            if details:
                row["market_event"] = _MARKET_EVENT
            rows.append(row)
        return Reply(200, msgspec.json.encode(rows), (_JSON,), "instrument")

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
        return Reply(200, msgspec.json.encode(rows), (_JSON,), "instrument")

    def _books(self, request: Request, _now: int) -> Reply:
        count = min(30, _number(request, "count", 30))
        symbols = self._chosen(request)
        rows = [_book(symbol, count) for symbol in symbols]
        only = symbols[0].symbol if len(symbols) == 1 else ""
        return Reply(200, f"[{','.join(rows)}]".encode(), (_JSON,), "book", only)

    def _trades(self, request: Request, now: int) -> Reply:
        symbol = self._market(request)
        count = min(500, _number(request, "count", 1))
        days = _number(request, "days_ago", 0, least=0)
        if days > 7:
            raise _Failed(400, "invalid_parameter", "days_ago: 1-7")
        day = open_time("1d", now) - days * _DAY
        end = min(day + _DAY, _clock(request.query["to"], day) if "to" in request.query else now)
        trades = symbol.market.tape.between(day, end)
        if "cursor" in request.query:
            cursor = _number(request, "cursor", 0, least=0)
            trades = [trade for trade in trades if symbol.sequential_id(trade) < cursor]
        rows = [_trade(symbol, trade) for trade in reversed(trades[-count:])]
        return Reply(200, f"[{','.join(rows)}]".encode(), (_JSON,), "trade", symbol.symbol)

    def _candles(self, request: Request, now: int, interval: str, unit: str) -> Reply:
        symbol = self._market(request)
        count = min(200, _number(request, "count", 1))
        end = _instant(request.query["to"]) if request.query.get("to") else now + 1
        candles = symbol.market.tape.candles.range(interval, None, end)[-count:]
        rows = [_candle(symbol, candle, interval, unit) for candle in reversed(candles)]
        return Reply(200, f"[{','.join(rows)}]".encode(), (_JSON,), "candle", symbol.symbol)

    def _market(self, request: Request) -> SymbolFrames:
        return self._known(request.query.get("market", ""))

    def _chosen(self, request: Request) -> list[SymbolFrames]:
        return [self._known(code) for code in request.query.get("markets", "").split(",")]

    def _known(self, code: str) -> SymbolFrames:
        if not code:
            raise _Failed(400, "validation_error", "market: required")
        if code not in self._symbols:
            raise _Failed(404, 404, "Code not found")
        return self._symbols[code]


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


def _number(request: Request, name: str, default: int, least: int = 1) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 20 and int(text) >= least):
        raise _Failed(400, "validation_error", f"{name}: {text}")
    return int(text)


def _instant(text: str) -> int:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise _Failed(400, "validation_error", f"to: {text}") from None
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    return int(time.timestamp()) * _MICRO


def _clock(text: str, day: int) -> int:
    digits = text.replace(":", "")
    if len(digits) != 6 or not digits.isdecimal():
        raise _Failed(400, "validation_error", f"to: {text}")
    seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:])
    return day + seconds * _MICRO


def _plain(units: int) -> str:
    return trimmed(units, 8)


def _book(symbol: SymbolFrames, count: int) -> str:
    units = symbol.units(count)
    rows = ",".join(
        f'{{"ask_price":{_plain(ap)},"bid_price":{_plain(bp)},'
        f'"ask_size":{shortest(a, 8)},"bid_size":{shortest(b, 8)}}}'
        for ap, bp, a, b in units
    )
    return (
        f'{{"market":"{symbol.code}","timestamp":{symbol.market.changed // 1000},'
        f'"total_ask_size":{shortest(sum(unit[2] for unit in units), 8)},'
        f'"total_bid_size":{shortest(sum(unit[3] for unit in units), 8)},'
        f'"orderbook_units":[{rows}],"level":0}}'
    )


def _trade(symbol: SymbolFrames, trade: Trade) -> str:
    second = trade.time // _MICRO
    before = symbol.previous_close(trade.time)
    return (
        f'{{"market":"{symbol.code}","trade_date_utc":"{moment(second, "%Y-%m-%d")}",'
        f'"trade_time_utc":"{moment(second, "%H:%M:%S")}","timestamp":{trade.time // 1000},'
        f'"trade_price":{_plain(symbol.price(trade.price))},'
        f'"trade_volume":{shortest(symbol.size(trade.amount), 8)},'
        f'"prev_closing_price":{_plain(symbol.price(before))},'
        f'"change_price":{_plain(symbol.price(trade.price - before))},'
        f'"ask_bid":"{"BID" if trade.side == "buy" else "ASK"}",'
        f'"sequential_id":{symbol.sequential_id(trade)}}}'
    )


def _candle(symbol: SymbolFrames, candle: Candle, interval: str, unit: str) -> str:
    second = candle.open_time // _MICRO
    pattern = "%Y-%m-%dT%H:%M:%S"
    row = (
        f'{{"market":"{symbol.code}","candle_date_time_utc":"{moment(second, pattern)}",'
        f'"candle_date_time_kst":"{moment(second, pattern, korea=True)}",'
        f'"opening_price":{_plain(symbol.price(candle.open))},'
        f'"high_price":{_plain(symbol.price(candle.high))},'
        f'"low_price":{_plain(symbol.price(candle.low))},'
        f'"trade_price":{_plain(symbol.price(candle.close))},'
        f'"timestamp":{candle.last_time // 1000},'
        f'"candle_acc_trade_price":{trimmed(symbol.value(candle.quote), 16)},'
        f'"candle_acc_trade_volume":{_plain(symbol.size(candle.volume))}'
    )
    if unit:
        row += f',"unit":{unit}'
    elif interval == "1d":
        before = symbol.market.tape.candles.last_before("1d", candle.open_time)
        closing = symbol.market.listing.price_ticks if before is None else before.close
        change = candle.close - closing
        row += (
            f',"prev_closing_price":{_plain(symbol.price(closing))},'
            f'"change_price":{_plain(symbol.price(change))},'
            f'"change_rate":{shortest(change * 10**10 // closing, 10)}'
        )
    elif interval in {"1w", "1M"}:
        row += f',"first_day_of_period":"{moment(second, "%Y-%m-%d")}"'
    return row + "}"
