"""Names of topics: ``publicTrade.BTCUSDT``, ``orderbook.50.BTCUSDT``, ``kline.D.ETHBTC``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from collector_testkit.dialects.bybit.books import DEPTHS
from collector_testkit.dialects.bybit.frames import SymbolFrames

__all__ = ["CHANNELS", "INTERVALS", "Topic", "read_topic"]

INTERVALS: Final = {
    "1": "1m",
    "3": "3m",
    "5": "5m",
    "15": "15m",
    "30": "30m",
    "60": "1h",
    "120": "2h",
    "240": "4h",
    "360": "6h",
    "720": "12h",
    "D": "1d",
    "W": "1w",
    "M": "1M",
}
"""The exchange's name of an interval -> ours."""

CHANNELS: Final = {
    "publicTrade": "trade",
    "tickers": "ticker",
    "orderbook": "book",
    "kline": "candle",
}
"""The exchange's kind of a topic -> our channel."""
_DEPTHS: Final = frozenset(str(depth) for depth in DEPTHS)
_TICKER: Final = 50_000
_SECOND: Final = 1_000_000


class Topic(NamedTuple):
    """A topic of a symbol that is listed."""

    name: str
    kind: str
    variant: str
    """Levels of a book, interval of a candle, else empty."""
    frames: SymbolFrames

    @property
    def step(self) -> int | None:
        """Microseconds between two frames; None for trades, which follow no clock."""
        if self.kind == "orderbook":
            return DEPTHS[int(self.variant)]
        return {"tickers": _TICKER, "kline": _SECOND}.get(self.kind)


def read_topic(name: str, symbols: Mapping[str, SymbolFrames]) -> Topic | None:
    """Return the topic of a name, or None if there is none of that kind or symbol.

    Args:
        name: as a client writes it.
        symbols: what is listed, by the exchange's spelling.
    """
    kind, _, rest = name.partition(".")
    variant, _, venue = rest.rpartition(".")
    frames = symbols.get(venue)
    if kind == "orderbook":
        known = variant in _DEPTHS
    elif kind == "kline":
        known = variant in INTERVALS
    else:
        known = kind in CHANNELS and not variant
    return Topic(name, kind, variant, frames) if frames is not None and known else None
