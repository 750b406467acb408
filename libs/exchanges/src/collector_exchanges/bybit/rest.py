"""Bybit spot REST as data: requests and the parsers of their answers.

https://bybit-exchange.github.io/docs/v5/market (instrument, orderbook, recent-trade, kline).
Every request costs one of the address's 600 in 5 seconds. The category has to be named: without
one Bybit answers for its futures.
"""

from __future__ import annotations

from typing import Final, TypeVar

from collector_core.errors import Throttled
from collector_core.events import Candle, Instrument, Trade
from collector_exchanges.bybit import wire
from collector_exchanges.bybit.spec import DEPTH, INTERVALS, SPEC
from collector_exchanges.bybit.wire import SIDES
from collector_feed.candle_rows import CandleSpan, Figures, kept
from collector_feed.fields import level_texts
from collector_feed.outputs import BookSnapshot, Mark, Page, Request
from collector_feed.rest_api import Listing, RestApi, expect_about

__all__ = ["book", "candles", "instruments", "trades"]

_API: Final = RestApi(SPEC)
_SPOT: Final = ("category", "spot")
_CANDLES: Final = 1000
_TRADES: Final = 60
_THROTTLED: Final = frozenset({10006, 10018, 10429})
"""Too many visits; over the limit of the address; over the limit of the system."""
_T = TypeVar("_T")


def _result(body: bytes, kind: type[_T]) -> _T:
    answer = _API.read(body, wire.Answer)
    if answer.retCode:
        refusal = _API.refused(f"{answer.retCode} {answer.retMsg}")
        if answer.retCode in _THROTTLED:
            raise Throttled(str(refusal), 200)
        raise refusal
    # not strict: times are texts of numbers here
    return _API.read(answer.result, kind, strict=False)


def instruments() -> Request[list[Instrument]]:
    """Everything listed, with its steps (``instruments-info``, one page on spot)."""

    def parse(body: bytes, receive_time: int | None) -> list[Instrument]:
        items = _result(body, wire.Instruments).items
        return _API.listed(map(_listing, items), receive_time)

    return _API.get("/v5/market/instruments-info", (_SPOT,), parse)


def _listing(item: wire.Instrument) -> Listing:
    return Listing(
        *(item.symbol, item.baseCoin, item.quoteCoin),
        price_tick=item.priceFilter.tickSize,
        amount_step=item.lotSizeFilter.basePrecision,
        min_amount=item.lotSizeFilter.minOrderQty,
        min_notional=item.lotSizeFilter.minOrderAmt,
        state="trading" if item.status == "Trading" else "halted",
    )


def book(symbol: str, venue_symbol: str) -> Request[BookSnapshot]:
    """A snapshot of 1,000 levels a side, with the number of the stream of that depth."""

    def parse(body: bytes, _receive_time: int | None) -> BookSnapshot:
        answer = _result(body, wire.RestBook)
        expect_about(answer.s, venue_symbol)
        time = answer.ts if answer.cts is None else answer.cts
        bids, asks = level_texts(answer.b), level_texts(answer.a)
        return BookSnapshot(symbol, time * 1000, answer.u, bids, asks)

    query = (_SPOT, ("symbol", venue_symbol), ("limit", str(DEPTH)))
    return _API.get("/v5/market/orderbook", query, parse)


def trades(
    symbol: str, venue_symbol: str, _after: Mark | None, _before: Mark | None
) -> Request[Page[Trade]]:
    """The newest 60 trades, oldest first (``recent-trade``): there are no further pages."""

    def parse(body: bytes, receive_time: int | None) -> Page[Trade]:
        items = _result(body, wire.RestTrades).items
        # their order is not promised; ids are numbers that count up, so the longer is the larger
        items.sort(key=lambda item: (item.time, len(item.execId), item.execId))
        return Page([_trade(symbol, venue_symbol, item, receive_time) for item in items])

    query = (_SPOT, ("symbol", venue_symbol), ("limit", str(_TRADES)))
    return _API.get("/v5/market/recent-trade", query, parse)


def _trade(symbol: str, venue_symbol: str, item: wire.RestTrade, receive_time: int | None) -> Trade:
    expect_about(item.symbol, venue_symbol)
    time, side = item.time * 1000, SIDES[item.side]
    return _API.trade(symbol, item.execId, time, receive_time, item.price, item.size, side)


def candles(
    symbol: str, venue_symbol: str, interval: str, start: int | None, end: int | None
) -> Request[Page[Candle]]:
    """The closed candles of up to 1,000 intervals of [start, end), oldest first (``kline``)."""
    theirs = kept(INTERVALS, interval)
    # pages begin with the newest, so the one that begins at start has to be reached by its end
    span = CandleSpan(interval, start, end, _CANDLES)

    def parse(body: bytes, receive_time: int | None) -> Page[Candle]:
        answer = _result(body, wire.RestKlines)
        expect_about(answer.symbol, venue_symbol)
        found = map(_figures, reversed(answer.items))
        rows = span.rows(_API.exchange, symbol, found, receive_time)
        more = span.following(receive_time)
        if more is None:
            return Page(rows)
        return Page(rows, candles(symbol, venue_symbol, interval, more, end))

    query = [_SPOT, ("symbol", venue_symbol), ("interval", theirs)]
    if start is not None:
        query.append(("start", str(-(-start // 1000))))
    if span.until is not None:
        # end is inclusive, ours is not
        query.append(("end", str(-(-span.until // 1000) - 1)))
    query.append(("limit", str(_CANDLES)))
    return _API.get("/v5/market/kline", query, parse)


def _figures(item: wire.RestKline) -> Figures:
    return Figures(
        *(item.start * 1000, item.open, item.high, item.low, item.close, item.volume),
        quote_volume=item.turnover,
    )
