"""Status rows about subscriptions: what happened to a stream, in the topic it concerns."""

from __future__ import annotations

from collections.abc import Iterable

from collector_core.events import Event, State, Status
from collector_feed.outputs import Subscription

__all__ = ["status_rows", "stream_of"]


def status_rows(
    exchange: str,
    subscriptions: Iterable[Subscription],
    state: State,
    reason: str | None,
    receive_time: int | None,
) -> list[Status]:
    """Return one row for each channel and symbol; the intervals of a candle share a stream."""
    streams = dict.fromkeys((s.channel, s.symbol) for s in subscriptions)
    return [
        Status(
            exchange=exchange,
            symbol=symbol,
            exchange_time=None,
            receive_time=receive_time,
            epoch=0,
            seq=0,
            state=state,
            channel=channel,
            reason=reason,
        )
        for channel, symbol in streams
    ]


def stream_of(row: Event) -> Subscription:
    """Return the subscription whose data a row is."""
    return Subscription(
        str(row.__struct_config__.tag), row.symbol, getattr(row, "interval", None) or ""
    )
