"""Coinone's messages, field for field; names are theirs, those of the format DEFAULT.

https://docs.coinone.co.kr/reference (public-websocket-orderbook, -trade, -ticker, -chart)
Only fields that we read are named; msgspec passes over the others.
Prices and quantities are texts, ids are texts of digits, times JSON numbers.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import field

from collector_feed.fields import Millis

__all__ = [
    "Candle",
    "Chart",
    "ChartData",
    "Charts",
    "Connected",
    "Control",
    "Default",
    "Error",
    "Level",
    "Loose",
    "Market",
    "Markets",
    "Orderbook",
    "OrderbookData",
    "Outcome",
    "Pong",
    "ShortTicker",
    "ShortTickerData",
    "Subscribed",
    "Ticker",
    "TickerData",
    "Topic",
    "Trade",
    "TradeData",
    "Transaction",
    "Transactions",
    "Unsubscribed",
]

Ident: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
"""Milliseconds and three digits that count within them; never consecutive."""


# --- data, format DEFAULT --------------------------------------------------------------------


class Level(msgspec.Struct, frozen=True, gc=False):
    """A price and the quantity that waits at it."""

    price: str
    qty: str


class OrderbookData(msgspec.Struct, frozen=True, gc=False):
    """A whole book; REST's, ``GET /public/v2/orderbook/{quote}/{target}``, has the same fields.

    ``timestamp`` is left out: in the first frame of a subscription it is ten seconds old.
    """

    quote_currency: str
    target_currency: str
    id: Ident
    asks: list[Level]
    """Worst first on the socket, best first over REST."""
    bids: list[Level]
    """Best first."""


class TradeData(msgspec.Struct, frozen=True, gc=False):
    """One trade."""

    quote_currency: str
    target_currency: str
    id: Ident
    timestamp: Millis
    price: str
    qty: str
    is_seller_maker: bool


class TickerData(msgspec.Struct, frozen=True, gc=False):
    """Volumes are of 24 hours; ``first``, ``high`` and ``low`` of the day since 00:00 UTC."""

    quote_currency: str
    target_currency: str
    timestamp: Millis
    quote_volume: str
    target_volume: str
    last: str
    ask_best_price: str | None = None
    ask_best_qty: str | None = None
    bid_best_price: str | None = None
    bid_best_qty: str | None = None


class ChartData(msgspec.Struct, frozen=True, gc=False):
    """A candle so far; ``candle_timestamp`` is when it opened."""

    quote_currency: str
    target_currency: str
    interval: str
    timestamp: Millis
    candle_timestamp: Millis
    first: str
    high: str
    low: str
    last: str
    quote_volume: str
    target_volume: str


class _Data(msgspec.Struct, frozen=True, gc=False, tag_field="channel"):
    # acknowledgements have a channel too, and must not be taken for data
    response_type: Literal["DATA"]


class Orderbook(_Data, frozen=True, gc=False, tag="ORDERBOOK"):
    """``ORDERBOOK``: at each change, also of a level below the 16 shown."""

    data: OrderbookData


class Trade(_Data, frozen=True, gc=False, tag="TRADE"):
    """``TRADE``."""

    data: TradeData


class Ticker(_Data, frozen=True, gc=False, tag="TICKER"):
    """``TICKER``."""

    data: TickerData


class Chart(_Data, frozen=True, gc=False, tag="CHART"):
    """``CHART``."""

    data: ChartData


Default: TypeAlias = Trade | Orderbook | Ticker | Chart

# --- data, format SHORT, as far as recordings have it -----------------------------------------


class ShortTickerData(msgspec.Struct, frozen=True, gc=False):
    """A ticker under short keys."""

    quote_currency: str = field(name="qc")
    target_currency: str = field(name="tc")
    timestamp: Millis = field(name="t")
    quote_volume: str = field(name="qv")
    target_volume: str = field(name="tv")
    last: str = field(name="la")
    ask_best_price: str | None = field(name="abp", default=None)
    ask_best_qty: str | None = field(name="abq", default=None)
    bid_best_price: str | None = field(name="bbp", default=None)
    bid_best_qty: str | None = field(name="bbq", default=None)


class ShortTicker(msgspec.Struct, frozen=True, gc=False, tag_field="c", tag="TICKER"):
    """``TICKER`` under short keys."""

    r: Literal["DATA"]
    data: ShortTickerData = field(name="d")


# --- answers on the socket -------------------------------------------------------------------


class Topic(msgspec.Struct, frozen=True):
    """What an acknowledgement is about, spelled as it was sent."""

    quote_currency: str
    target_currency: str
    interval: str = ""


class _Control(msgspec.Struct, frozen=True, tag_field="response_type"):
    pass


class Connected(_Control, frozen=True, tag="CONNECTED"):
    """The first frame of a connection."""


class Pong(_Control, frozen=True, tag="PONG"):
    """The answer to a PING."""


class Subscribed(_Control, frozen=True, tag="SUBSCRIBED"):
    """A topic is taken, also one that is refused a moment later."""

    channel: Literal["ORDERBOOK", "TRADE", "TICKER", "CHART"]
    data: Topic


class Unsubscribed(_Control, frozen=True, tag="UNSUBSCRIBED"):
    """A topic ended."""

    channel: Literal["ORDERBOOK", "TRADE", "TICKER", "CHART"]
    data: Topic


class Error(_Control, frozen=True, tag="ERROR"):
    """A refusal; it names no topic, and the connection stays open."""

    error_code: int
    message: str
    field: str = ""


Control: TypeAlias = Connected | Pong | Subscribed | Unsubscribed | Error


class Loose(msgspec.Struct, frozen=True):
    """What tells one kind of frame from another."""

    response_type: str | None = None
    r: str | None = None


# --- REST ------------------------------------------------------------------------------------


class Outcome(msgspec.Struct, frozen=True):
    """What every answer has; a refusal comes with HTTP 200 too."""

    result: str
    error_code: str
    error_msg: str = ""


class Market(msgspec.Struct, frozen=True):
    """An item of ``GET /public/v2/markets/{quote}``."""

    quote_currency: str
    target_currency: str
    qty_unit: str
    min_qty: str
    min_order_amount: str
    maintenance_status: int
    trade_status: int
    """0 halted, 1 open, 2 no buying, 3 no selling."""
    price_unit: str | None = None
    """The step at today's price; announced to go."""


class Markets(msgspec.Struct, frozen=True):
    """``GET /public/v2/markets/{quote}``."""

    markets: list[Market]


class Transaction(msgspec.Struct, frozen=True, gc=False):
    """An item of ``transactions``."""

    id: Ident
    timestamp: Millis
    price: str
    qty: str
    is_seller_maker: bool


class Transactions(msgspec.Struct, frozen=True):
    """``GET /public/v2/trades/{quote}/{target}``, newest first; currencies in either case."""

    quote_currency: str
    target_currency: str
    transactions: list[Transaction]


class Candle(msgspec.Struct, frozen=True, gc=False):
    """An item of ``chart``."""

    timestamp: Millis
    open: str
    high: str
    low: str
    close: str
    target_volume: str
    quote_volume: str


class Charts(msgspec.Struct, frozen=True):
    """``GET /public/v2/chart/{quote}/{target}``, newest first."""

    chart: list[Candle]
