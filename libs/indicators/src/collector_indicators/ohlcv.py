"""The input of an indicator: one candle or bar as IEEE doubles, made from exact decimal texts."""

from __future__ import annotations

import msgspec

from collector_core.errors import NumberError
from collector_core.events import Candle

__all__ = ["LIMIT", "Ohlcv", "of_candle", "of_texts"]

LIMIT = 1e100
"""No number is as large, so that no product or square of two of them overflows a double."""


class Ohlcv(msgspec.Struct, frozen=True, gc=False):
    """A candle or bar; times in microseconds, each number the double nearest to its text."""

    open_time: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float | None = None
    """Turnover in the quote currency; None when the source does not give it."""
    buy_volume: float | None = None
    """Part of the volume whose taker bought; None when the source does not give it."""


def of_candle(candle: Candle) -> Ohlcv:
    """Return a candle's numbers as doubles.

    Raises:
        NumberError: one of them is no finite decimal number below ``LIMIT``.
    """
    return of_texts(
        candle.open_time,
        (candle.open, candle.high, candle.low, candle.close, candle.volume),
        candle.quote_volume,
    )


def of_texts(
    open_time: int,
    numbers: tuple[str, str, str, str, str],
    quote_volume: str | None,
    buy_volume: str | None = None,
) -> Ohlcv:
    """Return open, high, low, close and volume (in this order) as doubles.

    Raises:
        NumberError: one of them is no finite decimal number below ``LIMIT``.
    """
    first, high, low, last, volume = map(_double, numbers)
    turnover = None if quote_volume is None else _double(quote_volume)
    bought = None if buy_volume is None else _double(buy_volume)
    return Ohlcv(open_time, first, high, low, last, volume, turnover, bought)


def _double(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise NumberError(f"expected a decimal number, was {text[:64]!r}") from None
    if not -LIMIT < number < LIMIT:
        raise NumberError(f"expected a number between -1e100 and 1e100, was {text[:64]!r}")
    return number
