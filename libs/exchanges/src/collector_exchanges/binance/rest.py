"""Binance spot REST as data: requests and the parsers of their answers.

https://github.com/binance/binance-spot-api-docs/blob/master/rest-api.md
"""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from collector_core.errors import FrameError, NumberError, SettingsError, SymbolError
from collector_core.events import Candle, Instrument, Trade
from collector_core.numbers import exact
from collector_core.symbols import join
from collector_exchanges.binance import wire
from collector_exchanges.binance.spec import INTERVALS
from collector_feed.outputs import BookSnapshot, Request

__all__ = ["book", "candles", "instruments", "trades"]

_LIMIT: Final = 1000
_T = TypeVar("_T")


def _decode(body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FrameError(f"expected a Binance answer, was {body[:120]!r}: {error}") from error


def instruments() -> Request[list[Instrument]]:
    """Everything listed, with its steps (``exchangeInfo``, weight 20)."""

    def parse(body: bytes, receive_time: int | None) -> list[Instrument]:
        listed = []
        for info in _decode(body, wire.ExchangeInfo).symbols:
            try:
                symbol = join(info.baseAsset, info.quoteAsset)
            except SymbolError:
                # one odd code must not hide the others; asked for by name, it is "not listed"
                continue
            listed.append(_instrument(symbol, info, receive_time))
        return listed

    return Request("GET", "/api/v3/exchangeInfo", (), 20, parse)


def _instrument(symbol: str, info: wire.SymbolInfo, receive_time: int | None) -> Instrument:
    rules = {rule.filterType: rule for rule in info.filters}
    price = rules.get("PRICE_FILTER")
    lot = rules.get("LOT_SIZE")
    notional = rules.get("NOTIONAL") or rules.get("MIN_NOTIONAL")
    return Instrument(
        exchange="binance",
        symbol=symbol,
        exchange_time=None,
        receive_time=receive_time,
        epoch=0,
        seq=0,
        venue_symbol=info.symbol,
        base=info.baseAsset,
        quote=info.quoteAsset,
        price_tick=_number(price.tickSize if price else None),
        amount_step=_number(lot.stepSize if lot else None),
        min_amount=_number(lot.minQty if lot else None),
        min_notional=_number(notional.minNotional if notional else None),
        state="trading" if info.status == "TRADING" else "halted",
    )


def _number(text: str | None) -> str | None:
    try:
        return None if text is None else exact(text)
    except NumberError as error:
        raise FrameError(f"expected a number in a trading rule, was {text!r}") from error


def book(symbol: str, venue_symbol: str) -> Request[BookSnapshot]:
    """A snapshot of 5,000 levels a side (``depth``, weight 250)."""

    def parse(body: bytes, _receive_time: int | None) -> BookSnapshot:
        answer = _decode(body, wire.DepthSnapshot)
        try:
            bids = [(exact(price), exact(amount)) for price, amount in answer.bids]
            asks = [(exact(price), exact(amount)) for price, amount in answer.asks]
        except NumberError as error:
            raise FrameError(f"expected numbers in a Binance snapshot: {error}") from error
        return BookSnapshot(symbol, None, answer.lastUpdateId, bids, asks)

    query = (("symbol", venue_symbol), ("limit", "5000"))
    return Request("GET", "/api/v3/depth", query, 250, parse)


def trades(symbol: str, venue_symbol: str, from_id: str | None) -> Request[list[Trade]]:
    """Up to 1,000 trades, oldest first: from an id on, or the newest (weight 25 both)."""

    def parse(body: bytes, receive_time: int | None) -> list[Trade]:
        try:
            return [
                Trade(
                    "binance",
                    symbol,
                    item.time * 1000,
                    receive_time,
                    0,
                    0,
                    str(item.id),
                    exact(item.price),
                    exact(item.qty),
                    "sell" if item.isBuyerMaker else "buy",
                    backfilled=True,
                )
                for item in _decode(body, list[wire.RestTrade])
            ]
        except NumberError as error:
            raise FrameError(f"expected numbers in Binance trades: {error}") from error

    query = (("symbol", venue_symbol), ("limit", str(_LIMIT)))
    if from_id is None:
        return Request("GET", "/api/v3/trades", query, 25, parse)
    return Request("GET", "/api/v3/historicalTrades", (*query, ("fromId", from_id)), 25, parse)


def candles(
    symbol: str, venue_symbol: str, interval: str, start: int | None, end: int | None
) -> Request[list[Candle]]:
    """Up to 1,000 closed candles of [start, end), oldest first (``klines``, weight 2).

    Raises:
        SettingsError: an interval that Binance does not keep.
    """
    if interval not in INTERVALS:
        raise SettingsError(f"expected one of {', '.join(INTERVALS)} as interval, was {interval!r}")

    def parse(body: bytes, receive_time: int | None) -> list[Candle]:
        try:
            rows = [
                _candle(symbol, interval, row, receive_time)
                for row in _decode(body, list[wire.RestKline])
            ]
        except NumberError as error:
            raise FrameError(f"expected numbers in Binance candles: {error}") from error
        # the last one may still be open
        return [row for row in rows if receive_time is None or row.close_time <= receive_time]

    query = [("symbol", venue_symbol), ("interval", interval), ("limit", str(_LIMIT))]
    if start is not None:
        query.append(("startTime", str(start // 1000)))
    if end is not None:
        # endTime is inclusive, ours is not
        query.append(("endTime", str(end // 1000 - 1)))
    return Request("GET", "/api/v3/klines", tuple(query), 2, parse)


def _candle(symbol: str, interval: str, row: wire.RestKline, receive_time: int | None) -> Candle:
    return Candle(
        exchange="binance",
        symbol=symbol,
        exchange_time=None,
        receive_time=receive_time,
        epoch=0,
        seq=0,
        interval=interval,
        open_time=row.open_time * 1000,
        close_time=(row.close_time + 1) * 1000,
        open=exact(row.open),
        high=exact(row.high),
        low=exact(row.low),
        close=exact(row.close),
        volume=exact(row.volume),
        quote_volume=exact(row.quote_volume),
        trade_count=row.trade_count,
        closed=True,
        backfilled=True,
    )
