"""The one function that most users need."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack, overload

from collector_client.selection import Names, Selection
from collector_client.subscription import Start, Subscription
from collector_core.errors import SettingsError
from collector_core.events import (
    Bar,
    Book,
    Candle,
    Depth,
    Event,
    Indicator,
    Instrument,
    Row,
    Status,
    Ticker,
    Trade,
)

__all__ = ["Options", "subscribe"]


class Options(TypedDict, total=False):
    """What ``subscribe`` may be told beside the channel."""

    exchange: Names
    symbol: Names
    start: Start
    wait: bool
    bootstrap_servers: str | None
    prefix: str | None
    kafka: Mapping[str, Any]


@overload
def subscribe(
    channel: str | Sequence[str], *, gaps: Literal[True], **options: Unpack[Options]
) -> Subscription[Row]: ...
@overload
def subscribe(channel: Literal["trade"], **options: Unpack[Options]) -> Subscription[Trade]: ...
@overload
def subscribe(channel: Literal["ticker"], **options: Unpack[Options]) -> Subscription[Ticker]: ...
@overload
def subscribe(channel: Literal["book"], **options: Unpack[Options]) -> Subscription[Book]: ...
@overload
def subscribe(channel: Literal["depth"], **options: Unpack[Options]) -> Subscription[Depth]: ...
@overload
def subscribe(channel: Literal["candle"], **options: Unpack[Options]) -> Subscription[Candle]: ...
@overload
def subscribe(channel: Literal["bar"], **options: Unpack[Options]) -> Subscription[Bar]: ...
@overload
def subscribe(
    channel: Literal["indicator"], **options: Unpack[Options]
) -> Subscription[Indicator]: ...
@overload
def subscribe(channel: Literal["status"], **options: Unpack[Options]) -> Subscription[Status]: ...
@overload
def subscribe(
    channel: Literal["instrument"], **options: Unpack[Options]
) -> Subscription[Instrument]: ...
@overload
def subscribe(
    channel: str | Sequence[str], *, gaps: bool = False, **options: Unpack[Options]
) -> Subscription[Row]: ...


def subscribe(
    channel: str | Sequence[str], *, gaps: bool = False, **options: Unpack[Options]
) -> Subscription[Any]:
    """Return the events of one or more channels, exchanges and symbols, as they are committed.

    ``async for trade in subscribe("trade", exchange=name, symbol="BTC/USDT"): …``

    Args:
        channel: one channel or several.
        gaps: hand out ``Status`` and ``Clock`` rows as well: gaps, disconnects, resyncs, invalid
            books, in the order in which they happened. Without it only rows of the channel's own
            type come (``status`` has its rows always); who maintains a book or must not miss a
            trade wants them.
        **options: ``exchange`` and ``symbol``, a name, several, or None (the default) for all,
            those that appear later among them. ``start``: ``latest`` (the default), ``earliest``,
            a ``datetime`` with time zone or microseconds, against the time of Kafka's rows.
            ``wait``: do not fail when something that was named is not published yet.
            ``bootstrap_servers``: else ``KAFKA_BOOTSTRAP_SERVERS``, else ``localhost:9092``.
            ``prefix`` of the topics: else ``TOPIC_PREFIX``, else ``md``. ``kafka``: further
            arguments of aiokafka's clients, such as security.

    Raises:
        SettingsError: an unknown channel or option, or nothing selected.
        SymbolError: a symbol that is not ``BASE/QUOTE``.
    """
    unknown = sorted(set(options) - set(Options.__annotations__))
    if unknown:
        raise SettingsError(
            f"expected options {', '.join(Options.__annotations__)}, was {unknown[0]!r}"
        )
    return Subscription[Event](
        Selection.of(channel, options.get("exchange"), options.get("symbol")),
        options.get("bootstrap_servers")
        or os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
        or "localhost:9092",
        prefix=options.get("prefix") or os.environ.get("TOPIC_PREFIX") or "md",
        start=options.get("start", "latest"),
        gaps=gaps,
        wait=options.get("wait", False),
        kafka=options.get("kafka"),
    )
