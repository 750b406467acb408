"""Bybit's messages, field for field; names are theirs.

https://bybit-exchange.github.io/docs/v5/ws/connect and the pages of each topic.
Only fields that we read are named; msgspec passes over the others.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from collector_core.events import Side
from collector_feed.fields import Count, LevelText, Millis

__all__ = [
    "SIDES",
    "Answer",
    "Book",
    "Frame",
    "Instrument",
    "Instruments",
    "Kline",
    "LotSizeFilter",
    "PriceFilter",
    "RestBook",
    "RestKline",
    "RestKlines",
    "RestTrade",
    "RestTrades",
    "Ticker",
    "Trade",
]

Ident = Annotated[str, msgspec.Meta(min_length=1)]

SIDES: Final[dict[str, Side]] = {"Buy": "buy", "Sell": "sell"}
"""Their word for the taker's side -> ours."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """Whatever comes: data of a ``topic``, or the answer to an ``op``.

    No field tells the kinds of data apart before the topic is read, and keys come in any order, so
    ``data`` is decoded in a second step.
    """

    topic: str | None = None
    type: str | None = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    ts: Millis | None = None
    """When it was made."""
    cts: Millis | None = None
    """Books only: the matching engine's time, which trades have as ``T``."""
    op: str | None = None
    success: bool | None = None
    ret_msg: str | None = None
    req_id: str | None = None


class Trade(msgspec.Struct, frozen=True, gc=False):
    """An item of ``publicTrade.{symbol}``; up to 1,024 a frame."""

    i: Ident
    T: Millis
    p: str
    v: str
    S: Literal["Buy", "Sell"]
    s: str


class Ticker(msgspec.Struct, frozen=True, gc=False):
    """``tickers.{symbol}``: rolling 24 h; on spot always whole and without bid and ask."""

    symbol: str
    lastPrice: str  # noqa: N815  # the exchange's name
    highPrice24h: str  # noqa: N815  # the exchange's name
    lowPrice24h: str  # noqa: N815  # the exchange's name
    prevPrice24h: str  # noqa: N815  # the exchange's name
    volume24h: str
    turnover24h: str


class Book(msgspec.Struct, frozen=True, gc=False):
    """``orderbook.{depth}.{symbol}``: all levels, or the changed ones with absolute amounts."""

    s: str
    b: list[LevelText]
    a: list[LevelText]
    u: Count


class Kline(msgspec.Struct, frozen=True, gc=False):
    """An item of ``kline.{interval}.{symbol}``."""

    start: Millis
    end: Millis
    interval: str
    open: str
    close: str
    high: str
    low: str
    volume: str
    turnover: str
    confirm: bool


class Answer(msgspec.Struct, frozen=True):
    """The envelope of every REST answer; errors have HTTP status 200."""

    retCode: int  # noqa: N815  # the exchange's name
    retMsg: str  # noqa: N815  # the exchange's name
    result: msgspec.Raw


class LotSizeFilter(msgspec.Struct, frozen=True):
    """Steps of amounts."""

    basePrecision: str  # noqa: N815  # the exchange's name
    minOrderQty: str  # noqa: N815  # the exchange's name
    minOrderAmt: str  # noqa: N815  # the exchange's name


class PriceFilter(msgspec.Struct, frozen=True):
    """Steps of prices."""

    tickSize: str  # noqa: N815  # the exchange's name


class Instrument(msgspec.Struct, frozen=True):
    """An item of ``instruments-info``."""

    symbol: str
    baseCoin: str  # noqa: N815  # the exchange's name
    quoteCoin: str  # noqa: N815  # the exchange's name
    status: str
    lotSizeFilter: LotSizeFilter  # noqa: N815  # the exchange's name
    priceFilter: PriceFilter  # noqa: N815  # the exchange's name


class Instruments(msgspec.Struct, frozen=True, rename={"items": "list"}):
    """``GET /v5/market/instruments-info``."""

    category: Literal["spot"]
    items: list[Instrument]


class RestBook(msgspec.Struct, frozen=True):
    """``GET /v5/market/orderbook``."""

    s: str
    b: list[LevelText]
    a: list[LevelText]
    u: Count
    ts: Millis
    cts: Millis | None = None


class RestTrade(msgspec.Struct, frozen=True):
    """An item of ``recent-trade``."""

    execId: Ident  # noqa: N815  # the exchange's name
    symbol: str
    price: str
    size: str
    side: Literal["Buy", "Sell"]
    time: Millis


class RestTrades(msgspec.Struct, frozen=True, rename={"items": "list"}):
    """``GET /v5/market/recent-trade``."""

    category: Literal["spot"]
    items: list[RestTrade]


class RestKline(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A row of ``kline``."""

    start: Millis
    open: str
    high: str
    low: str
    close: str
    volume: str
    turnover: str


class RestKlines(msgspec.Struct, frozen=True, rename={"items": "list"}):
    """``GET /v5/market/kline``."""

    category: Literal["spot"]
    symbol: str
    items: list[RestKline]
