"""A row in few words, for people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from collector_core.events import (
    Bar,
    Book,
    Candle,
    Clock,
    Depth,
    Event,
    Indicator,
    Instrument,
    Status,
    Ticker,
    Trade,
)

__all__ = ["clock_time", "describe"]


def clock_time(microseconds: int | None) -> str:
    """Return a time of day in UTC with milliseconds, or dashes."""
    if microseconds is None:
        return "--:--:--.---"
    moment = datetime.fromtimestamp(microseconds / 1_000_000, UTC)
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"


def describe(event: Event) -> str:
    """Return what a row says, without its exchange and symbol."""
    say = _SAYINGS.get(type(event))
    return "" if say is None else say(event)


def _trade(event: Trade) -> str:
    filled = ", backfilled" if event.backfilled else ""
    return f"{event.side or 'traded'} {event.amount} at {event.price}{filled}"


def _clock(event: Clock) -> str:
    return f"complete to {clock_time(event.time)}"


def _ticker(event: Ticker) -> str:
    touch = f"{event.bid or '-'} / {event.ask or '-'}" if event.bid or event.ask else ""
    return ", ".join(part for part in (event.last, touch) if part) or "no prices"


def _book(event: Book | Depth) -> str:
    levels = len(event.bids) + len(event.asks)
    if isinstance(event, Book) and event.kind == "delta":
        return f"{levels} levels changed"
    bid = event.bids[0][0] if event.bids else "-"
    ask = event.asks[0][0] if event.asks else "-"
    return f"{bid} / {ask}, {levels} levels"


def _candle(event: Candle | Bar) -> str:
    state = "closed" if event.closed else "open"
    name = event.size if isinstance(event, Bar) else event.interval
    return f"{name} of {clock_time(event.open_time)[:8]} {state} at {event.close}"


def _indicator(event: Indicator) -> str:
    values = " ".join(
        f"{name} {'-' if value is None else format(value, '.6g')}"
        for name, value in event.values.items()
    )
    name = f"{event.name}:{event.params}" if event.params else event.name
    return f"{name} of {event.input} {event.interval}: {values}"


def _status(event: Status) -> str:
    return f"{event.channel} {event.state}{': ' + event.reason if event.reason else ''}"


def _instrument(event: Instrument) -> str:
    return f"{event.venue_symbol}, {event.state}"


_SAYINGS: Final[dict[type[Event], Callable[[Any], str]]] = {
    Trade: _trade,
    Clock: _clock,
    Ticker: _ticker,
    Book: _book,
    Depth: _book,
    Candle: _candle,
    Bar: _candle,
    Indicator: _indicator,
    Status: _status,
    Instrument: _instrument,
}
