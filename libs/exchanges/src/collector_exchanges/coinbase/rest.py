"""Coinbase's public REST as data: requests and the parsers of their answers.

https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/public
Every request costs one of 10 a second and address.
"""

from __future__ import annotations

from typing import Final

from collector_core.errors import FrameError
from collector_core.events import Candle, Instrument, Level, Trade
from collector_core.numbers import exact
from collector_exchanges.coinbase import wire
from collector_exchanges.coinbase.spec import GRANULARITIES, SPEC
from collector_exchanges.coinbase.wire import TAKER
from collector_feed.candle_rows import CandleSpan, Figures, kept
from collector_feed.outputs import BookSnapshot, Mark, Page, Request
from collector_feed.rest_api import Listing, RestApi, expect_about
from collector_feed.times import rfc3339

__all__ = ["book", "candles", "figures", "instruments", "trades"]

_API: Final = RestApi(SPEC)
_ROOT: Final = "/api/v3/brokerage/market"
_TRADES: Final = 1000
_CANDLES: Final = 300
"""Candles of a page; the documentation says 350 in one place and fewer than that in another."""
_MICRO: Final = 1_000_000
_LATEST: Final = 9_007_199_000
"""Seconds whose microseconds are exact in every language (below 2**53)."""


def instruments() -> Request[list[Instrument]]:
    """Everything listed on spot, with its steps; what only lends its name is left out."""

    def parse(body: bytes, receive_time: int | None) -> list[Instrument]:
        products = _API.read(body, wire.Products).products
        # BTC-USDC shares the book of BTC-USD and is pushed under that name
        listed = [_listing(item) for item in products if not item.alias]
        return _API.listed(listed, receive_time)

    return _API.get(f"{_ROOT}/products", (("product_type", "SPOT"),), parse)


def _listing(item: wire.Product) -> Listing:
    halted = (
        item.status != "online"
        or item.is_disabled
        or item.trading_disabled
        or item.view_only
        # orders are taken, or taken back, and none is filled
        or item.cancel_only
        or item.post_only
        or item.auction_mode
    )
    return Listing(
        *(item.product_id, item.base_currency_id, item.quote_currency_id),
        price_tick=item.price_increment or item.quote_increment,
        amount_step=item.base_increment,
        min_amount=item.base_min_size,
        min_notional=item.quote_min_size,
        state="delisted" if item.status == "delisted" else "halted" if halted else "trading",
    )


def book(symbol: str, venue_symbol: str) -> Request[BookSnapshot]:
    """The book (``market/product_book``), all of it; it may be a second old and has no number."""

    def parse(body: bytes, _receive_time: int | None) -> BookSnapshot:
        answer = _API.read(body, wire.ProductBook).pricebook
        expect_about(answer.product_id, venue_symbol)
        bids, asks = _levels(answer.bids), _levels(answer.asks)
        return BookSnapshot(symbol, rfc3339(answer.time), None, bids, asks)

    return _API.get(f"{_ROOT}/product_book", (("product_id", venue_symbol),), parse)


def _levels(levels: list[wire.Level]) -> list[Level]:
    return [(exact(level.price), exact(level.size)) for level in levels]


def trades(
    symbol: str,
    venue_symbol: str,
    after: Mark | None,
    before: Mark | None,
    end: int | None = None,
) -> Request[Page[Trade]]:
    """Up to 1,000 trades, the newest up to ``end``, a whole second (``market/products/…/ticker``).

    Pages go back in time; ids only tell when the page reaches ``after``.
    """
    if end is None and before is not None and before.time is not None:
        end = before.time // _MICRO + 1
    start = None if after is None or after.time is None else after.time // _MICRO

    def parse(body: bytes, receive_time: int | None) -> Page[Trade]:
        items = _API.read(body, wire.RestTrades).trades
        # the newest comes first
        rows = [_trade(symbol, venue_symbol, item, receive_time) for item in reversed(items)]
        return Page(rows, more(rows))

    def more(rows: list[Trade]) -> Request[Page[Trade]] | None:
        if after is None or len(rows) < _TRADES:
            return None
        oldest = rows[0]
        time = oldest.exchange_time or 0
        if (after.time is not None and time < after.time) or _reaches(oldest, after):
            return None
        # one second at least: more trades in one than a page has cannot be had, and ids tell
        back = time // _MICRO + 1 if end is None else min(time // _MICRO + 1, end - 1)
        if start is not None and back <= start:
            return None
        return trades(symbol, venue_symbol, after, None, back)

    query = [("limit", str(_TRADES))]
    if end is not None:
        # a start without an end is refused
        if start is not None:
            query.append(("start", str(start)))
        query.append(("end", str(end)))
    return _API.get(f"{_ROOT}/products/{venue_symbol}/ticker", query, parse)


def _reaches(oldest: Trade, after: Mark) -> bool:
    known, found = after.id or "", oldest.id or ""
    return known.isdecimal() and found.isdecimal() and int(found) <= int(known) + 1


def _trade(
    symbol: str, venue_symbol: str, item: wire.MarketTrade, receive_time: int | None
) -> Trade:
    expect_about(item.product_id, venue_symbol)
    time, side = rfc3339(item.time), TAKER[item.side]
    return _API.trade(symbol, item.trade_id, time, receive_time, item.price, item.size, side)


def candles(
    symbol: str, venue_symbol: str, interval: str, start: int | None, end: int | None
) -> Request[Page[Candle]]:
    """The closed candles of up to 300 intervals of [start, end), oldest first.

    From ``start`` on, up to ``end`` where there is only one, or the newest without either.
    """
    granularity = kept(GRANULARITIES, interval)
    span = CandleSpan(interval, start, end, _CANDLES)

    def parse(body: bytes, receive_time: int | None) -> Page[Candle]:
        # the newest comes first
        found = map(figures, reversed(_API.read(body, wire.RestCandles).candles))
        rows = span.rows(_API.exchange, symbol, found, receive_time)
        more = span.following(receive_time)
        if more is None:
            return Page(rows)
        return Page(rows, candles(symbol, venue_symbol, interval, more, end))

    query = [("granularity", granularity), ("limit", str(_CANDLES))]
    if span.until is not None:
        first = span.until - _CANDLES * span.length if start is None else start
        query.append(("start", str(-(-first // _MICRO))))
        # the end is inclusive, ours is not
        query.append(("end", str(-(-span.until // _MICRO) - 1)))
    return _API.get(f"{_ROOT}/products/{venue_symbol}/candles", query, parse)


def figures(item: wire.RestCandle | wire.Candle, time: int | None = None) -> Figures:
    """Return what a candle says, a pushed one with its time.

    Raises:
        FrameError: it does not open at a second.
    """
    text = item.start
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= _LATEST):
        raise FrameError(f"expected a count of seconds, was {text[:64]!r}")
    return Figures(
        *(int(text) * _MICRO, item.open, item.high, item.low, item.close, item.volume),
        exchange_time=time,
    )
