"""The volume of a bar with a sign, by where it closed in its range."""

from __future__ import annotations

from collector_indicators.ohlcv import Ohlcv

__all__ = ["money_flow"]


def money_flow(bar: Ohlcv) -> float:
    """Return Chaikin's money flow volume: volume * ((close - low) - (high - close)) / (high - low).

    A bar without width has none, as in TA-Lib (TA_AD).
    """
    width = bar.high - bar.low
    if width <= 0.0:
        return 0.0
    return ((bar.close - bar.low) - (bar.high - bar.close)) / width * bar.volume
