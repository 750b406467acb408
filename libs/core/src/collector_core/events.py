"""The event types: one JSON object a Kafka row, ``type`` first (docs/events.md).

Units and conventions, for every type: prices and amounts are exact decimal texts; times are
integer microseconds since the Unix epoch; ``side`` is the taker's; null is missing, zero is zero.
``epoch`` and ``seq`` are stamped by the publisher (``stamp``), for only it knows the order of the
rows of a stream; adapters leave them at 0.

Compatible change only: add a field with a default. Never rename, retype or reuse one.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

__all__ = [
    "Bar",
    "Book",
    "Candle",
    "Channel",
    "Clock",
    "Depth",
    "Event",
    "Indicator",
    "Instrument",
    "Level",
    "Row",
    "Side",
    "State",
    "Status",
    "Ticker",
    "Trade",
    "stamp",
]

Side: TypeAlias = Literal["buy", "sell"]
Level: TypeAlias = tuple[str, str]
"""Price and amount; the amount ``"0"`` removes the price from a book."""

Channel: TypeAlias = Literal[
    "trade", "ticker", "book", "depth", "candle", "bar", "indicator", "status", "instrument"
]
"""What a topic carries; clock and status rows travel in the topic they concern."""

State: TypeAlias = Literal[
    "started",
    "connected",
    "login",
    "disconnected",
    "subscribed",
    "rejected",
    "gap",
    "resyncing",
    "synced",
    "book_invalid",
    "stale",
    "rotated",
    "backfilled",
    "stopped",
]


class Event(msgspec.Struct, frozen=True, gc=False, tag_field="type"):
    """What every row begins with."""

    exchange: str
    symbol: str
    exchange_time: int | None
    """The exchange's own time of the event; null when it gives none, never guessed."""
    receive_time: int | None
    """When the frame left our socket; null only in a replay without times."""
    epoch: int
    """Start time of the publisher, in microseconds."""
    seq: int
    """Counter without holes within (publisher, channel, exchange, symbol), from 1."""


class Trade(Event, tag="trade", frozen=True, gc=False):
    """One execution."""

    id: str | None
    price: str
    amount: str
    side: Side | None
    backfilled: bool = False
    """Fetched over REST after a gap, or a re-delivery: not seen live."""


class Clock(Event, tag="clock", frozen=True, gc=False):
    """Every trade up to ``time`` stands above this row of a trade topic."""

    time: int


class Ticker(Event, tag="ticker", frozen=True, gc=False):
    """Rolling 24 h figures and the touch, as far as the exchange sends them."""

    last: str | None = None
    open: str | None = None
    high: str | None = None
    low: str | None = None
    volume: str | None = None
    quote_volume: str | None = None
    change: str | None = None
    change_percent: str | None = None
    vwap: str | None = None
    bid: str | None = None
    bid_amount: str | None = None
    ask: str | None = None
    ask_amount: str | None = None
    trade_count: int | None = None


class Book(Event, tag="book", frozen=True, gc=False):
    """A whole order book, or every change since the row before; best levels first in a snapshot."""

    kind: Literal["snapshot", "delta"]
    bids: list[Level]
    asks: list[Level]
    venue_sequence: int | None = None
    truncated: bool = False
    """A snapshot that leaves deeper levels out."""


class Depth(Event, tag="depth", frozen=True, gc=False):
    """The best levels of the validated book, at most one row per symbol and 100 ms."""

    bids: list[Level]
    asks: list[Level]
    venue_sequence: int | None = None


class Candle(Event, tag="candle", frozen=True, gc=False):
    """A candle as the exchange publishes it; ``close_time`` is exclusive (open_time + interval)."""

    interval: str
    open_time: int
    close_time: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    quote_volume: str | None
    trade_count: int | None
    closed: bool
    backfilled: bool = False


class Bar(Event, tag="bar", frozen=True, gc=False):
    """A candle that we built from trades; ``quote_volume`` is the exact sum of price x amount."""

    interval: str | None
    """The bar's length (``1m``) for ``bar_kind`` time, else null."""
    open_time: int
    close_time: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    quote_volume: str
    trade_count: int
    closed: bool
    bar_kind: Literal["time", "trades", "volume", "quote"]
    size: str
    """What fills the bar: the interval for time, else a count or an amount."""
    ordinal: int
    """Number of the bar: open_time divided by the interval for time, else a counter from 0."""
    buy_volume: str
    """Part of ``volume`` whose taker bought."""
    revision: int = 0
    """Raised by one each time that late trades change a bar published as closed."""
    incomplete: bool = False
    """A gap of the trades, not filled since, touches this bar."""


class Indicator(Event, tag="indicator", frozen=True, gc=False):
    """The values of one indicator over one closed (or, live, open) candle, bar or book interval."""

    name: str
    params: str
    """Parameters in the order that the indicator declares, joined by colons: ``12:26:9``."""
    input: str
    """``candle``, ``book``, or ``bar:time``, ``bar:trades``, ``bar:volume``, ``bar:quote``."""
    interval: str
    """The input's interval (``1m``), or the size of another kind of bar."""
    open_time: int
    values: dict[str, float | None]
    bars_seen: int
    warm: bool
    """Enough bars were seen for the value to stand on its own."""
    closed: bool
    revision: int = 0
    incomplete: bool = False


class Status(Event, tag="status", frozen=True, gc=False, rename={"from_": "from"}):
    """What happened to a stream, in the very topic it concerns."""

    state: State
    channel: str
    reason: str | None = None
    from_: str | None = None
    """First thing lost or filled, inclusive, in ``unit``; null when it is not known."""
    to: str | None = None
    """Last thing lost or filled, inclusive, in ``unit``."""
    count: int | None = None
    unit: Literal["id", "time", "sequence"] | None = None
    """What from and to are: trade ids, exchange times in microseconds, or book sequence numbers."""
    previous_epoch: int | None = None
    """``started`` only: epoch of this stream's rows before the restart."""
    previous_seq: int | None = None
    """``started`` only: last ``seq`` of that epoch."""


class Instrument(Event, tag="instrument", frozen=True, gc=False):
    """What can be traded, and in which steps."""

    venue_symbol: str
    base: str
    quote: str
    price_tick: str | None
    amount_step: str | None
    min_amount: str | None
    min_notional: str | None
    state: Literal["trading", "halted", "delisted"]


Row: TypeAlias = (
    Trade | Clock | Ticker | Book | Depth | Candle | Bar | Indicator | Status | Instrument
)
"""Any row of a market-data topic."""


def stamp(event: Event, epoch: int, seq: int) -> None:
    """Set the publisher's epoch and counter, once, as the last step of an event's making.

    Events are frozen for everybody else; building a second struct only to fill two fields
    would cost the hot path more than the rest of the publisher (docs/adr/0003).
    """
    _set(event, "epoch", epoch)
    _set(event, "seq", seq)


_set = msgspec.structs.force_setattr
