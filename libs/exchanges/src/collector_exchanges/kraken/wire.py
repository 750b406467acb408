"""Kraken's messages, field for field; names are theirs.

https://docs.kraken.com/api/docs/websocket-v2 (book, trade, ticker, ohlc, instrument, status, ping)
Only fields that we read are named; msgspec passes over the others. Prices and amounts are JSON
numbers, taken as their text: a ``Raw`` is a view of the frame and must not outlive the callback.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Raw, field

from collector_feed.fields import Count

__all__ = [
    "AssetPair",
    "Book",
    "BookData",
    "Candle",
    "Envelope",
    "Heartbeat",
    "Instrument",
    "Instruments",
    "Level",
    "Loose",
    "Message",
    "Ohlc",
    "Pair",
    "RestBook",
    "RestCandle",
    "RestLevel",
    "RestTrade",
    "Result",
    "Status",
    "Ticker",
    "TickerData",
    "Trade",
    "TradeData",
]

Kind: TypeAlias = Literal["snapshot", "update"]
Decimals: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=30)]
Crc32: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
Seconds: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=9_007_199_254)]


class _Tagged(msgspec.Struct, frozen=True, gc=False, tag_field="channel"):
    pass


class Level(msgspec.Struct, frozen=True, gc=False):
    """A price and the amount there; zero removes it."""

    price: Raw
    qty: Raw


class BookData(msgspec.Struct, frozen=True, gc=False):
    """A whole book or its changes, which apply in this order: a price may come twice."""

    symbol: str
    bids: list[Level]
    asks: list[Level]
    checksum: Crc32
    timestamp: str | None = None


class Book(_Tagged, frozen=True, gc=False, tag="book"):
    """``book``; ``data`` has one element."""

    type: Kind
    data: list[BookData]


class TradeData(msgspec.Struct, frozen=True, gc=False):
    """One trade; ``side`` is the taker's."""

    symbol: str
    side: Literal["buy", "sell"]
    price: Raw
    qty: Raw
    trade_id: Count
    timestamp: str


class Trade(_Tagged, frozen=True, gc=False, tag="trade"):
    """``trade``: what happened at once; a snapshot is the last 50."""

    type: Kind
    data: list[TradeData]


class TickerData(msgspec.Struct, frozen=True, gc=False):
    """Rolling 24 h and the touch."""

    symbol: str
    bid: Raw
    bid_qty: Raw
    ask: Raw
    ask_qty: Raw
    last: Raw
    volume: Raw
    vwap: Raw
    low: Raw
    high: Raw
    change: Raw
    change_pct: Raw
    timestamp: str | None = None


class Ticker(_Tagged, frozen=True, gc=False, tag="ticker"):
    """``ticker``."""

    type: Kind
    data: list[TickerData]


class Candle(msgspec.Struct, frozen=True, gc=False):
    """A candle so far; its own ``timestamp``, its end, is on the way out."""

    symbol: str
    open: Raw
    high: Raw
    low: Raw
    close: Raw
    trades: Count
    volume: Raw
    interval_begin: str
    interval: int


class Ohlc(_Tagged, frozen=True, gc=False, tag="ohlc"):
    """``ohlc``."""

    type: Kind
    data: list[Candle]
    timestamp: str | None = None


class Pair(msgspec.Struct, frozen=True, gc=False):
    """What a checksum takes of a pair."""

    symbol: str
    price_precision: Decimals
    qty_precision: Decimals


class Instruments(msgspec.Struct, frozen=True, gc=False):
    """The ``data`` of ``instrument``, an object here."""

    pairs: list[Pair] = []


class Instrument(_Tagged, frozen=True, gc=False, tag="instrument"):
    """``instrument``: every pair, and then those that changed."""

    type: Kind
    data: Instruments


class Heartbeat(_Tagged, frozen=True, gc=False, tag="heartbeat"):
    """Each second in which nothing else is sent."""


class Status(_Tagged, frozen=True, gc=False, tag="status"):
    """The state of the trading engine; the first frame of a connection."""


Message: TypeAlias = Book | Trade | Ticker | Ohlc | Heartbeat | Instrument | Status


class Result(msgspec.Struct, frozen=True):
    """What was subscribed."""

    channel: str
    symbol: str | None = None
    interval: int | None = None


class Loose(msgspec.Struct, frozen=True):
    """Everything without a channel: answers to our messages, one for each symbol."""

    method: str | None = None
    success: bool | None = None
    error: str | None = None
    other_error: str | None = field(default=None, name="Error")
    symbol: str | None = None
    result: Result | None = None
    req_id: int | None = None
    channel: str | None = None


class Envelope(msgspec.Struct, frozen=True):
    """Every REST answer; errors come with status 200."""

    error: list[str]
    result: dict[str, Raw] | None = None


class AssetPair(msgspec.Struct, frozen=True):
    """A pair of ``GET /0/public/AssetPairs``."""

    pair_decimals: Decimals
    lot_decimals: Decimals
    wsname: str | None = None
    ordermin: str | None = None
    costmin: str | None = None
    tick_size: str | None = None
    status: str = "online"


class RestLevel(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A level of ``GET /0/public/Depth``."""

    price: str
    volume: str


class RestBook(msgspec.Struct, frozen=True):
    """``GET /0/public/Depth``."""

    asks: list[RestLevel]
    bids: list[RestLevel]


class RestTrade(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A row of ``GET /0/public/Trades``; ``time`` is in seconds, with seven decimals."""

    price: str
    volume: str
    time: Raw
    side: Literal["b", "s"]
    ordertype: str
    misc: str
    trade_id: Count | None = None


class RestCandle(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A row of ``GET /0/public/OHLC``."""

    time: Seconds
    open: str
    high: str
    low: str
    close: str
    vwap: str
    volume: str
    count: Count
