"""Kraken's REST as data: requests and the parsers of their answers.

https://docs.kraken.com/api/docs/rest-api (AssetPairs, Depth, Trades, OHLC)
"""

from __future__ import annotations

import re
from typing import Final, TypeVar

import msgspec

from collector_core.errors import FrameError, Throttled
from collector_core.events import Candle, Instrument, Level, Side, Trade
from collector_core.numbers import exact
from collector_exchanges.kraken import wire
from collector_exchanges.kraken.spec import INTERVALS, SPEC
from collector_feed.candle_rows import CandleSpan, Figures, kept
from collector_feed.outputs import BookSnapshot, Mark, Page, Request
from collector_feed.rest_api import Listing, RestApi, State

__all__ = ["book", "candles", "instruments", "trades"]

_API: Final = RestApi(SPEC)
_T = TypeVar("_T")
_ROWS: Final = 1000
_LEVELS: Final = 500
_OLD: Final = {"XBT": "BTC", "XDG": "DOGE"}
"""Codes that REST and the old socket have for others of the new one."""
_NEW: Final = {new: old for old, new in _OLD.items()}
_THROTTLED: Final = (
    *("EAPI:Rate limit exceeded", "EGeneral:Too many requests", "EGeneral:Temporary lockout"),
    "EService:Throttled",
)
_TRADING: Final = frozenset({"online", "limit_only", "reduce_only"})
"""States in which there are trades."""
_SECONDS: Final = re.compile(rb"([0-9]{1,10})(?:\.([0-9]{1,9}))?").fullmatch
_MOST: Final = 9_007_199_254


def _result(body: bytes, receive_time: int | None) -> dict[str, msgspec.Raw]:
    answer = _API.read(body, wire.Envelope)
    # an entry that begins with W is a warning
    errors = [text for text in answer.error if not text.startswith("W")]
    if errors:
        text = "; ".join(errors)
        refusal = _API.refused(text)
        if text.startswith(_THROTTLED):
            raise Throttled(str(refusal), 200, _pause(text, receive_time))
        raise refusal
    if answer.result is None:
        raise FrameError("expected a result in an answer of Kraken, was none")
    return answer.result


def _pause(text: str, receive_time: int | None) -> float | None:
    # EService:Throttled: <the second from which on requests are served again>
    until = text.rpartition(" ")[2]
    if not until.isdecimal() or receive_time is None:
        return None
    return max(0.0, int(until) - receive_time / 1_000_000)


def _rows(result: dict[str, msgspec.Raw], kind: type[_T]) -> _T:
    # they stand under a name of the pair that is neither that of the request nor the socket's
    rows = [raw for name, raw in result.items() if name != "last"]
    if len(rows) != 1:
        raise FrameError(f"expected one pair in an answer of Kraken, was {len(rows)}")
    return _API.read(rows[0], kind)


def _pair(venue_symbol: str) -> str:
    return "".join(_NEW.get(code, code) for code in venue_symbol.split("/"))


def instruments() -> Request[list[Instrument]]:
    """Everything listed, with its steps (``AssetPairs``)."""

    def parse(body: bytes, receive_time: int | None) -> list[Instrument]:
        pairs = [_API.read(raw, wire.AssetPair) for raw in _result(body, receive_time).values()]
        # what is not on the socket is a dark pool
        listed = [_listing(pair, pair.wsname) for pair in pairs if pair.wsname is not None]
        return _API.listed(listed, receive_time)

    return _API.get("/0/public/AssetPairs", (), parse)


def _listing(pair: wire.AssetPair, name: str) -> Listing:
    base, _, quote = name.partition("/")
    base, quote = _OLD.get(base, base), _OLD.get(quote, quote)
    halted: State = "delisted" if pair.status == "delisted" else "halted"
    return Listing(
        *(f"{base}/{quote}", base, quote),
        price_tick=pair.tick_size or f"1E-{pair.pair_decimals}",
        amount_step=f"1E-{pair.lot_decimals}",
        min_amount=pair.ordermin,
        min_notional=pair.costmin,
        state="trading" if pair.status in _TRADING else halted,
    )


