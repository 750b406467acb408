"""Bybit's REST for market data (bybit-exchange.github.io/docs/v5/market): limits and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil
from typing import Any, Final

import msgspec

from collector_testkit.dialects.budget import Budget
from collector_testkit.dialects.bybit.books import BookState
from collector_testkit.dialects.bybit.frames import SIDES, SymbolFrames
from collector_testkit.dialects.bybit.topics import INTERVALS
from collector_testkit.dialects.messages import Reply, Request
from collector_testkit.dialects.whole_candles import whole_candles

__all__ = ["BybitRest", "refusal"]

_JSON: Final = ("Content-Type", "application/json; charset=utf-8")
_BAN: Final = 600.0
"""Seconds that an address has to stay away after too many requests."""
_MAX_TRADES: Final = 60
_MAX_LEVELS: Final = 1000
_MAX_CANDLES: Final = 1000


class _BadRequest(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def _body(code: int, message: str, result: object, now: int) -> bytes:
    envelope = {"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}}
    return msgspec.json.encode({**envelope, "time": now // 1000})


def refusal(status: int, retry_after: float | None) -> Reply:
    """Return the body of a throttled or failed request."""
    if status == 429:
        body = _body(10429, "System level frequency protection", {}, 0)
        reply = Reply(status, body, (_JSON,))
    elif status == 403:
        reply = Reply(status, b"access too frequent")
    elif status == 418:
        # no status of this exchange: where it bans, it says so
        reply = Reply(403, b"access too frequent")
    else:
        reply = Reply(status, _body(10016, "Internal server error", {}, 0), (_JSON,))
    if retry_after is not None:
        header = ("Retry-After", str(ceil(retry_after)))
        reply = msgspec.structs.replace(reply, headers=(*reply.headers, header))
    return reply


class BybitRest:
    """Answers requests.

    Args:
        symbols: the symbols by the exchange's spelling.
        book: returns the book of a symbol as the stream of 1,000 levels sent it last.
        limit: requests that five seconds admit.
    """

    def __init__(
        self,
        symbols: Mapping[str, SymbolFrames],
        book: Callable[[SymbolFrames], BookState],
        limit: int,
    ) -> None:
        self._symbols = symbols
        self._book = book
        self._budget = Budget(limit, 5.0, patience=0, ban=_BAN)
        self._answers: dict[str, Callable[[Request, int], Reply]] = {
            "/v5/market/time": self._time,
            "/v5/market/instruments-info": self._instruments,
            "/v5/market/orderbook": self._orderbook,
            "/v5/market/recent-trade": self._trades,
            "/v5/market/kline": self._klines,
        }

    def answer(self, request: Request, now: int) -> Reply:
        """Return the answer of a request; errors have status 200, but for the ban of an address."""
        if self._budget.take(request.client, 1, now).status != 200:
            return refusal(403, None)
        answer = self._answers.get(request.path)
        if answer is None:
            return Reply(404, b"")
        try:
            return answer(request, now)
        except _BadRequest as error:
            return Reply(200, _body(error.code, error.message, {}, now), (_JSON,))

    def _symbol(self, request: Request) -> SymbolFrames:
        # without a category the answer is of the futures, which are not simulated
        if request.query.get("category") != "spot":
            raise _BadRequest(10001, "params error: Category is invalid")
        name = request.query.get("symbol", "")
        if name not in self._symbols:
            raise _BadRequest(10001, "Not supported symbols")
        return self._symbols[name]

    def _time(self, _request: Request, now: int) -> Reply:
        return _ok({"timeSecond": str(now // 1_000_000), "timeNano": str(now * 1000)}, now)

    def _instruments(self, request: Request, now: int) -> Reply:
        if request.query.get("category") != "spot":
            raise _BadRequest(10001, "params error: Category is invalid")
        names = list(self._symbols)
        if "symbol" in request.query:
            names = [self._symbol(request).venue]
        if request.query.get("status", "Trading") != "Trading":
            names = []
        rows = [_instrument(number, self._symbols[name]) for number, name in enumerate(names, 1)]
        return _ok({"category": "spot", "list": rows}, now, "instrument")

    def _orderbook(self, request: Request, now: int) -> Reply:
        symbol = self._symbol(request)
        limit = _number(request, "limit", 1, _MAX_LEVELS)
        state = self._book(symbol)
        body = (
            f'{{"retCode":0,"retMsg":"OK","result":{{"s":"{symbol.venue}",'
            f'"b":{symbol.levels(state.bids[:limit])},"a":{symbol.levels(state.asks[:limit])},'
            f'"ts":{now // 1000},"u":{state.update},"seq":{symbol.sequence()},'
            f'"cts":{state.time // 1000}}},"retExtInfo":{{}},"time":{now // 1000}}}'
        )
        return Reply(200, body.encode(), (_JSON,), "book", symbol.symbol)

    def _trades(self, request: Request, now: int) -> Reply:
        symbol = self._symbol(request)
        newest = symbol.market.tape.newest(_number(request, "limit", 60, _MAX_TRADES))
        rows = [
            {
                "execId": symbol.trade_id(trade),
                "symbol": symbol.venue,
                "price": symbol.price(trade.price),
                "size": symbol.amount(trade.amount),
                "side": SIDES[trade.side],
                "time": str(trade.time // 1000),
                "isBlockTrade": False,
                "isRPITrade": False,
                "seq": str(symbol.sequence()),
            }
            for trade in reversed(newest)
        ]
        return _ok({"category": "spot", "list": rows}, now, "trade", symbol.symbol)

    def _klines(self, request: Request, now: int) -> Reply:
        symbol = self._symbol(request)
        interval = INTERVALS.get(request.query.get("interval", ""))
        if interval is None:
            raise _BadRequest(10001, "Invalid period!")
        start = None
        if "start" in request.query:
            start = _number(request, "start", 0) * 1000
        end = min(now, _number(request, "end", now // 1000) * 1000 + 999)
        limit = _number(request, "limit", 200, _MAX_CANDLES)
        found = list(whole_candles(symbol.market, interval, start, end))
        rows = [
            [
                str(candle.open_time // 1000),
                symbol.price(candle.open),
                symbol.price(candle.high),
                symbol.price(candle.low),
                symbol.price(candle.close),
                symbol.amount(candle.volume),
                symbol.value(candle.quote),
            ]
            for candle in reversed(found[-limit:])
        ]
        result = {"category": "spot", "symbol": symbol.venue, "list": rows}
        return _ok(result, now, "candle", symbol.symbol)


def _ok(result: object, now: int, channel: str = "", symbol: str = "") -> Reply:
    return Reply(200, _body(0, "OK", result, now), (_JSON,), channel, symbol)


def _number(request: Request, name: str, default: int, most: int | None = None) -> int:
    value = request.query.get(name, str(default))
    if not (value.isascii() and value.isdecimal() and len(value) <= 15) or (
        most and not int(value)
    ):
        raise _BadRequest(10001, f"params error: {name} invalid")
    return int(value) if most is None else min(int(value), most)


def _instrument(number: int, symbol: SymbolFrames) -> dict[str, Any]:
    listing = symbol.market.listing
    step = symbol.amount(1)
    return {
        "symbolId": number,
        "symbol": symbol.venue,
        "baseCoin": listing.base,
        "quoteCoin": listing.quote,
        "innovation": "0",
        "status": "Trading",
        "marginTrading": "utaOnly",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": step,
            "quotePrecision": "0.0000001",
            "minOrderQty": step,
            "maxOrderQty": "1000000",
            "minOrderAmt": listing.min_notional,
            "maxOrderAmt": "8000000",
            "maxLimitOrderQty": "1000000",
            "maxMarketOrderQty": "500000",
            "postOnlyMaxLimitOrderSize": "5000000",
        },
        "priceFilter": {"tickSize": symbol.price(1)},
        "riskParameters": {"priceLimitRatioX": "0.005", "priceLimitRatioY": "0.01"},
        "symbolType": "",
        "xstockMultiplier": "1",
    }
