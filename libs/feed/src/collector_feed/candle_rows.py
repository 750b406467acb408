"""Candles as rows, pushed and fetched alike, and the pages in which histories come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

import msgspec

from collector_core import intervals
from collector_core.errors import SettingsError
from collector_core.events import Candle
from collector_core.numbers import exact
from collector_feed.given import given

__all__ = ["CandleSpan", "Figures", "candle", "kept"]

_MONTH: Final = 28 * 86_400 * 1_000_000
"""The shortest month: so many of them hold no more candles than there are."""
_Name = TypeVar("_Name")


class Figures(msgspec.Struct, frozen=True, gc=False):
    """What an exchange says of a candle; times in microseconds, numbers as it writes them."""

    opened: int
    open: str
    high: str
    low: str
    close: str
    volume: str
    quote_volume: str | None = None
    trade_count: int | None = None
    exchange_time: int | None = None


def kept(names: Mapping[str, _Name], interval: str, why: str = "") -> _Name:
    """Return the exchange's name of an interval.

    Raises:
        SettingsError: it keeps no such candles; ``why`` stands in the text.
    """
    try:
        return names[interval]
    except KeyError:
        known = ", ".join(names)
        raise SettingsError(f"expected one of {known} as interval{why}, was {interval!r}") from None


def candle(
    exchange: str,
    symbol: str,
    interval: str,
    figures: Figures,
    receive_time: int | None,
    *,
    closed: bool,
    backfilled: bool = False,
) -> Candle:
    """Return a candle's row.

    Raises:
        NumberError: a figure is no number.
    """
    return Candle(
        *(exchange, symbol, figures.exchange_time, receive_time, 0, 0),
        interval=interval,
        open_time=figures.opened,
        close_time=intervals.close_time(interval, figures.opened),
        open=exact(figures.open),
        high=exact(figures.high),
        low=exact(figures.low),
        close=exact(figures.close),
        volume=exact(figures.volume),
        quote_volume=given(figures.quote_volume),
        trade_count=figures.trade_count,
        closed=closed,
        backfilled=backfilled,
    )


class CandleSpan:
    """The part of [start, end) that one page is asked for; microseconds.

    Pages are counted in intervals from ``start`` on, not in candles: where nothing was traded
    many exchanges have none, and a page may be short, or empty, while more follow.

    Args:
        interval: our name of it.
        start: None for the newest candles before ``end``.
        end: exclusive; None for the present.
        size: intervals that a page holds; None where pages are not counted so.
    """

    def __init__(
        self, interval: str, start: int | None, end: int | None, size: int | None = None
    ) -> None:
        self.interval = interval
        self.start = start
        self._end = end
        self.length = intervals.length(interval) or _MONTH
        # where this page ends
        self.until = end
        if start is not None and size is not None:
            reached = start + size * self.length
            self.until = reached if end is None else min(reached, end)

    def rows(
        self, exchange: str, symbol: str, found: Iterable[Figures], now: int | None
    ) -> list[Candle]:
        """Return the rows of the span's candles that are closed by ``now``, oldest first.

        Raises:
            NumberError: a figure is no number.
        """
        rows = []
        for figures in found:
            opened = figures.opened
            if self.start is not None and opened < self.start:
                continue
            if self.until is not None and opened >= self.until:
                continue
            row = candle(
                exchange, symbol, self.interval, figures, now, closed=True, backfilled=True
            )
            # the last one may still be open
            if now is None or row.close_time <= now:
                rows.append(row)
        return rows

    def following(self, now: int | None) -> int | None:
        """Return where the next page starts; None where nothing more is wanted, or to be had."""
        if self.start is None or self.until is None:
            return None
        # nothing is to be had beyond the present
        last = min((time for time in (self._end, now) if time is not None), default=self.until)
        return self.until if self.until < last else None
