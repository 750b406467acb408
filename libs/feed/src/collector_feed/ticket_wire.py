"""Messages that two Korean exchanges have in common, field for field; names are theirs.

Both push them after a list of wanted streams that begins with a ticket. Only fields that we read
are named. Prices and sizes are JSON numbers, taken as their text: a ``Raw`` is a view of the frame
and must not outlive the callback.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Raw

from collector_core.events import Side
from collector_feed.fields import Millis

__all__ = [
    "MOST_MILLIS",
    "SIDES",
    "CandleFigures",
    "Failure",
    "Market",
    "Moment",
    "Orderbook",
    "RestCandle",
    "RestOrderbook",
    "RestTrade",
    "TakerSide",
    "Ticker",
    "Trade",
    "Unit",
]

TakerSide: TypeAlias = Literal["ASK", "BID"]
Moment: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
"""Microseconds, or milliseconds up to ``MOST_MILLIS``."""

MOST_MILLIS: Final = 9_007_199_254_740
"""Beyond it a time is in microseconds: as milliseconds it would be the year 2255."""
SIDES: Final[dict[str, Side]] = {"BID": "buy", "ASK": "sell"}
"""``ask_bid`` is the taker's side: BID bought."""


class Trade(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="trade"):
    """``trade``; ``trade_timestamp`` is the time of the trade."""

    code: str
    trade_timestamp: Millis
    trade_price: Raw
    trade_volume: Raw
    ask_bid: TakerSide
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
    orderbook_units: Raw
    """A list of ``Unit``, read in a second step (``UnitBooks``)."""


class Ticker(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="ticker"):
    """``ticker``; values without ``_24h`` are those of the day, from a midnight on."""

    code: str
    timestamp: Millis
    trade_price: Raw
    acc_trade_volume_24h: Raw
    acc_trade_price_24h: Raw


class CandleFigures(msgspec.Struct, frozen=True, gc=False):
    """What pushed and fetched candles say; ``timestamp`` is the last change in one."""

    candle_date_time_utc: str
    opening_price: Raw
    high_price: Raw
    low_price: Raw
    trade_price: Raw
    candle_acc_trade_volume: Raw
    candle_acc_trade_price: Raw
    timestamp: Millis


class Failure(msgspec.Struct, frozen=True):
    """What is wrong with what we asked; over the socket the connection is closed after it."""

    name: str | int
    message: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.message}".rstrip()


# --- REST ------------------------------------------------------------------------------------


class Market(msgspec.Struct, frozen=True):
    """An item of ``GET /v1/market/all``; the name tells it from other lists about markets."""

    market: str
    english_name: str


class RestOrderbook(msgspec.Struct, frozen=True, gc=False):
    """An item of ``GET /v1/orderbook``."""

    market: str
    timestamp: Moment
    orderbook_units: list[Unit]


class RestTrade(msgspec.Struct, frozen=True, gc=False):
    """An item of ``GET /v1/trades/ticks``; ``timestamp`` is the time of the trade."""

    market: str
    timestamp: Millis
    trade_price: Raw
    trade_volume: Raw
    ask_bid: TakerSide
    sequential_id: int


class RestCandle(CandleFigures, frozen=True, gc=False):
    """An item of ``GET /v1/candles/...``."""

    market: str
