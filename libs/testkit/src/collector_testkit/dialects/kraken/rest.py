"""Kraken's REST for market data (docs.kraken.com/api/docs/rest-api): limits and answers.

Everything is answered with status 200, errors among it; what stands before the exchange may answer
with others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil
from typing import Final

import msgspec

from collector_core.intervals import length
from collector_testkit.dialects.budget import Budget
from collector_testkit.dialects.digits import fixed, trimmed
from collector_testkit.dialects.kraken.control import INTERVALS
from collector_testkit.dialects.kraken.frames import SymbolFrames, moment, order_type
from collector_testkit.dialects.messages import Reply, Request
from collector_testkit.dialects.whole_candles import whole_candles
from collector_testkit.market import Candle

__all__ = ["KrakenRest", "refusal"]

_JSON: Final = ("Content-Type", "application/json; charset=utf-8")
_PATH: Final = "/0/public/"
_WINDOW: Final = 15.0
"""About one request a second is served, and a few at once are."""
_CANDLES: Final = 720
_TRADES: Final = 1000
_LEVELS: Final = 500
_OLD: Final = {"BTC": "XBT", "DOGE": "XDG"}
_LONG: Final = {
    **{code: f"X{code}" for code in ("XBT", "XDG", "ETH", "XRP")},
    **{code: f"Z{code}" for code in ("USD", "EUR")},
}
"""Codes of the first years, which have four letters."""
_PER_PAIR: Final = frozenset({"Trades", "OHLC"})


class _Failed(Exception):
    pass


def _error(text: str, status: int = 200) -> Reply:
    return Reply(status, msgspec.json.encode({"error": [text]}), (_JSON,))


def refusal(status: int, retry_after: float | None) -> Reply:
    """Return the answer to a throttled or failed request."""
    match status:
        case 429:
            reply = _error("EGeneral:Too many requests", status)
        case 418:
            reply = _error("EGeneral:Temporary lockout", status)
        case 403:
            reply = Reply(status, b"<html><body>error code: 1020</body></html>")
        case _:
            reply = _error("EService:Unavailable", status)
    if retry_after is None:
        return reply
    header = ("Retry-After", str(ceil(retry_after)))
    return msgspec.structs.replace(reply, headers=(*reply.headers, header))


class KrakenRest:
    """Answers requests.

    Args:
        symbols: the symbols by the socket's spelling.
        limit: requests that a window admits of an address; of trades and candles for each pair.
    """

    def __init__(self, symbols: Mapping[str, SymbolFrames], limit: int) -> None:
        self._symbols = symbols
        self._budget = Budget(limit, _WINDOW)
        self._answers: dict[str, Callable[[Request, int], Reply]] = {
            "Time": lambda _request, now: _ok(_time(now)),
            "SystemStatus": lambda _request, now: _ok(_status(now)),
            "AssetPairs": self._pairs,
            "Depth": self._depth,
            "Trades": self._trades,
            "OHLC": self._candles,
        }

    def answer(self, request: Request, now: int) -> Reply:
        """Return the answer of a request; there are no headers that tell of limits."""
        name = request.path.removeprefix(_PATH)
        if name == request.path or name not in self._answers:
            return _error("EGeneral:Unknown method")
        key = request.client
        if name in _PER_PAIR:
            key += f"|{name}|{request.query.get('pair', '')}"
        verdict = self._budget.take(key, 1, now)
        if verdict.status == 429:
            return _error("EAPI:Rate limit exceeded")
        if verdict.status == 418:
            return _error("EGeneral:Temporary lockout")
        try:
            return self._answers[name](request, now)
        except _Failed as failed:
            return _error(str(failed))

    def _symbol(self, request: Request) -> SymbolFrames:
        pair = request.query.get("pair", "")
        if not pair:
            raise _Failed("EGeneral:Invalid arguments")
        for symbol in self._symbols.values():
            if pair in {_alternative(symbol), _name(symbol)}:
                return symbol
        raise _Failed("EQuery:Unknown asset pair")

    def _pairs(self, request: Request, _now: int) -> Reply:
        chosen = [self._symbol(request)] if "pair" in request.query else self._symbols.values()
        return _ok({_name(symbol): _pair(symbol) for symbol in chosen}, "instrument")

    def _depth(self, request: Request, now: int) -> Reply:
        symbol = self._symbol(request)
        count = min(_LEVELS, _number(request, "count", 100))
        engine, second = symbol.market.engine, now // 1_000_000

        def rows(levels: list[tuple[int, int]]) -> list[list[object]]:
            # amounts are cut to three decimals
            return [
                [_price(symbol, price), fixed(_units(symbol, total) // 10**5, 3), second]
                for price, total in levels
            ]

        asks, bids = engine.levels("sell", count), engine.levels("buy", count)
        body = {"asks": rows(asks), "bids": rows(bids)}
        return _ok({_name(symbol): body}, "book", symbol.symbol)

    def _trades(self, request: Request, now: int) -> Reply:
        symbol = self._symbol(request)
        count = min(_TRADES, _number(request, "count", _TRADES))
        tape = symbol.market.tape
        if "since" in request.query:
            since = _number(request, "since", 0)
            # exclusive, in nanoseconds
            trades = tape.between(since // 1000 + 1, now + 1)[:count]
        else:
            since = now * 1000
            trades = tape.newest(count)
        rows = ",".join(
            f'["{_price(symbol, trade.price)}","{symbol.amount(trade.amount)}",'
            f'{trimmed(trade.time, 6)},"{trade.side[0]}","{order_type(trade)[0]}","",{trade.id}]'
            for trade in trades
        )
        last = trades[-1].time * 1000 if trades else since
        body = f'{{"error":[],"result":{{"{_name(symbol)}":[{rows}],"last":"{last}"}}}}'
        return Reply(200, body.encode(), (_JSON,), "trade", symbol.symbol)

    def _candles(self, request: Request, now: int) -> Reply:
        symbol = self._symbol(request)
        minutes = _number(request, "interval", 1)
        if minutes not in INTERVALS:
            raise _Failed("EGeneral:Invalid arguments")
        since = _number(request, "since", 0)
        interval = INTERVALS[minutes]
        window = now - _CANDLES * (length(interval) or 0)
        candles = list(whole_candles(symbol.market, interval, window, now))
        rows = [_candle(symbol, candle) for candle in candles if candle.open_time > since * 10**6]
        committed = [c.open_time // 10**6 for c in candles if c.end <= now]
        result = {_name(symbol): rows, "last": committed[-1] if committed else 0}
        return _ok(result, "candle", symbol.symbol)


def _ok(result: object, channel: str = "", symbol: str = "") -> Reply:
    body = msgspec.json.encode({"error": [], "result": result})
    return Reply(200, body, (_JSON,), channel, symbol)


def _time(now: int) -> dict[str, object]:
    return {"unixtime": now // 1_000_000, "rfc1123": moment(now)}


def _status(now: int) -> dict[str, object]:
    return {"status": "online", "timestamp": f"{moment(now)[:19]}Z"}


def _number(request: Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 20):
        raise _Failed(f"EGeneral:Invalid arguments:{name}")
    return int(text)


def _codes(symbol: SymbolFrames) -> tuple[str, str]:
    listing = symbol.market.listing
    return _OLD.get(listing.base, listing.base), _OLD.get(listing.quote, listing.quote)


def _alternative(symbol: SymbolFrames) -> str:
    return "".join(_codes(symbol))


def _name(symbol: SymbolFrames) -> str:
    codes = _codes(symbol)
    if all(code in _LONG for code in codes):
        return "".join(_LONG[code] for code in codes)
    return "".join(codes)


def _units(symbol: SymbolFrames, lots: int) -> int:
    return lots * symbol.market.listing.step_units


def _price(symbol: SymbolFrames, ticks: int) -> str:
    # one decimal more than the pair's, and five at least
    decimals = min(8, max(5, symbol.precision + 1))
    return fixed(ticks * symbol.market.listing.tick_units // 10 ** (8 - decimals), decimals)


def _pair(symbol: SymbolFrames) -> dict[str, object]:
    listing = symbol.market.listing
    base, quote = _codes(symbol)
    return {
        "altname": _alternative(symbol),
        "wsname": f"{base}/{quote}",
        "aclass_base": "currency",
        "base": _LONG.get(base, base),
        "aclass_quote": "currency",
        "quote": _LONG.get(quote, quote),
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": symbol.precision,
        "lot_decimals": 8,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, 0.4], [10000, 0.35]],
        "fees_maker": [[0, 0.25], [10000, 0.2]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": "0.00005",
        "costmin": listing.min_notional,
        "tick_size": listing.tick,
        "status": "online",
    }


def _candle(symbol: SymbolFrames, candle: Candle) -> list[object]:
    return [
        candle.open_time // 1_000_000,
        *(symbol.price(p) for p in (candle.open, candle.high, candle.low, candle.close)),
        symbol.mean(candle.quote, candle.volume),
        symbol.amount(candle.volume),
        candle.count,
    ]
