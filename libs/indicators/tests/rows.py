"""Rows of an input log for tests; times count from a Monday midnight, in seconds."""

from __future__ import annotations

from typing import Literal

from collector_core.events import Candle, Clock, Event, Side, State, Status, Trade
from collector_indicators.calculation import Calculation
from collector_indicators.engine import create
from collector_indicators.selection import parse_set
from collector_indicators.settings import CalculationSettings

SECOND = 1_000_000
MINUTE = 60 * SECOND
START = 1_699_833_600 * SECOND
"""2023-11-13T00:00:00Z, a Monday."""


def at(seconds: float) -> int:
    """Return a time as microseconds since the epoch."""
    return START + round(seconds * SECOND)


def trade(
    seconds: float | None,
    price: str = "10.0",
    amount: str = "1",
    side: Side | None = "buy",
    *,
    id: str | None = None,  # noqa: A002  # the field's name
    backfilled: bool = False,
    received: float | None = None,
) -> Trade:
    """Return a trade; it is received 0.5 ms after it happened if not said otherwise."""
    if received is None:
        receive_time = None if seconds is None else at(seconds) + 500
    else:
        receive_time = at(received)
    exchange_time = None if seconds is None else at(seconds)
    return Trade(
        "x", "BTC/USDT", exchange_time, receive_time, 1, 1, id, price, amount, side, backfilled
    )


def clock(seconds: float) -> Clock:
    """Return a clock row."""
    return Clock("x", "BTC/USDT", at(seconds), at(seconds) + 700, 1, 1, at(seconds))


def status(
    state: State,
    first: int | None = None,
    last: int | None = None,
    *,
    unit: Literal["id", "time"] | None = "id",
    channel: str = "trade",
) -> Status:
    """Return a status row with a range."""
    return Status(
        "x",
        "BTC/USDT",
        None,
        None,
        1,
        1,
        state,
        channel,
        from_=None if first is None else str(first),
        to=None if last is None else str(last),
        unit=unit,
    )


def candle(
    seconds: float,
    close: str = "10",
    *,
    closed: bool = True,
    interval: str = "1m",
    length: float = 60,
    backfilled: bool = False,
    received: float | None = None,
) -> Candle:
    """Return a candle that opens at a time; it is received at its end if not said otherwise."""
    end = at(seconds + length)
    receive_time = end + 500 if received is None else at(received)
    return Candle(
        "x",
        "BTC/USDT",
        None,
        receive_time,
        1,
        1,
        interval,
        at(seconds),
        end,
        close,
        close,
        close,
        close,
        "2",
        None,
        3,
        closed,
        backfilled,
    )


def calculation(
    intervals: str = "1m",
    indicators: str = "rsi:2,vwap",
    *,
    input: Literal["candle", "bar", "book"] = "bar",  # noqa: A002  # the setting's name
    live_every: int | None = None,
    horizon: int = 2,
    grace: int = 100_000,
) -> Calculation:
    """Return a new calculation of BTC/USDT."""
    settings = CalculationSettings(
        input,
        tuple(intervals.split(",")),
        parse_set(indicators) if indicators else (),
        grace=grace,
        horizon=horizon,
        live_every=live_every,
    )
    return create("x", "BTC/USDT", settings)


def continued(old: Calculation) -> Calculation:
    """Return another calculation that goes on from the states of an old one."""
    new = create(old.exchange, old.symbol, old.settings)
    new.restore(old.open_state(), old.closed_state())
    return new


def feed(calculation: Calculation, *rows: Event) -> list[Event]:
    """Feed rows one by one and return all that follows."""
    return [given for row in rows for given in calculation.feed(row)]
