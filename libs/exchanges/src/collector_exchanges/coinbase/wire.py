"""Coinbase's messages, field for field; names are theirs.

https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
Only fields that we read are named; msgspec passes over the others.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from collector_core.events import Side
from collector_feed.fields import Count

__all__ = [
    "TAKER",
    "Candle",
    "Candles",
    "CandlesEvent",
    "Heartbeats",
    "L2Data",
    "L2Event",
    "Level",
    "Loose",
    "MarketTrade",
    "MarketTrades",
    "Message",
    "Pricebook",
    "Product",
    "ProductBook",
    "Products",
    "RestCandle",
    "RestCandles",
    "RestTrades",
    "Subscriptions",
    "SubscriptionsEvent",
    "Ticker",
    "TickerBatch",
    "TickerItem",
    "TickersEvent",
    "TradesEvent",
    "Update",
]

TAKER: Final[dict[str, Side]] = {"SELL": "buy", "BUY": "sell"}
"""``side`` of a trade is that of the resting order: the taker did the opposite."""

_MakerSide: TypeAlias = Literal["BUY", "SELL"]
_TradeId: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=19)]


class _Message(msgspec.Struct, frozen=True, gc=False, tag_field="channel"):
    sequence_num: Count
    """Counts every message of the connection, whatever its channel, from 0."""


class Update(msgspec.Struct, frozen=True, gc=False):
    """A level and its new total."""

    side: Literal["bid", "offer"]
    event_time: str
    price_level: str
    new_quantity: str


class L2Event(msgspec.Struct, frozen=True, gc=False):
    """A whole book, or what changed of it."""

    type: Literal["snapshot", "update"]
    product_id: str
    updates: list[Update]


class L2Data(_Message, frozen=True, gc=False, tag="l2_data"):
    """``level2``, whose frames have another name than its subscription."""

    timestamp: str
    events: list[L2Event]


class MarketTrade(msgspec.Struct, frozen=True, gc=False):
    """One trade, the same in the stream and over REST."""

    product_id: str
    trade_id: _TradeId
    price: str
    size: str
    time: str
    side: _MakerSide


class TradesEvent(msgspec.Struct, frozen=True, gc=False):
    """Trades, the newest first; a snapshot has those before the subscription."""

    type: Literal["snapshot", "update"]
    trades: list[MarketTrade]


class MarketTrades(_Message, frozen=True, gc=False, tag="market_trades"):
    """``market_trades``."""

    events: list[TradesEvent]


class TickerItem(msgspec.Struct, frozen=True, gc=False):
    """24 hours and the touch, which ``ticker_batch`` leaves out; missing values are empty."""

    product_id: str
    price: str
    volume_24_h: str
    low_24_h: str
    high_24_h: str
    price_percent_chg_24_h: str
    best_bid: str = ""
    best_bid_quantity: str = ""
    best_ask: str = ""
    best_ask_quantity: str = ""


class TickersEvent(msgspec.Struct, frozen=True, gc=False):
    """Tickers of one or several products."""

    tickers: list[TickerItem]


class Ticker(_Message, frozen=True, gc=False, tag="ticker"):
    """``ticker``: at each trade."""

    timestamp: str
    events: list[TickersEvent]


class TickerBatch(_Message, frozen=True, gc=False, tag="ticker_batch"):
    """``ticker_batch``: each five seconds; not subscribed, read in recordings."""

    timestamp: str
    events: list[TickersEvent]


class Candle(msgspec.Struct, frozen=True, gc=False):
    """Five minutes so far; ``start`` is a text of seconds."""

    start: str
    high: str
    low: str
    open: str
    close: str
    volume: str
    product_id: str


class CandlesEvent(msgspec.Struct, frozen=True, gc=False):
    """Candles, oldest first; a snapshot has the last hundred."""

    candles: list[Candle]


class Candles(_Message, frozen=True, gc=False, tag="candles"):
    """``candles``: of five minutes only."""

    timestamp: str
    events: list[CandlesEvent]


class Heartbeats(_Message, frozen=True, gc=False, tag="heartbeats"):
    """``heartbeats``: one a second; its counter is a text in one place and a number in another."""


class SubscriptionsEvent(msgspec.Struct, frozen=True, gc=False):
    """Everything that the connection is subscribed to: channel, and its products."""

    subscriptions: dict[str, list[str]]


class Subscriptions(_Message, frozen=True, gc=False, tag="subscriptions"):
    """The answer to each message of ours."""

    events: list[SubscriptionsEvent]


Message: TypeAlias = (
    L2Data | MarketTrades | Ticker | Heartbeats | Candles | Subscriptions | TickerBatch
)


class Loose(msgspec.Struct, frozen=True):
    """What has no channel, an error, and what has one that is not known."""

    type: str | None = None
    message: str | None = None
    reason: str | None = None
    channel: str | None = None
    sequence_num: Count | None = None


# --- REST ------------------------------------------------------------------------------------


class Product(msgspec.Struct, frozen=True):
    """An item of ``GET market/products``."""

    product_id: str
    base_currency_id: str
    quote_currency_id: str
    base_increment: str
    quote_increment: str
    base_min_size: str
    quote_min_size: str
    status: str
    alias: str = ""
    """The product whose book this one shares, and under whose name it is pushed."""
    price_increment: str = ""
    is_disabled: bool = False
    trading_disabled: bool = False
    view_only: bool = False
    cancel_only: bool = False
    post_only: bool = False
    auction_mode: bool = False


class Products(msgspec.Struct, frozen=True):
    """``GET market/products``."""

    products: list[Product]


class Level(msgspec.Struct, frozen=True, gc=False):
    """A level of a fetched book."""

    price: str
    size: str


class Pricebook(msgspec.Struct, frozen=True):
    """A fetched book; it carries no number."""

    product_id: str
    bids: list[Level]
    asks: list[Level]
    time: str


class ProductBook(msgspec.Struct, frozen=True):
    """``GET market/product_book``."""

    pricebook: Pricebook


class RestTrades(msgspec.Struct, frozen=True):
    """``GET market/products/<id>/ticker``: trades, the newest first."""

    trades: list[MarketTrade]


class RestCandle(msgspec.Struct, frozen=True, gc=False):
    """A row of ``RestCandles``."""

    start: str
    low: str
    high: str
    open: str
    close: str
    volume: str


class RestCandles(msgspec.Struct, frozen=True):
    """``GET market/products/<id>/candles``: the newest first; none where nothing was traded."""

    candles: list[RestCandle]
