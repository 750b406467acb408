"""Coinbase's public REST for market data: limits and answers.

https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/public
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil
from typing import Any, Final

import msgspec

from collector_core.intervals import length
from collector_testkit.dialects.budget import Budget
from collector_testkit.dialects.coinbase.frames import SymbolFrames, moment
from collector_testkit.dialects.messages import Reply, Request

__all__ = ["CoinbaseRest", "refusal"]

_JSON: Final = ("Content-Type", "application/json")
_ROOT: Final = "/api/v3/brokerage/"
_MICRO: Final = 1_000_000
_MAX_TRADES: Final = 1000
_MAX_CANDLES: Final = 350
_INTERVALS: Final = {
    "ONE_MINUTE": "1m",
    "FIVE_MINUTE": "5m",
    "FIFTEEN_MINUTE": "15m",
    "THIRTY_MINUTE": "30m",
    "ONE_HOUR": "1h",
    "TWO_HOUR": "2h",
    "FOUR_HOUR": "4h",
    "SIX_HOUR": "6h",
    "ONE_DAY": "1d",
}


class _Failed(Exception):
    def __init__(self, status: int, name: str, code: int, message: str) -> None:
        super().__init__(message)
        body = {"error": name, "code": code, "message": message, "details": []}
        self.reply = Reply(status, msgspec.json.encode(body), (_JSON,))


def _invalid(message: str) -> _Failed:
    return _Failed(400, "INVALID_ARGUMENT", 3, message)


def refusal(status: int, retry_after: float | None) -> Reply:
    """Return the body and headers of a throttled or failed request."""
    kinds = {
        429: ("rate_limit_exceeded", "Too many requests"),
        403: ("forbidden", "Forbidden"),
    }
    name, message = kinds.get(status, ("internal_server_error", "Internal server error"))
    body = msgspec.json.encode({"errors": [{"id": name, "message": message}]})
    headers = [_JSON]
    if retry_after is not None:
        headers.append(("Retry-After", str(ceil(retry_after))))
    return Reply(status, body, tuple(headers))


class CoinbaseRest:
    """Answers requests.

    Args:
        products: the symbols by the exchange's spelling.
        limit: requests that a second admits, for each address.
    """

    def __init__(self, products: Mapping[str, SymbolFrames], limit: int) -> None:
        self._products = products
        # who goes on is throttled for as long as that, and never banned
        self._budget = Budget(limit, 1.0, patience=1 << 30)
        self._answers: dict[str, Callable[[Request, int], Reply]] = {
            f"{_ROOT}time": _time,
            f"{_ROOT}market/products": self._list,
            f"{_ROOT}market/product_book": self._book,
        }

    def answer(self, request: Request, now: int) -> Reply:
        """Return the answer of a request, with what is left of the second in its headers."""
        answer = self._find(request.path)
        if answer is None:
            return Reply(404, b"404 page not found\n")
        verdict = self._budget.take(request.client, 1, now)
        if verdict.status != 200:
            reply = refusal(429, None)
        else:
            try:
                reply = answer(request, now)
            except _Failed as failed:
                reply = failed.reply
        limit = self._budget.limit
        headers = (
            *reply.headers,
            ("x-ratelimit-limit", str(limit)),
            ("x-ratelimit-remaining", str(max(0, limit - verdict.used))),
            ("x-ratelimit-reset", str(ceil(verdict.retry_after))),
        )
        return msgspec.structs.replace(reply, headers=headers)

    def _find(self, path: str) -> Callable[[Request, int], Reply] | None:
        if path in self._answers:
            return self._answers[path]
        head, _, rest = path.partition(f"{_ROOT}market/products/")
        if head or not rest:
            return None
        product, _, what = rest.partition("/")
        answer = {"": self._product, "ticker": self._trades, "candles": self._candles}.get(what)
        return None if answer is None else lambda request, _now: answer(request, product)

    def _known(self, product: str) -> SymbolFrames:
        frames = self._products.get(product)
        if frames is None:
            raise _Failed(404, "NOT_FOUND", 5, "valid product_id is required")
        return frames

    def _list(self, request: Request, _now: int) -> Reply:
        if request.query.get("product_type", "SPOT") != "SPOT":
            return _ok(b'{"products":[],"num_products":0}', "instrument")
        rows: list[dict[str, Any]] = []
        for frames in self._products.values():
            rows.append(_row(frames))
            if frames.venue.endswith("-USD"):
                # a second name of the same market
                rows.append({**_row(frames, f"{frames.venue}C"), "alias": frames.venue})
        body = msgspec.json.encode({"products": rows, "num_products": len(rows)})
        return _ok(body, "instrument")

    def _product(self, _request: Request, product: str) -> Reply:
        return _ok(msgspec.json.encode(_row(self._known(product))), "instrument")

    def _book(self, request: Request, _now: int) -> Reply:
        frames = self._known(request.query.get("product_id", ""))
        count = _number(request, "limit")
        if count == 0:
            raise _invalid("limit must be positive")
        engine, price, amount = frames.market.engine, frames.price, frames.amount
        sides = [
            ",".join(
                f'{{"price":"{price(p)}","size":"{amount(a)}"}}'
                for p, a in engine.levels(side, count)
            )
            for side in ("buy", "sell")
        ]
        body = (
            f'{{"pricebook":{{"product_id":"{frames.venue}","bids":[{sides[0]}],'
            f'"asks":[{sides[1]}],"time":"{moment(frames.market.changed)}"}}}}'
        )
        return _ok(body.encode(), "book", frames.symbol)

    def _trades(self, request: Request, product: str) -> Reply:
        frames = self._known(product)
        limit = _number(request, "limit")
        if not limit:
            raise _invalid("limit is required")
        limit = min(limit, _MAX_TRADES)
        start, end = _number(request, "start"), _number(request, "end")
        if start is not None and end is None:
            raise _invalid("end is required with start")
        tape = frames.market.tape
        if end is None:
            found = tape.newest(limit)
        else:
            found = tape.between((start or 0) * _MICRO, end * _MICRO + 1)[-limit:]
        rows = ",".join(
            f'{frames.trade(trade)[:-1]},"bid":"","ask":"","exchange":"coinbase"}}'
            for trade in reversed(found)
        )
        bid, _, ask, _ = frames.touch()
        body = (
            f'{{"trades":[{rows}],"best_bid":"{frames.price(bid)}",'
            f'"best_ask":"{frames.price(ask)}"}}'
        )
        return _ok(body.encode(), "trade", frames.symbol)

    def _candles(self, request: Request, product: str) -> Reply:
        frames = self._known(product)
        interval = _INTERVALS.get(request.query.get("granularity", ""))
        if interval is None:
            raise _invalid("granularity is invalid")
        limit = min(_number(request, "limit") or _MAX_CANDLES, _MAX_CANDLES)
        start, end = _number(request, "start"), _number(request, "end")
        if (start is None) != (end is None):
            raise _invalid("start and end are required")
        candles = frames.market.tape.candles
        if start is None or end is None:
            found = candles.range(interval)
        else:
            if (end - start) * _MICRO >= _MAX_CANDLES * (length(interval) or 1):
                raise _invalid(f"number of candles requested should be less than {_MAX_CANDLES}")
            found = candles.range(interval, start * _MICRO, end * _MICRO + 1)
        rows = ",".join(frames.rest_candle(candle) for candle in reversed(found[-limit:]))
        return _ok(f'{{"candles":[{rows}]}}'.encode(), "candle", frames.symbol)


def _time(_request: Request, now: int) -> Reply:
    body = {
        "iso": moment(now // _MICRO * _MICRO),
        "epochSeconds": str(now // _MICRO),
        "epochMillis": str(now // 1000),
    }
    return _ok(msgspec.json.encode(body))


def _ok(body: bytes, channel: str = "", symbol: str = "") -> Reply:
    return Reply(200, body, (_JSON,), channel, symbol)


def _number(request: Request, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise _invalid(f"{name} is invalid")
    return int(text)


def _row(frames: SymbolFrames, product: str | None = None) -> dict[str, Any]:
    name = product or frames.venue
    base, _, quote = name.partition("-")
    listing = frames.market.listing
    last = frames.market.tape.last
    return {
        "product_id": name,
        "price": "" if last is None else frames.price(last.price),
        "base_increment": listing.step,
        "quote_increment": listing.tick,
        "quote_min_size": listing.min_notional,
        "quote_max_size": "150000000",
        "base_min_size": listing.step,
        "base_max_size": "3400",
        "is_disabled": False,
        "new": False,
        "status": "online",
        "cancel_only": False,
        "limit_only": False,
        "post_only": False,
        "trading_disabled": False,
        "auction_mode": False,
        "product_type": "SPOT",
        "quote_currency_id": quote,
        "base_currency_id": base,
        "fcm_trading_session_details": None,
        "mid_market_price": "",
        "alias": "",
        "alias_to": [f"{name}C"] if quote == "USD" else [],
        "base_display_symbol": base,
        "quote_display_symbol": quote,
        "view_only": False,
        "price_increment": listing.tick,
        "display_name": name,
        "product_venue": "CBE",
    }
