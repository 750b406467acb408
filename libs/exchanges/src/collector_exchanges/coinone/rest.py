"""Coinone REST as data: requests and the parsers of their answers.

https://docs.coinone.co.kr/reference (markets, orderbook, recent-completed-orders, chart). Each
request costs one of a bucket of 1,200. Refusals come with HTTP 200, wrong paths as a page of HTML.
"""

from __future__ import annotations

from typing import Final, TypeVar

from collector_core.errors import FrameError, Throttled
from collector_core.events import Candle, Instrument, Trade
from collector_exchanges.coinone import wire
from collector_exchanges.coinone.levels import Texts, taker
from collector_exchanges.coinone.levels import book as whole_book
from collector_exchanges.coinone.spec import INTERVALS, SPEC
from collector_feed.candle_rows import CandleSpan, Figures, kept
from collector_feed.outputs import BookSnapshot, Mark, Page, Request
from collector_feed.rest_api import Listing, RestApi

__all__ = ["book", "candles", "instruments", "trades"]

_API: Final = RestApi(SPEC)
_TRADES: Final = "200"
_CANDLES: Final = 500
_BLOCKED: Final = "4"
_ROOT: Final = "/public/v2"
_Kind = TypeVar("_Kind")


def _read(body: bytes, kind: type[_Kind]) -> _Kind:
    outcome = _API.read(body, wire.Outcome)
    if outcome.result != "success":
        refusal = _API.refused(f"{outcome.error_code} {outcome.error_msg}".strip())
        if outcome.error_code == _BLOCKED:
            raise Throttled(str(refusal))
        raise refusal
    return _API.read(body, kind)


def _check(answer: wire.OrderbookData | wire.Transactions, venue_symbol: str) -> None:
    # REST spells currencies in either case
    pair = f"{answer.quote_currency}-{answer.target_currency}"
    if pair.upper() != venue_symbol.upper():
        raise FrameError(f"expected an answer about {venue_symbol}, was {pair[:64]!r}")


def _path(name: str, venue_symbol: str) -> str:
    return f"{_ROOT}/{name}/{venue_symbol.replace('-', '/', 1)}"


def instruments() -> Request[list[Instrument]]:
    """Everything listed in KRW, which is everything: there is no other quote currency."""

    def parse(body: bytes, receive_time: int | None) -> list[Instrument]:
        return _API.listed(map(_listing, _read(body, wire.Markets).markets), receive_time)

    return _API.get(f"{_ROOT}/markets/KRW", (), parse)


def _listing(item: wire.Market) -> Listing:
    base, quote = item.target_currency.upper(), item.quote_currency.upper()
    return Listing(
        *(f"{quote}-{base}", base, quote),
        # the step at today's price
        price_tick=item.price_unit,
        amount_step=item.qty_unit,
        min_amount=item.min_qty,
        min_notional=item.min_order_amount,
        # without one of the two sides nothing is traded either
        state="trading" if (item.maintenance_status, item.trade_status) == (0, 1) else "halted",
    )


def book(symbol: str, venue_symbol: str) -> Request[BookSnapshot]:
    """The 16 best levels a side, under the stream's own numbers."""

    def parse(body: bytes, _receive_time: int | None) -> BookSnapshot:
        answer = _read(body, wire.OrderbookData)
        _check(answer, venue_symbol)
        return whole_book(symbol, answer, Texts())

    query = (("size", "16"), ("order_book_unit", "0.0"))
    return _API.get(_path("orderbook", venue_symbol), query, parse)


def trades(
    symbol: str, venue_symbol: str, _after: Mark | None, _before: Mark | None
) -> Request[Page[Trade]]:
    """The newest 200 trades, oldest first; nothing older can be had."""

    def parse(body: bytes, receive_time: int | None) -> Page[Trade]:
        answer = _read(body, wire.Transactions)
        _check(answer, venue_symbol)
        items = reversed(answer.transactions)
        return Page([_trade(symbol, item, receive_time) for item in items])

    return _API.get(_path("trades", venue_symbol), (("size", _TRADES),), parse)


def _trade(symbol: str, item: wire.Transaction, receive_time: int | None) -> Trade:
    time, side = item.timestamp * 1000, taker(item.is_seller_maker)
    return _API.trade(symbol, item.id, time, receive_time, item.price, item.qty, side)


def candles(
    symbol: str, venue_symbol: str, interval: str, start: int | None, end: int | None
) -> Request[Page[Candle]]:
    """The closed candles of up to 499 intervals of [start, end), oldest first.

    An answer counts back from ``timestamp``, and nobody says whether the candle that opens then
    is in it: so a page is asked for one candle longer than it is.
    """
    theirs = kept(INTERVALS, interval)
    span = CandleSpan(interval, start, end, _CANDLES - 1)

    def parse(body: bytes, receive_time: int | None) -> Page[Candle]:
        found = map(_figures, reversed(_read(body, wire.Charts).chart))
        rows = span.rows(_API.exchange, symbol, found, receive_time)
        more = span.following(receive_time)
        if more is None:
            return Page(rows)
        return Page(rows, candles(symbol, venue_symbol, interval, more, end))

    query = [("interval", theirs), ("size", str(_CANDLES))]
    if span.until is not None:
        # rounded up: a part of a millisecond less would leave the last candle out
        query.append(("timestamp", str(-(-span.until // 1000))))
    return _API.get(_path("chart", venue_symbol), query, parse)


def _figures(item: wire.Candle) -> Figures:
    return Figures(
        *(item.timestamp * 1000, item.open, item.high, item.low, item.close),
        volume=item.target_volume,
        quote_volume=item.quote_volume,
    )
