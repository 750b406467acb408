"""Binance spot REST as data: requests and the parsers of their answers.

https://github.com/binance/binance-spot-api-docs/blob/master/rest-api.md
"""

from __future__ import annotations

from typing import Final

from collector_core.events import Candle, Instrument, Side, Trade
from collector_exchanges.binance import wire
from collector_exchanges.binance.spec import INTERVALS, SPEC
from collector_feed.candle_rows import CandleSpan, Figures, kept
from collector_feed.fields import level_texts
from collector_feed.outputs import BookSnapshot, Mark, Page, Request
from collector_feed.rest_api import Listing, RestApi

__all__ = ["book", "candles", "instruments", "trades"]

_API: Final = RestApi(SPEC)
_LIMIT: Final = 1000
_INTERVALS: Final = {interval: interval for interval in INTERVALS}


def instruments() -> Request[list[Instrument]]:
    """Everything listed, with its steps (``exchangeInfo``, weight 20)."""

    def parse(body: bytes, receive_time: int | None) -> list[Instrument]:
        answer = _API.read(body, wire.ExchangeInfo)
        return _API.listed(map(_listing, answer.symbols), receive_time)

    return _API.get("/api/v3/exchangeInfo", (), parse, weight=20)


def _listing(info: wire.SymbolInfo) -> Listing:
    rules = {rule.filterType: rule for rule in info.filters}
    price = rules.get("PRICE_FILTER")
    lot = rules.get("LOT_SIZE")
    notional = rules.get("NOTIONAL") or rules.get("MIN_NOTIONAL")
    return Listing(
        *(info.symbol, info.baseAsset, info.quoteAsset),
        price_tick=price.tickSize if price else None,
        amount_step=lot.stepSize if lot else None,
        min_amount=lot.minQty if lot else None,
        min_notional=notional.minNotional if notional else None,
        state="trading" if info.status == "TRADING" else "halted",
    )


def book(symbol: str, venue_symbol: str) -> Request[BookSnapshot]:
    """A snapshot of 5,000 levels a side (``depth``, weight 250)."""

    def parse(body: bytes, _receive_time: int | None) -> BookSnapshot:
        answer = _API.read(body, wire.DepthSnapshot)
        bids, asks = level_texts(answer.bids), level_texts(answer.asks)
        return BookSnapshot(symbol, None, answer.lastUpdateId, bids, asks)

    query = (("symbol", venue_symbol), ("limit", "5000"))
    return _API.get("/api/v3/depth", query, parse, weight=250)


def trades(
    symbol: str, venue_symbol: str, after: Mark | None, before: Mark | None
) -> Request[Page[Trade]]:
    """Up to 1,000 trades, oldest first: between two ids, or the newest (weight 25 both)."""
    last = _id(before)
    first = _id(after)
    if first is None and last is not None:
        first = max(-1, last - _LIMIT - 1)

    def parse(body: bytes, receive_time: int | None) -> Page[Trade]:
        items = _API.read(body, list[wire.RestTrade])
        rows = [_trade(symbol, item, receive_time) for item in items]
        whole = first is None or len(items) < _LIMIT or (last is not None and items[-1].id >= last)
        if whole:
            return Page(rows)
        return Page(rows, trades(symbol, venue_symbol, Mark(str(items[-1].id), None), before))

    query = (("symbol", venue_symbol), ("limit", str(_LIMIT)))
    if first is None:
        return _API.get("/api/v3/trades", query, parse, weight=25)
    ranged = (*query, ("fromId", str(first + 1)))
    return _API.get("/api/v3/historicalTrades", ranged, parse, weight=25)


def _id(mark: Mark | None) -> int | None:
    ident = None if mark is None else mark.id
    return int(ident) if ident is not None and ident.isdecimal() else None


def _trade(symbol: str, item: wire.RestTrade, receive_time: int | None) -> Trade:
    side: Side = "sell" if item.isBuyerMaker else "buy"
    time = item.time * 1000
    return _API.trade(symbol, str(item.id), time, receive_time, item.price, item.qty, side)


def candles(
    symbol: str, venue_symbol: str, interval: str, start: int | None, end: int | None
) -> Request[Page[Candle]]:
    """Up to 1,000 closed candles of [start, end), oldest first (``klines``, weight 2)."""
    theirs = kept(_INTERVALS, interval)
    span = CandleSpan(interval, start, end)

    def parse(body: bytes, receive_time: int | None) -> Page[Candle]:
        items = _API.read(body, list[wire.RestKline])
        rows = span.rows(_API.exchange, symbol, map(_figures, items), receive_time)
        reached = (items[-1].close_time + 1) * 1000 if items else 0
        whole = start is None or len(items) < _LIMIT or reached >= (end or 2**63)
        return Page(rows, None if whole else candles(symbol, venue_symbol, interval, reached, end))

    query = [("symbol", venue_symbol), ("interval", theirs), ("limit", str(_LIMIT))]
    if start is not None:
        query.append(("startTime", str(start // 1000)))
    if end is not None:
        # endTime is inclusive, ours is not
        query.append(("endTime", str(end // 1000 - 1)))
    return _API.get("/api/v3/klines", query, parse, weight=2)


def _figures(row: wire.RestKline) -> Figures:
    return Figures(
        *(row.open_time * 1000, row.open, row.high, row.low, row.close, row.volume),
        quote_volume=row.quote_volume,
        trade_count=row.trade_count,
    )
