"""What the driver must know of an exchange, as frozen data."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

__all__ = ["BookRule", "ChannelSpec", "Detection", "KeepAlive", "Rate", "Spec"]

Detection: TypeAlias = Literal["at_once", "audit", "never"]
"""A lost row is seen at once (by its neighbours), found by a REST audit, or undetectable."""


BookRule: TypeAlias = Literal["range", "link", "counter", "unnumbered", "whole"]
"""How updates of a book are chained; ``unnumbered`` ones are proven by a checksum or ``Lost``."""


class Rate(msgspec.Struct, frozen=True):
    """At most ``count`` (or that much weight) in any ``seconds``."""

    count: int
    seconds: float


class KeepAlive(msgspec.Struct, frozen=True):
    """How a connection is kept and proven alive; all times in seconds.

    Ping frames of the protocol are sent whenever a connection is quiet, to every exchange.
    """

    interval: float
    """Silence that is normal; also the time between two ``text``."""
    timeout: float
    """Further silence after which the connection is dead."""
    text: str | None = None
    """A data frame that the exchange wants to see in each interval."""


class ChannelSpec(msgspec.Struct, frozen=True):
    """One channel of an exchange."""

    stream: bool
    """Pushed over the WebSocket; else it can only be fetched."""
    loss: Detection
    history: Literal["none", "recent", "full"] = "none"
    """What REST gives back of the past: nothing, the last rows only, or any range."""
    intervals: tuple[str, ...] = ()
    """Candles only: our names of the intervals that are pushed."""
    polled: tuple[str, ...] = ()
    """Candles only: intervals that are not pushed and are fetched over REST as they close."""
    path: str = ""
    """What ``Adapter.url`` puts behind the URL, where channels live on different sockets."""
    note: str = ""


class Spec(msgspec.Struct, frozen=True):
    """An exchange as data. Limits are the exchange's documented ones, or stricter."""

    exchange: str
    title: str
    websocket_url: str
    rest_url: str
    channels: dict[str, ChannelSpec]
    quotes: tuple[str, ...]
    """Quote currencies by which a concatenated symbol is split when no instruments are known."""
    subscriptions_per_connection: int
    subscriptions_per_message: int
    messages: Rate
    """What we may send on one connection, pings among it."""
    connection_attempts: Rate
    request_weight: Rate
    keep_alive: KeepAlive
    acknowledges: bool
    """Subscriptions are acknowledged by name; else the first data of a stream says so."""
    acknowledge_timeout: float = 10.0
    operations: Rate | None = None
    """Messages of one connection that subscribe or unsubscribe, where those have a limit too."""
    max_age: float | None = None
    """Seconds after which the exchange cuts a connection by plan."""
    trade_ids: Literal["contiguous", "unique", "none"] = "none"
    """Trade ids count up by one within a symbol, are unique only, or are not given."""
    book_rule: BookRule = "whole"
    """Which sequence rule (collector_feed.sequence) the book follows."""
    book_by_rest: bool = False
    """A delta book starts from a REST snapshot; else from one that each subscription sends."""
    book_depth: int | None = None
    """Levels a side that the stream keeps; what falls out of them is not removed by an update."""
    checksum_levels: int = 0
    """Best levels a side that go into the checksum of a book; 0 where there is none."""
    throttled_closes: frozenset[int] = frozenset()
    """Codes of close frames by which the exchange says that it was asked for too much."""
    book_audit: bool = False
    """REST snapshots carry the stream's numbers, so a maintained book can be compared with one."""
    rest_trade_ids: bool = True
    """REST names trades by the ids of the stream; else time, price, amount and side tell."""
    candle_flag: bool = True
    """Candles carry a closed flag of the exchange's own."""
