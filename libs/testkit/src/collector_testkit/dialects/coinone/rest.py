"""Coinone's public REST API, version 2: refusals with HTTP 200, and HTML for a wrong path.

https://docs.coinone.co.kr/reference (markets, orderbook, recent-completed-orders, chart)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from collector_core.intervals import open_time
from collector_testkit.dialects.coinone.control import INTERVALS
from collector_testkit.dialects.coinone.frames import SymbolFrames
from collector_testkit.dialects.digits import trimmed
from collector_testkit.dialects.messages import Reply, Request
from collector_testkit.market import Candle

__all__ = ["Bucket", "CoinoneRest", "refusal"]

_JSON: Final = ("Content-Type", "application/json")
_HTML: Final = b"<!DOCTYPE html><html><head><title>Coinone API</title></head><body></body></html>"
_ROOT: Final = ["", "public", "v2"]
_BOOK_SIZES: Final = ("5", "10", "15", "16")
_TRADE_SIZES: Final = ("10", "50", "100", "150", "200")
_INTERVALS: Final = {**{name: name for name in INTERVALS}, "10m": "10m", "1mon": "1M"}
"""Theirs to ours."""


class _Failed(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.reply = _error(200, code, message)


def _error(status: int, code: str, message: str) -> Reply:
    body = {"result": "error", "error_code": code, "error_msg": message}
    return Reply(status, msgspec.json.encode(body), (_JSON,))


def _blocked(status: int) -> Reply:
    return _error(status, "4", "Blocked user access")


def refusal(status: int, _retry_after: float | None) -> Reply:
    """Return the body of a throttled or failed request; this exchange sends no Retry-After."""
    return _blocked(status) if status in {403, 418, 429} else _error(status, "405", "Server error")


class Bucket:
    """Requests that an address may make: a store that fills up steadily.

    Args:
        size: how many at once; a sixtieth of them comes back each second.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        # by address: what is left, and when that was so
        self._left: dict[str, tuple[float, int]] = {}

    def take(self, address: str, now: int) -> int:
        """Take one at ``now`` (microseconds); return what is left, -1 if there was none."""
        left, since = self._left.get(address, (float(self.size), now))
        left = min(self.size, left + (now - since) / 1e6 * self.size / 60)
        taken = left >= 1
        self._left[address] = (left - 1 if taken else left), now
        return int(left - 1) if taken else -1


