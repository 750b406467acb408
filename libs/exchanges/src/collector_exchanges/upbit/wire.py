"""Upbit's messages, field for field; names are theirs, those of the format DEFAULT.

https://docs.upbit.com/kr/reference (websocket-trade, -orderbook, -ticker, -candle, -guide)
The format SIMPLE has the same fields under short keys; its structs give them the long names, so
that one mapping serves both. Only fields that we read are named; msgspec passes over the others.
Prices and sizes are JSON numbers, taken as their text: a ``Raw`` is a view of the frame and must
not outlive the callback.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Raw, field

__all__ = [
    "Candle",
    "Default",
    "Failure",
    "Loose",
    "Market",
    "Millis",
    "Orderbook",
    "RestCandle",
    "RestOrderbook",
    "RestTrade",
    "Simple",
    "SimpleCandle",
    "SimpleOrderbook",
    "SimpleTicker",
    "SimpleTrade",
    "SimpleUnit",
    "Ticker",
    "Trade",
    "Unit",
]

Millis: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=9_007_199_254_740)]
"""Milliseconds since the epoch whose microseconds are exact in every language (below 2**53)."""

_TakerSide: TypeAlias = Literal["ASK", "BID"]


class Trade(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="trade"):
    """``trade``; ``ask_bid`` is the taker's side."""

    code: str
    trade_timestamp: Millis
    trade_price: Raw
    trade_volume: Raw
    ask_bid: _TakerSide
    sequential_id: int


class Unit(msgspec.Struct, frozen=True, gc=False):
    """The i-th best ask beside the i-th best bid."""

    ask_price: Raw
    bid_price: Raw
    ask_size: Raw
    bid_size: Raw


class Orderbook(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="orderbook"):
    """``orderbook``: a whole book; ``timestamp`` is the time of its last change."""

    code: str
    timestamp: Millis
    orderbook_units: list[Unit]


class Ticker(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="ticker"):
    """``ticker``; values without ``_24h`` are those of the day since 00:00 UTC."""

    code: str
    timestamp: Millis
    trade_price: Raw
    acc_trade_volume_24h: Raw
    acc_trade_price_24h: Raw


class Candle(msgspec.Struct, frozen=True, gc=False):
    """``candle.{unit}``."""

    type: str
    code: str
    candle_date_time_utc: str
    opening_price: Raw
    high_price: Raw
    low_price: Raw
    trade_price: Raw
    candle_acc_trade_volume: Raw
    candle_acc_trade_price: Raw
    timestamp: Millis


class SimpleTrade(msgspec.Struct, frozen=True, gc=False, tag_field="ty", tag="trade"):
    """``trade`` under short keys."""

    code: str = field(name="cd")
    trade_timestamp: Millis = field(name="ttms")
    trade_price: Raw = field(name="tp")
    trade_volume: Raw = field(name="tv")
    ask_bid: _TakerSide = field(name="ab")
    sequential_id: int = field(name="sid")


class SimpleUnit(msgspec.Struct, frozen=True, gc=False):
    """A unit of a book under short keys."""

    ask_price: Raw = field(name="ap")
    bid_price: Raw = field(name="bp")
    ask_size: Raw = field(name="as")
    bid_size: Raw = field(name="bs")


class SimpleOrderbook(msgspec.Struct, frozen=True, gc=False, tag_field="ty", tag="orderbook"):
    """``orderbook`` under short keys."""

    code: str = field(name="cd")
    timestamp: Millis = field(name="tms")
    orderbook_units: list[SimpleUnit] = field(name="obu")


class SimpleTicker(msgspec.Struct, frozen=True, gc=False, tag_field="ty", tag="ticker"):
    """``ticker`` under short keys."""

    code: str = field(name="cd")
    timestamp: Millis = field(name="tms")
    trade_price: Raw = field(name="tp")
    acc_trade_volume_24h: Raw = field(name="atv24h")
    acc_trade_price_24h: Raw = field(name="atp24h")


class SimpleCandle(msgspec.Struct, frozen=True, gc=False):
    """``candle.{unit}`` under short keys."""

    type: str = field(name="ty")
    code: str = field(name="cd")
    candle_date_time_utc: str = field(name="cdttmu")
    opening_price: Raw = field(name="op")
    high_price: Raw = field(name="hp")
    low_price: Raw = field(name="lp")
    trade_price: Raw = field(name="tp")
    candle_acc_trade_volume: Raw = field(name="catv")
    candle_acc_trade_price: Raw = field(name="catp")
    timestamp: Millis = field(name="tms")


Default: TypeAlias = Trade | Orderbook | Ticker
"""What a connection of the format DEFAULT brings, candles aside: their tag has the unit in it."""

Simple: TypeAlias = SimpleTrade | SimpleOrderbook | SimpleTicker


class Failure(msgspec.Struct, frozen=True):
    """What is wrong with a message that we sent; the connection is closed after it."""

    name: str | int
    message: str = ""


class Loose(msgspec.Struct, frozen=True):
    """What tells one kind of object from another."""

    type: str | None = None
    ty: str | None = None
    status: str | None = None
    """``UP`` every 10 s, once a text ``PING`` was sent."""
    method: str | None = None
    mthd: str | None = None
    """The answer to LIST_SUBSCRIPTIONS, in both formats."""
    error: Failure | None = None


class Market(msgspec.Struct, frozen=True):
    """An item of ``GET /v1/market/all``; the name tells it from other lists about markets."""

    market: str
    english_name: str


class RestOrderbook(msgspec.Struct, frozen=True, gc=False):
    """An item of ``GET /v1/orderbook``."""

    market: str
    timestamp: Millis
    orderbook_units: list[Unit]


class RestTrade(msgspec.Struct, frozen=True, gc=False):
    """An item of ``GET /v1/trades/ticks``; ``timestamp`` is the time of the trade."""

    market: str
    timestamp: Millis
    trade_price: Raw
    trade_volume: Raw
    ask_bid: _TakerSide
    sequential_id: int


class RestCandle(msgspec.Struct, frozen=True, gc=False):
    """An item of ``GET /v1/candles/...``."""

    market: str
    candle_date_time_utc: str
    opening_price: Raw
    high_price: Raw
    low_price: Raw
    trade_price: Raw
    candle_acc_trade_volume: Raw
    candle_acc_trade_price: Raw
    timestamp: Millis
