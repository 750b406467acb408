"""OKX's REST for market data: limits by endpoint, errors with HTTP status 200, and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from collector_testkit.dialects.budget import Budget
from collector_testkit.dialects.messages import Reply, Request
from collector_testkit.dialects.okx.control import BARS
from collector_testkit.dialects.okx.frames import SymbolFrames
from collector_testkit.dialects.whole_candles import whole_candles

__all__ = ["OkxRest", "refusal"]

_JSON: Final = ("Content-Type", "application/json")
_WINDOW: Final = 2.0
_RECENT: Final = 1_440
_LIMITS: Final = {
    "/api/v5/public/instruments": 20,
    "/api/v5/public/time": 10,
    "/api/v5/market/books": 40,
    "/api/v5/market/trades": 100,
    "/api/v5/market/history-trades": 20,
    "/api/v5/market/candles": 40,
    "/api/v5/market/history-candles": 20,
}
"""Requests in 2 seconds, by endpoint and address."""


class _Failed(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.reply = _error(status, code, message)


def _error(status: int, code: str, message: str) -> Reply:
    body = msgspec.json.encode({"code": code, "msg": message, "data": []})
    return Reply(status, body, (_JSON,))


def refusal(status: int, _retry_after: float | None) -> Reply:
    """Return the body of a throttled or failed request; this exchange sends no Retry-After."""
    if status == 429:
        return _error(status, "50011", "Too Many Requests")
    if status == 503:
        text = "Service temporarily unavailable. Please try again later."
        return _error(status, "50001", text)
    if status in {403, 418}:
        return Reply(
            status, b"<html><body>Forbidden</body></html>", (("Content-Type", "text/html"),)
        )
    return _error(status, "50026", "System error. Please try again later.")


class OkxRest:
    """Answers requests.

    Args:
        symbols: the symbols by the exchange's spelling.
        limit: requests that each endpoint admits in 2 seconds; None for its own.
    """

    def __init__(self, symbols: Mapping[str, SymbolFrames], limit: int | None) -> None:
        self._symbols = symbols
        # who goes on is refused on, but never banned
        self._budgets = {
            path: Budget(limit or own, _WINDOW, patience=10**9) for path, own in _LIMITS.items()
        }
        self._answers: dict[str, Callable[[Request, int], Reply]] = dict(
            zip(
                _LIMITS,
                (
                    *(self._instruments, self._time, self._book),
                    *(self._trades, self._history_trades),
                    *(self._candles, self._history_candles),
                ),
                strict=True,
            )
        )

    def answer(self, request: Request, now: int) -> Reply:
        """Return the answer of a request."""
        if request.path not in self._answers:
            return _error(404, "50404", "Not found")
        verdict = self._budgets[request.path].take(request.client, 1, now)
        if verdict.status != 200:
            return refusal(429, None)
        try:
            return self._answers[request.path](request, now)
        except _Failed as failed:
            return failed.reply

    def _time(self, _request: Request, now: int) -> Reply:
        return _ok([f'{{"ts":"{now // 1000}"}}'])

    def _instruments(self, request: Request, _now: int) -> Reply:
        if request.query.get("instType") != "SPOT":
            raise _Failed(400, "51000", "Parameter instType error")
        if "instId" in request.query:
            return _ok([_info(self._symbol(request))], "instrument")
        return _ok([_info(symbol) for symbol in self._symbols.values()], "instrument")

    def _book(self, request: Request, now: int) -> Reply:
        symbol = self._symbol(request)
        return _ok([symbol.rest_book(_count(request, "sz", 1, 400), now)], "book", symbol.symbol)

    def _trades(self, request: Request, _now: int) -> Reply:
        symbol = self._symbol(request)
        trades = symbol.market.tape.newest(_count(request, "limit", 100, 500))
        return _ok([symbol.rest_trade(t) for t in reversed(trades)], "trade", symbol.symbol)

    def _history_trades(self, request: Request, _now: int) -> Reply:
        symbol = self._symbol(request)
        limit = _count(request, "limit", 100, 100)
        older, newer = _number(request, "after"), _number(request, "before")
        tape = symbol.market.tape
        if request.query.get("type", "1") == "2":
            # times: only what is older can be asked for
            trades = tape.newest(10**9) if older is None else tape.between(0, older * 1000)
        else:
            trades = tape.since(0 if newer is None else newer + 1)
            trades = [trade for trade in trades if older is None or trade.id < older]
        rows = [symbol.rest_trade(trade) for trade in reversed(trades[-limit:])]
        return _ok(rows, "trade", symbol.symbol)

    def _candles(self, request: Request, now: int) -> Reply:
        return self._candle_rows(request, now, history=False)

    def _history_candles(self, request: Request, now: int) -> Reply:
        return self._candle_rows(request, now, history=True)

    def _candle_rows(self, request: Request, now: int, *, history: bool) -> Reply:
        symbol = self._symbol(request)
        bar = request.query.get("bar", "1m")
        if bar not in BARS:
            raise _Failed(400, "51000", "Parameter bar error")
        limit = _count(request, "limit", 100, 300)
        older, newer = _number(request, "after"), _number(request, "before")
        found = list(whole_candles(symbol.market, BARS[bar], None, now))
        found = [c for c in found if c.end <= now] if history else found[-_RECENT:]
        rows = [
            symbol.candle(candle, now)
            for candle in found
            if (older is None or candle.open_time < older * 1000)
            and (newer is None or candle.open_time > newer * 1000)
        ]
        # the newest of what fits, also where only the older end was given
        return _ok(rows[::-1][:limit], "candle", symbol.symbol)

    def _symbol(self, request: Request) -> SymbolFrames:
        name = request.query.get("instId", "")
        if not name:
            raise _Failed(400, "50014", "Parameter instId can not be empty.")
        if name not in self._symbols:
            text = "Instrument ID, Instrument ID code, or Spread ID doesn't exist."
            raise _Failed(200, "51001", text)
        return self._symbols[name]


def _ok(rows: list[str], channel: str = "", symbol: str = "") -> Reply:
    body = f'{{"code":"0","msg":"","data":[{",".join(rows)}]}}'
    return Reply(200, body.encode(), (_JSON,), channel, symbol)


def _number(request: Request, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 20):
        raise _Failed(400, "51000", f"Parameter {name} error")
    return int(text)


def _count(request: Request, name: str, default: int, most: int) -> int:
    number = _number(request, name)
    return min(default if number is None else max(1, number), most)


def _info(symbol: SymbolFrames) -> str:
    listing = symbol.market.listing
    least = symbol.amount(max(1, listing.amount_lots // 5000))
    return (
        f'{{"instType":"SPOT","instId":"{symbol.venue}","uly":"","instFamily":"",'
        f'"category":"1","baseCcy":"{listing.base}","quoteCcy":"{listing.quote}","settleCcy":"",'
        f'"ctVal":"","ctMult":"","ctValCcy":"","optType":"","stk":"","listTime":"1548133413000",'
        f'"expTime":"","lever":"10","tickSz":"{symbol.price(1)}","lotSz":"{symbol.amount(1)}",'
        f'"minSz":"{least}","ctType":"","alias":"","state":"live","ruleType":"normal",'
        f'"maxLmtSz":"9999999999","maxMktSz":"1000000","maxLmtAmt":"20000000",'
        f'"maxMktAmt":"1000000"}}'
    )
