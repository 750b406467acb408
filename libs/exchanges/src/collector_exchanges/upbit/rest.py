"""Upbit REST as data: requests and the parsers of their answers.

https://docs.upbit.com/kr/reference (list-trading-pairs, list-orderbooks, recent-trades-history,
list-candles-*). Every request costs one of its group's 10 a second.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec

from collector_core import intervals
from collector_core.errors import FrameError, NumberError, SettingsError, SymbolError
from collector_core.events import Candle, Instrument, Trade
from collector_core.symbols import join
from collector_exchanges.upbit import wire
from collector_exchanges.upbit.spec import REST_INTERVALS
from collector_exchanges.upbit.values import SIDES, LevelTexts, OpenTimes, levels, number
from collector_feed.outputs import BookSnapshot, Request

__all__ = ["book", "candles", "instruments", "trades"]

_TRADES: Final = 500
_CANDLES: Final = 200
_MICRO: Final = 1_000_000
_MONTH: Final = 28 * 86_400 * _MICRO
"""The shortest month: so many of them hold no more candles than there are."""
_T = TypeVar("_T")


def _decode(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FrameError(f"expected an Upbit answer, was {body[:120]!r}: {error}") from error


def _check(market: str, venue_symbol: str) -> None:
    if market != venue_symbol:
        raise FrameError(f"expected an answer about {venue_symbol}, was {market[:64]!r}")


def instruments() -> Request[list[Instrument]]:
    """Everything listed (``market/all``); it names no steps, and what is listed is traded."""

    def parse(body: bytes, receive_time: int | None) -> list[Instrument]:
        listed = []
        for item in _decode(body, list[wire.Market]):
            quote, _, base = item.market.partition("-")
            try:
                symbol = join(base, quote)
            except SymbolError:
                # one odd code must not hide the others; asked for by name, it is "not listed"
                continue
            listed.append(
                Instrument(
                    exchange="upbit",
                    symbol=symbol,
                    exchange_time=None,
                    receive_time=receive_time,
                    epoch=0,
                    seq=0,
                    venue_symbol=item.market,
                    base=base,
                    quote=quote,
                    price_tick=None,
                    amount_step=None,
                    min_amount=None,
                    min_notional=None,
                    state="trading",
                )
            )
        return listed

    return Request("GET", "/v1/market/all", (), 1, parse)


def book(symbol: str, venue_symbol: str) -> Request[BookSnapshot]:
    """The 30 best levels a side (``orderbook``)."""

    def parse(body: bytes, _receive_time: int | None) -> BookSnapshot:
        answer = _decode(body, list[wire.RestOrderbook])
        if len(answer) != 1:
            raise FrameError(f"expected the book of {venue_symbol}, was {len(answer)} books")
        item = answer[0]
        _check(item.market, venue_symbol)
        try:
            bids, asks = levels(item.orderbook_units, LevelTexts())
        except NumberError as error:
            raise FrameError(f"expected numbers in an Upbit book: {error}") from error
        return BookSnapshot(symbol, item.timestamp * 1000, None, bids, asks)

    return Request("GET", "/v1/orderbook", (("markets", venue_symbol), ("count", "30")), 1, parse)


def trades(symbol: str, venue_symbol: str, before_id: str | None = None) -> Request[list[Trade]]:
    """Up to 500 trades, oldest first: the newest of the UTC day, or those before an id."""

    def parse(body: bytes, receive_time: int | None) -> list[Trade]:
        rows = []
        # the newest comes first
        for item in reversed(_decode(body, list[wire.RestTrade])):
            _check(item.market, venue_symbol)
            try:
                price, amount = number(item.trade_price), number(item.trade_volume)
            except NumberError as error:
                raise FrameError(f"expected numbers in Upbit trades: {error}") from error
            rows.append(
                Trade(
                    "upbit",
                    symbol,
                    item.timestamp * 1000,
                    receive_time,
                    0,
                    0,
                    str(item.sequential_id),
                    price,
                    amount,
                    SIDES[item.ask_bid],
                    backfilled=True,
                )
            )
        return rows

    query = [("market", venue_symbol), ("count", str(_TRADES))]
    if before_id is not None:
        query.append(("cursor", before_id))
    return Request("GET", "/v1/trades/ticks", tuple(query), 1, parse)


def candles(
    symbol: str, venue_symbol: str, interval: str, start: int | None, end: int | None
) -> Request[list[Candle]]:
    """The closed candles of up to 200 intervals of [start, end), oldest first.

    Raises:
        SettingsError: an interval that Upbit does not keep.
    """
    if interval not in REST_INTERVALS:
        raise SettingsError(
            f"expected one of {', '.join(REST_INTERVALS)} as interval, was {interval!r}"
        )
    until = end
    if start is not None:
        # pages count back from their end, so the one that begins at start has to be reached by it
        page = start + _CANDLES * (intervals.length(interval) or _MONTH)
        until = page if end is None else min(page, end)

    def parse(body: bytes, receive_time: int | None) -> list[Candle]:
        times = OpenTimes()
        rows = []
        for item in reversed(_decode(body, list[wire.RestCandle])):
            _check(item.market, venue_symbol)
            opened = times[item.candle_date_time_utc]
            closes = intervals.close_time(interval, opened)
            outside = (start is not None and opened < start) or (
                until is not None and opened >= until
            )
            # the last one may still be open
            if outside or (receive_time is not None and closes > receive_time):
                continue
            rows.append(_candle(symbol, interval, (opened, closes), item, receive_time))
        return rows

    query = [("market", venue_symbol), ("count", str(_CANDLES))]
    if until is not None:
        query.append(("to", _text(until)))
    return Request("GET", f"/v1/candles/{REST_INTERVALS[interval]}", tuple(query), 1, parse)


def _candle(
    symbol: str,
    interval: str,
    times: tuple[int, int],
    item: wire.RestCandle,
    receive_time: int | None,
) -> Candle:
    try:
        return Candle(
            exchange="upbit",
            symbol=symbol,
            exchange_time=item.timestamp * 1000,
            receive_time=receive_time,
            epoch=0,
            seq=0,
            interval=interval,
            open_time=times[0],
            close_time=times[1],
            open=number(item.opening_price),
            high=number(item.high_price),
            low=number(item.low_price),
            close=number(item.trade_price),
            volume=number(item.candle_acc_trade_volume),
            quote_volume=number(item.candle_acc_trade_price),
            trade_count=None,
            closed=True,
            backfilled=True,
        )
    except NumberError as error:
        raise FrameError(f"expected numbers in Upbit candles: {error}") from error


def _text(time: int) -> str:
    # exclusive and in whole seconds: a part of a second more lets the candle of that second in
    seconds = -(-time // _MICRO)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
