"""Names of Binance's streams: ``btcusdt@depth@100ms``, ``ethbtc@kline_1m``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from collector_testkit.dialects.binance.frames import SymbolFrames

__all__ = ["INTERVALS", "EventStreams", "Schedule"]

INTERVALS: Final = (
    *("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h"),
    *("1d", "3d", "1w", "1M"),
)


class EventStreams(NamedTuple):
    """The names of one symbol's streams that follow the events of the market."""

    trade: str
    aggregate: str
    book_ticker: str
    fast_depth: str
    slow_depth: str

    @classmethod
    def of(cls, venue_symbol: str) -> EventStreams:
        """Return the names for a symbol in the exchange's spelling."""
        lower = venue_symbol.lower()
        kinds = ("trade", "aggTrade", "bookTicker", "depth@100ms", "depth")
        return cls(*(f"{lower}@{kind}" for kind in kinds))


class Schedule(NamedTuple):
    """The streams that somebody listens to and that follow the clock, by kind."""

    tickers: list[tuple[str, SymbolFrames]]
    mini_tickers: list[tuple[str, SymbolFrames]]
    klines: list[tuple[str, SymbolFrames, str]]
    """With the interval."""
    partial_books: list[tuple[str, SymbolFrames, int, bool]]
    """With the number of levels and whether it is pushed each 100 ms."""

    @classmethod
    def of(cls, names: Iterable[str], symbols: Mapping[str, SymbolFrames]) -> Schedule:
        """Return the schedule of streams; a name that is of no symbol here is left out."""
        schedule = cls([], [], [], [])
        for name in names:
            venue, _, kind = name.partition("@")
            symbol = symbols.get(venue.upper())
            if symbol is None:
                continue
            if kind == "ticker":
                schedule.tickers.append((name, symbol))
            elif kind == "miniTicker":
                schedule.mini_tickers.append((name, symbol))
            elif kind.startswith("kline_") and kind[6:] in INTERVALS:
                schedule.klines.append((name, symbol, kind[6:]))
            elif kind.startswith("depth"):
                count, _, speed = kind[5:].partition("@")
                if count in {"5", "10", "20"} and speed in {"", "100ms"}:
                    schedule.partial_books.append((name, symbol, int(count), bool(speed)))
        return schedule
