"""A seeded market: real limit order books, an agent that trades on them, and what follows.

Pure: the time and the generator of random numbers are arguments, so the same seed and the same
times give the same events.
"""

from __future__ import annotations

from collector_testkit.market.candles import Candle, Candles
from collector_testkit.market.events import BookChange, MarketEvent, Trade
from collector_testkit.market.listing import Listing
from collector_testkit.market.market import Market, SymbolMarket
from collector_testkit.market.matching import Fill, MatchingEngine, Outcome
from collector_testkit.market.tape import DayWindow, Tape

__all__ = [
    "BookChange",
    "Candle",
    "Candles",
    "DayWindow",
    "Fill",
    "Listing",
    "Market",
    "MarketEvent",
    "MatchingEngine",
    "Outcome",
    "SymbolMarket",
    "Tape",
    "Trade",
]
