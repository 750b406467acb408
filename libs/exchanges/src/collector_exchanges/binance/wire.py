"""Binance's messages, field for field; names are theirs.

https://github.com/binance/binance-spot-api-docs/blob/master/web-socket-streams.md
Only fields that we read are named; msgspec passes over the others.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from collector_feed.fields import Count, LevelText, Millis

__all__ = [
    "AggTrade",
    "BookTicker",
    "Candle",
    "Combined",
    "DepthSnapshot",
    "DepthUpdate",
    "ExchangeInfo",
    "Filter",
    "Kline",
    "Loose",
    "Message",
    "MessageError",
    "RestKline",
    "RestTrade",
    "ServerShutdown",
    "SymbolInfo",
    "Ticker",
    "Trade",
]

Levels: TypeAlias = list[LevelText]


class _Tagged(msgspec.Struct, frozen=True, gc=False, tag_field="e"):
    pass


class Trade(_Tagged, frozen=True, gc=False, tag="trade"):
    """``<symbol>@trade``."""

    s: str
    t: Count
    p: str
    q: str
    T: Millis
    m: bool


class AggTrade(_Tagged, frozen=True, gc=False, tag="aggTrade"):
    """``<symbol>@aggTrade``: the fills of one taker order at one price."""

    s: str
    a: Count
    p: str
    q: str
    T: Millis
    m: bool


class Ticker(_Tagged, frozen=True, gc=False, tag="24hrTicker"):
    """``<symbol>@ticker``: rolling 24 h."""

    E: Millis
    s: str
    p: str
    P: str
    w: str
    c: str
    b: str
    B: str
    a: str
    A: str
    o: str
    h: str
    l: str  # noqa: E741  # the exchange's name of the low
    v: str
    q: str
    n: Count


class DepthUpdate(_Tagged, frozen=True, gc=False, tag="depthUpdate"):
    """``<symbol>@depth@100ms``: changed levels, absolute amounts."""

    E: Millis
    s: str
    U: Count
    u: Count
    b: Levels
    a: Levels


class Candle(msgspec.Struct, frozen=True, gc=False):
    """The ``k`` of a kline."""

    t: Millis
    T: Millis
    i: str
    o: str
    c: str
    h: str
    l: str  # noqa: E741  # the exchange's name of the low
    v: str
    n: Count
    x: bool
    q: str


class Kline(_Tagged, frozen=True, gc=False, tag="kline"):
    """``<symbol>@kline_<interval>``."""

    E: Millis
    s: str
    k: Candle


class ServerShutdown(_Tagged, frozen=True, gc=False, tag="serverShutdown"):
    """The server is about to close this connection."""

    E: Millis


Message: TypeAlias = Trade | AggTrade | Ticker | DepthUpdate | Kline | ServerShutdown


class Combined(msgspec.Struct, frozen=True, gc=False):
    """The wrapping of ``/stream`` connections."""

    stream: str
    data: Message


class BookTicker(msgspec.Struct, frozen=True, gc=False):
    """``<symbol>@bookTicker``: the touch; on spot it has no event type and no time."""

    u: Count
    s: str
    b: str
    B: str
    a: str
    A: str


class MessageError(msgspec.Struct, frozen=True):
    """What is wrong with a message that we sent."""

    code: int
    msg: str


class Loose(msgspec.Struct, frozen=True):
    """Everything that carries no event type: answers, errors, wrapped and bare bookTickers."""

    id: int | str | None = None
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    code: int | None = None
    msg: str | None = None
    error: MessageError | None = None
    stream: str | None = None
    data: BookTicker | None = None
    e: str | None = None


class DepthSnapshot(msgspec.Struct, frozen=True):
    """``GET /api/v3/depth``."""

    lastUpdateId: Count  # noqa: N815  # the exchange's name
    bids: Levels
    asks: Levels


class RestTrade(msgspec.Struct, frozen=True):
    """An item of ``GET /api/v3/trades`` and ``/historicalTrades``."""

    id: Count
    price: str
    qty: str
    time: Millis
    isBuyerMaker: bool  # noqa: N815  # the exchange's name


class Filter(msgspec.Struct, frozen=True):
    """One of a symbol's trading rules; other kinds have other fields."""

    filterType: str  # noqa: N815  # the exchange's name
    tickSize: str | None = None  # noqa: N815  # the exchange's name
    stepSize: str | None = None  # noqa: N815  # the exchange's name
    minQty: str | None = None  # noqa: N815  # the exchange's name
    minNotional: str | None = None  # noqa: N815  # the exchange's name


class SymbolInfo(msgspec.Struct, frozen=True):
    """A symbol of ``exchangeInfo``."""

    symbol: str
    status: str
    baseAsset: str  # noqa: N815  # the exchange's name
    quoteAsset: str  # noqa: N815  # the exchange's name
    filters: list[Filter]


class ExchangeInfo(msgspec.Struct, frozen=True):
    """``GET /api/v3/exchangeInfo``."""

    symbols: list[SymbolInfo]


class RestKline(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A row of ``GET /api/v3/klines``; three columns more are passed over."""

    open_time: Millis
    open: str
    high: str
    low: str
    close: str
    volume: str
    close_time: Millis
    quote_volume: str
    trade_count: Count
