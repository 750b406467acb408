"""Binance's REST for market data (rest-api.md of binance-spot-api-docs): weights and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from math import ceil
from typing import Any, Final

import msgspec

from collector_testkit.dialects.binance.frames import SymbolFrames
from collector_testkit.dialects.binance.streams import INTERVALS
from collector_testkit.dialects.budget import Budget
from collector_testkit.dialects.messages import Reply, Request
from collector_testkit.dialects.whole_candles import whole_candles
from collector_testkit.market import Trade

__all__ = ["BinanceRest", "refusal"]

_JSON: Final = ("Content-Type", "application/json;charset=UTF-8")
_WEIGHTS: Final[dict[str, int]] = {
    "ping": 1,
    "time": 1,
    "exchangeInfo": 20,
    "depth": 5,
    "trades": 25,
    "historicalTrades": 25,
    "aggTrades": 4,
    "klines": 2,
}
_MAX_ROWS: Final = 1000
_MAX_LEVELS: Final = 5000


class _BadRequest(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def _error(status: int, code: int, message: str) -> Reply:
    return Reply(status, msgspec.json.encode({"code": code, "msg": message}), (_JSON,))


def refusal(status: int, retry_after: float | None) -> Reply:
    """Return the body and headers of a throttled or failed request."""
    if status == 418:
        reply = _error(status, -1003, "Way too much request weight used; IP banned.")
    elif status == 429:
        reply = _error(status, -1003, "Too much request weight used; current limit is exceeded.")
    elif status == 403:
        reply = Reply(status, b"<html><body>403 Forbidden</body></html>")
    else:
        reply = _error(status, -1001, "Internal error; unable to process your request.")
    if retry_after is not None:
        header = ("Retry-After", str(ceil(retry_after)))
        reply = msgspec.structs.replace(reply, headers=(*reply.headers, header))
    return reply


class BinanceRest:
    """Answers requests.

    Args:
        symbols: the symbols by the exchange's spelling.
        weight: request weight that a minute admits.
    """

    def __init__(self, symbols: Mapping[str, SymbolFrames], weight: int) -> None:
        self._symbols = symbols
        self._budget = Budget(weight, 60.0)
        # rows of exchangeInfo, written once: thousands of them take a third of a second
        self._rows: dict[str, msgspec.Raw] = {}
        self._answers: dict[str, Callable[[Request, int], Reply]] = {
            "ping": lambda _request, _now: Reply(200, b"{}"),
            "time": lambda _request, now: _ok({"serverTime": now // 1000}),
            "exchangeInfo": self._exchange_info,
            "depth": self._depth,
            "trades": self._trades,
            "historicalTrades": self._historical_trades,
            "aggTrades": self._aggregates,
            "klines": self._klines,
        }

    def answer(self, request: Request, now: int) -> Reply:
        """Return the answer of a request, with the weight used in its headers."""
        head, _, name = request.path.rpartition("/")
        if head != "/api/v3" or name not in self._answers:
            return Reply(404, b"<html><body>404 Not found</body></html>")
        weight = _WEIGHTS[name]
        if name == "depth":
            weight = _depth_weight(request.query.get("limit", "100"))
        verdict = self._budget.take(request.client, weight, now)
        if verdict.status != 200:
            reply = refusal(verdict.status, verdict.retry_after)
        else:
            try:
                reply = self._answers[name](request, now)
            except _BadRequest as error:
                reply = _error(400, error.code, error.message)
        used = str(verdict.used)
        headers = (*reply.headers, ("X-MBX-USED-WEIGHT", used), ("X-MBX-USED-WEIGHT-1M", used))
        return msgspec.structs.replace(reply, headers=headers)

    def _symbol(self, request: Request) -> SymbolFrames:
        name = _mandatory(request, "symbol")
        if name not in self._symbols:
            raise _BadRequest(-1121, "Invalid symbol.")
        return self._symbols[name]

    def _exchange_info(self, request: Request, now: int) -> Reply:
        names = list(self._symbols)
        if "symbol" in request.query:
            names = [self._symbol(request).venue]
        elif "symbols" in request.query:
            try:
                names = msgspec.json.decode(request.query["symbols"], type=list[str])
            except msgspec.MsgspecError:
                raise _illegal("symbols") from None
            if not set(names) <= set(self._symbols):
                raise _BadRequest(-1121, "Invalid symbol.")
        if request.query.get("symbolStatus", "TRADING") != "TRADING":
            names = []
        limit = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1}
        body = {
            "timezone": "UTC",
            "serverTime": now // 1000,
            "rateLimits": [{**limit, "limit": self._budget.limit}],
            "exchangeFilters": [],
            "symbols": [self._row(name) for name in names],
        }
        return _ok(body, "instrument")

    def _row(self, name: str) -> msgspec.Raw:
        row = self._rows.get(name)
        if row is None:
            encoded = msgspec.json.encode(_symbol_info(self._symbols[name]))
            row = self._rows[name] = msgspec.Raw(encoded)
        return row

    def _depth(self, request: Request, _now: int) -> Reply:
        symbol = self._symbol(request)
        limit = _number(request, "limit", 100)
        if limit < 1:
            raise _illegal("limit")
        body = symbol.book(min(limit, _MAX_LEVELS)).encode()
        return Reply(200, body, (_JSON,), "book", symbol.symbol)

    def _trades(self, request: Request, _now: int) -> Reply:
        symbol = self._symbol(request)
        return _trade_rows(symbol, symbol.market.tape.newest(_limit(request)))

    def _historical_trades(self, request: Request, now: int) -> Reply:
        if "fromId" not in request.query:
            return self._trades(request, now)
        symbol = self._symbol(request)
        start = _number(request, "fromId", 0)
        return _trade_rows(symbol, symbol.market.tape.since(start, _limit(request)))

    def _aggregates(self, request: Request, now: int) -> Reply:
        symbol = self._symbol(request)
        limit, tape = _limit(request), symbol.market.tape
        if "startTime" in request.query or "endTime" in request.query:
            start = _number(request, "startTime", 0) * 1000
            end = (_number(request, "endTime", now // 1000) + 1) * 1000
            groups = _groups(tape.between(start, end))
            chosen = groups[:limit] if "startTime" in request.query else groups[-limit:]
        elif "fromId" in request.query:
            start = _number(request, "fromId", 0)
            chosen = [g for g in _groups(tape.since(0)) if g[0].group >= start][:limit]
        else:
            chosen = _groups(tape.since(0))[-limit:]
        rows = [
            {
                "a": group[0].group,
                "p": symbol.price(group[0].price),
                "q": symbol.amount(sum(trade.amount for trade in group)),
                "f": group[0].id,
                "l": group[-1].id,
                "T": group[0].time // 1000,
                "m": group[0].side == "sell",
                "M": True,
            }
            for group in chosen
        ]
        return _ok(rows, "trade", symbol.symbol)

    def _klines(self, request: Request, now: int) -> Reply:
        symbol = self._symbol(request)
        interval = _mandatory(request, "interval")
        if interval not in INTERVALS:
            raise _BadRequest(-1120, "Invalid interval.")
        start = _number(request, "startTime", 0) * 1000 if "startTime" in request.query else None
        end = min(now, _number(request, "endTime", now // 1000) * 1000 + 999)
        limit, found = _limit(request), whole_candles(symbol.market, interval, start, end)
        # from the start on if there is one, else the newest
        chosen = list(found)[-limit:] if start is None else list(islice(found, limit))
        rows = [
            [
                candle.open_time // 1000,
                symbol.price(candle.open),
                symbol.price(candle.high),
                symbol.price(candle.low),
                symbol.price(candle.close),
                symbol.amount(candle.volume),
                (candle.end - 1) // 1000,
                symbol.value(candle.quote),
                candle.count,
                symbol.amount(candle.buy_volume),
                symbol.value(candle.buy_quote),
                "0",
            ]
            for candle in chosen
        ]
        return _ok(rows, "candle", symbol.symbol)


def _ok(body: object, channel: str = "", symbol: str = "") -> Reply:
    return Reply(200, msgspec.json.encode(body), (_JSON,), channel, symbol)


def _illegal(name: str) -> _BadRequest:
    return _BadRequest(-1100, f"Illegal characters found in parameter '{name}'.")


def _mandatory(request: Request, name: str) -> str:
    value = request.query.get(name, "")
    if not value:
        message = f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
        raise _BadRequest(-1102, message)
    return value


def _number(request: Request, name: str, default: int) -> int:
    value = request.query.get(name, str(default))
    if not (value.isascii() and value.isdecimal() and len(value) <= 20):
        raise _illegal(name)
    return int(value)


def _limit(request: Request) -> int:
    limit = _number(request, "limit", 500)
    if limit < 1:
        raise _illegal("limit")
    return min(limit, _MAX_ROWS)


def _depth_weight(limit: str) -> int:
    levels = int(limit) if limit.isascii() and limit.isdecimal() and len(limit) < 10 else 0
    return 5 if levels <= 100 else 25 if levels <= 500 else 50 if levels <= 1000 else 250


def _groups(trades: list[Trade]) -> list[list[Trade]]:
    groups: list[list[Trade]] = []
    for trade in trades:
        if groups and groups[-1][0].group == trade.group:
            groups[-1].append(trade)
        else:
            groups.append([trade])
    return groups


def _trade_rows(symbol: SymbolFrames, trades: list[Trade]) -> Reply:
    rows = [
        {
            "id": trade.id,
            "price": symbol.price(trade.price),
            "qty": symbol.amount(trade.amount),
            "quoteQty": symbol.value(trade.price * trade.amount),
            "time": trade.time // 1000,
            "isBuyerMaker": trade.side == "sell",
            "isBestMatch": True,
        }
        for trade in trades
    ]
    return _ok(rows, "trade", symbol.symbol)


def _symbol_info(symbol: SymbolFrames) -> dict[str, Any]:
    listing = symbol.market.listing
    tick, step = symbol.price(1), symbol.amount(1)
    return {
        "symbol": symbol.venue,
        "status": "TRADING",
        "baseAsset": listing.base,
        "baseAssetPrecision": 8,
        "quoteAsset": listing.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT"],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": tick,
                "maxPrice": "1000000.00000000",
                "tickSize": tick,
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": step,
                "maxQty": "9000000.00000000",
                "stepSize": step,
            },
            {
                "filterType": "NOTIONAL",
                "minNotional": _padded(listing.min_notional),
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }


def _padded(number: str) -> str:
    whole, _, decimals = number.partition(".")
    return f"{whole}.{decimals.ljust(8, '0')}"