class CoinoneRest:
    """Answers requests.

    Args:
        symbols: the symbols by the exchange's spelling.
        limit: requests that the bucket of an address holds.
    """

    def __init__(self, symbols: Mapping[str, SymbolFrames], limit: int) -> None:
        self._symbols = symbols
        self._bucket = Bucket(limit)
        self._answers = {
            "orderbook": self._book,
            "trades": self._trades,
            "chart": self._chart,
        }

    def answer(self, request: Request, now: int) -> Reply:
        """Return the answer of a request, with what is left of the bucket in the headers."""
        parts = request.path.split("/")
        known = parts[:3] == _ROOT and parts[3:4] and len(parts) <= 6
        name, pair = (parts[3], parts[4:]) if known else ("", [])
        if not (name == "markets" and pair) and not (name in self._answers and len(pair) == 2):
            return Reply(200, _HTML, (("Content-Type", "text/html; charset=utf-8"),))
        left = self._bucket.take(request.client, now)
        if left < 0:
            # the headers come only while something is left
            return _blocked(200)
        try:
            if name == "markets":
                reply = self._markets([part.upper() for part in pair], now)
            else:
                reply = self._answers[name](request, self._known(pair), now)
        except _Failed as failed:
            reply = failed.reply
        headers = (
            ("public-ratelimit-remaining", str(left)),
            ("public-ratelimit-replenish-rate", str(self._bucket.size // 60)),
            ("public-ratelimit-burst-capacity", str(self._bucket.size)),
        )
        return msgspec.structs.replace(reply, headers=(*reply.headers, *headers))

    def _known(self, pair: list[str]) -> SymbolFrames:
        frames = self._symbols.get("-".join(pair).upper())
        if frames is None:
            raise _Failed("108", "Unknown CryptoCurrency")
        return frames

    def _markets(self, pair: list[str], now: int) -> Reply:
        if len(pair) == 2:
            rows = [_market(self._known(pair))]
        else:
            rows = [_market(f) for f in self._symbols.values() if f.quote == pair[0]]
        body = {"result": "success", "error_code": "0", "server_time": now // 1000, "markets": rows}
        return Reply(200, msgspec.json.encode(body), (_JSON,), "instrument")

    def _book(self, request: Request, frames: SymbolFrames, _now: int) -> Reply:
        size = _choice(request, "size", "15", _BOOK_SIZES)
        ident = frames.book_id()
        bids, asks = frames.levels(size)
        body = {
            **_success(frames, timestamp=int(ident[:-3]), id=ident),
            "order_book_unit": request.query.get("order_book_unit", "0.0"),
            "bids": [{"price": trimmed(p, 8), "qty": trimmed(q, 8)} for p, q in bids],
            "asks": [{"price": trimmed(p, 8), "qty": trimmed(q, 8)} for p, q in asks],
        }
        return Reply(200, msgspec.json.encode(body), (_JSON,), "book", frames.symbol)

    def _trades(self, request: Request, frames: SymbolFrames, now: int) -> Reply:
        size = _choice(request, "size", "200", _TRADE_SIZES)
        rows = [
            {
                "id": frames.trade_id(trade),
                "timestamp": trade.time // 1000,
                "price": trimmed(frames.price(trade.price), 8),
                "qty": trimmed(frames.size(trade.amount), 8),
                "is_seller_maker": trade.side == "buy",
            }
            for trade in reversed(frames.market.tape.newest(size))
        ]
        body = {**_success(frames, server_time=now // 1000), "transactions": rows}
        return Reply(200, msgspec.json.encode(body), (_JSON,), "trade", frames.symbol)

    def _chart(self, request: Request, frames: SymbolFrames, now: int) -> Reply:
        interval = _INTERVALS.get(request.query.get("interval", ""))
        size, last = request.query.get("size", "200"), request.query.get("timestamp", "")
        wrong = not size.isdecimal() or not 1 <= int(size) <= 500 or (last and not _digits(last))
        if interval is None or wrong:
            raise _Failed("107", "Parameter value is wrong")
        until = min(now, int(last) * 1000) if last else now
        candles, is_last = _flat(frames, interval, until, int(size))
        body = {
            "result": "success",
            "error_code": "0",
            "is_last": is_last,
            "chart": [_candle(frames, opened, candle) for opened, candle in candles],
        }
        return Reply(200, msgspec.json.encode(body), (_JSON,), "candle", frames.symbol)


def _digits(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 15


def _choice(request: Request, name: str, default: str, known: tuple[str, ...]) -> int:
    text = request.query.get(name, default)
    if text not in known:
        raise _Failed("107", "Parameter value is wrong")
    return int(text)


def _success(frames: SymbolFrames, **more: object) -> dict[str, Any]:
    return {
        "result": "success",
        "error_code": "0",
        **more,
        "quote_currency": frames.quote,
        "target_currency": frames.base,
    }


def _market(frames: SymbolFrames) -> dict[str, object]:
    listing = frames.market.listing
    tick = listing.tick_units
    return {
        "quote_currency": frames.quote,
        "target_currency": frames.base,
        "price_unit": _pointed(tick),
        "qty_unit": listing.step,
        "max_order_amount": "1000000000.0",
        "max_price": "1000000000000.0",
        "max_qty": "100000000.0",
        "min_order_amount": f"{listing.min_notional}.0",
        "min_price": "0.0001",
        "min_qty": listing.step,
        "order_book_units": ["0.0", _pointed(tick * 10), _pointed(tick * 100)],
        "maintenance_status": 0,
        "trade_status": 1,
        "order_types": ["limit", "market", "stop_limit"],
    }


def _flat(
    frames: SymbolFrames, interval: str, until: int, size: int
) -> tuple[list[tuple[int, Candle]], bool]:
    """Return the candles that opened up to ``until``, newest first, and whether older ones are.

    An interval without a trade has the candle before it, which is then written flat.
    """
    known = frames.market.tape.candles.range(interval, None, until + 1)
    found: list[tuple[int, Candle]] = []
    opened = open_time(interval, until)
    while known and len(found) < size:
        found.append((opened, known[-1]))
        if known[-1].open_time >= opened:
            known.pop()
        opened = open_time(interval, opened - 1)
    return found, not known


def _candle(frames: SymbolFrames, opened: int, candle: Candle) -> dict[str, object]:
    flat = candle.open_time != opened
    prices = (candle.open, candle.high, candle.low, candle.close)
    texts = [_pointed(frames.price(candle.close if flat else price)) for price in prices]
    volume = 0 if flat else frames.size(candle.volume)
    value = 0 if flat else frames.value(candle.quote)
    return {
        "timestamp": opened // 1000,
        **dict(zip(("open", "high", "low", "close"), texts, strict=True)),
        "target_volume": _pointed(volume),
        "quote_volume": _pointed(value, 4),
    }


def _pointed(units: int, decimals: int = 8) -> str:
    text = trimmed(units, decimals)
    return text if "." in text else f"{text}.0"