def book(symbol: str, venue_symbol: str) -> Request[BookSnapshot]:
    """The 500 best levels a side (``Depth``); it has no number, and no time of its own."""

    def parse(body: bytes, receive_time: int | None) -> BookSnapshot:
        answer = _rows(_result(body, receive_time), wire.RestBook)
        bids, asks = _levels(answer.bids), _levels(answer.asks)
        return BookSnapshot(symbol, None, None, bids, asks)

    query = (("pair", _pair(venue_symbol)), ("count", str(_LEVELS)))
    return _API.get("/0/public/Depth", query, parse)


def _levels(levels: list[wire.RestLevel]) -> list[Level]:
    return [(exact(level.price), exact(level.volume)) for level in levels]


def trades(
    symbol: str, venue_symbol: str, after: Mark | None, before: Mark | None
) -> Request[Page[Trade]]:
    """Up to 1,000 trades, oldest first: from the time of ``after`` on, or the newest."""
    if after is None or after.time is None:
        # neither ids nor an end can be asked for
        return _trades(symbol, venue_symbol, None, before)
    # exclusive, in nanoseconds of which ours are cut off: others of the same microsecond may count
    return _trades(symbol, venue_symbol, after.time * 1000 - 1, before)


def _trades(
    symbol: str, venue_symbol: str, since: int | None, before: Mark | None
) -> Request[Page[Trade]]:
    def parse(body: bytes, receive_time: int | None) -> Page[Trade]:
        result = _result(body, receive_time)
        rows = [_trade(symbol, item, receive_time) for item in _rows(result, list[wire.RestTrade])]
        if since is None or len(rows) < _ROWS or _reached(rows[-1], before):
            return Page(rows)
        last = _API.read(result.get("last", b""), str)
        if not last.isdecimal() or len(last) > 20:
            raise FrameError(f"expected nanoseconds as last, was {last[:64]!r}")
        # a trade of the very nanosecond may have found no room; it must go on nevertheless
        return Page(rows, _trades(symbol, venue_symbol, max(int(last) - 1, since + 1), before))

    query = [("pair", _pair(venue_symbol)), ("count", str(_ROWS))]
    if since is not None:
        query.append(("since", str(since)))
    return _API.get("/0/public/Trades", query, parse)


def _reached(last: Trade, before: Mark | None) -> bool:
    if before is None:
        return False
    if before.id is not None and before.id.isdecimal() and last.id is not None:
        return int(last.id) >= int(before.id) - 1
    return before.time is not None and (last.exchange_time or 0) > before.time


def _trade(symbol: str, item: wire.RestTrade, receive_time: int | None) -> Trade:
    ident = None if item.trade_id is None else str(item.trade_id)
    side: Side = "buy" if item.side == "b" else "sell"
    time = _time(bytes(item.time))
    return _API.trade(symbol, ident, time, receive_time, item.price, item.volume, side)


def _time(text: bytes) -> int:
    match = _SECONDS(text)
    if match is None or int(match[1]) > _MOST:
        raise FrameError(f"expected seconds since the epoch, was {text[:64]!r}")
    return int(match[1]) * 1_000_000 + int((match[2] or b"")[:6].ljust(6, b"0"))


def candles(
    symbol: str, venue_symbol: str, interval: str, start: int | None, end: int | None
) -> Request[Page[Candle]]:
    """The closed candles of [start, end) among the last 720 (``OHLC``), oldest first.

    There are no older ones, and no end can be asked for.
    """
    minutes = kept(INTERVALS, interval)
    span = CandleSpan(interval, start, end)

    def parse(body: bytes, receive_time: int | None) -> Page[Candle]:
        items = _rows(_result(body, receive_time), list[wire.RestCandle])
        return Page(span.rows(_API.exchange, symbol, map(_figures, items), receive_time))

    query = [("pair", _pair(venue_symbol)), ("interval", str(minutes))]
    if start is not None:
        # exclusive
        query.append(("since", str(max(0, start // 1_000_000 - 1))))
    return _API.get("/0/public/OHLC", query, parse)


def _figures(item: wire.RestCandle) -> Figures:
    return Figures(
        *(item.time * 1_000_000, item.open, item.high, item.low, item.close, item.volume),
        trade_count=item.count,
    )
