"""Upbit's messages, field for field; names are theirs, those of the format DEFAULT.

https://docs.upbit.com/kr/reference (websocket-trade, -orderbook, -ticker, -candle, -guide)
The format SIMPLE has the same fields under short keys; its structs give them the long names, so
that one mapping serves both. Only fields that we read are named; msgspec passes over the others.
What Upbit has in common with another exchange stands in ``collector_feed.ticket_wire``.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from msgspec import Raw, field

from collector_feed.fields import Millis
from collector_feed.ticket_wire import (
    CandleFigures,
    Failure,
    Orderbook,
    TakerSide,
    Ticker,
    Trade,
    Unit,
)

__all__ = [
    "Candle",
    "Default",
    "Loose",
    "Simple",
    "SimpleCandle",
    "SimpleOrderbook",
    "SimpleTicker",
    "SimpleTrade",
    "SimpleUnit",
]


class Candle(CandleFigures, frozen=True, gc=False):
    """``candle.{unit}``."""

    type: str
    code: str


class SimpleTrade(Trade, frozen=True, gc=False, tag_field="ty", tag="trade"):
    """``trade`` under short keys."""

    code: str = field(name="cd")
    trade_timestamp: Millis = field(name="ttms")
    trade_price: Raw = field(name="tp")
    trade_volume: Raw = field(name="tv")
    ask_bid: TakerSide = field(name="ab")
    sequential_id: int = field(name="sid")


class SimpleUnit(Unit, frozen=True, gc=False):
    """A unit of a book under short keys."""

    ask_price: Raw = field(name="ap")
    bid_price: Raw = field(name="bp")
    ask_size: Raw = field(name="as")
    bid_size: Raw = field(name="bs")


class SimpleOrderbook(Orderbook, frozen=True, gc=False, tag_field="ty", tag="orderbook"):
    """``orderbook`` under short keys."""

    code: str = field(name="cd")
    timestamp: Millis = field(name="tms")
    orderbook_units: Raw = field(name="obu")


class SimpleTicker(Ticker, frozen=True, gc=False, tag_field="ty", tag="ticker"):
    """``ticker`` under short keys."""

    code: str = field(name="cd")
    timestamp: Millis = field(name="tms")
    trade_price: Raw = field(name="tp")
    acc_trade_volume_24h: Raw = field(name="atv24h")
    acc_trade_price_24h: Raw = field(name="atp24h")


class SimpleCandle(Candle, frozen=True, gc=False):
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
