"""What the frames of one symbol have in common: its numbers as the exchange writes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from collector_testkit.dialects.digits import trimmed
from collector_testkit.market import SymbolMarket, Trade
from collector_testkit.truth import TruthTrade

__all__ = ["SymbolWriter"]

_VALUE: Final = 10**8
"""Ticks times lots are in units of 10**-16, values in units of 10**-8."""


class SymbolWriter:
    """Base of what writes the frames of one symbol.

    Args:
        market: the symbol's market.
        venue_symbol: the exchange's spelling.
        write: writes a number of units of 10 to the power of minus its second argument.
    """

    def __init__(
        self,
        market: SymbolMarket,
        venue_symbol: str,
        write: Callable[[int, int], str] = trimmed,
    ) -> None:
        self.market = market
        self.symbol = market.listing.symbol
        self.venue = venue_symbol
        tick, step = market.listing.tick_units, market.listing.step_units
        self._write = write
        self._worth = tick * step
        self.price = lru_cache(maxsize=65536)(lambda ticks: write(ticks * tick, 8))
        self.amount = lru_cache(maxsize=65536)(lambda lots: write(lots * step, 8))

    def value(self, product: int) -> str:
        """Return a sum of ticks times lots in the quote currency, cut to eight decimals."""
        return self._write(product * self._worth // _VALUE, 8)

    def touch(self) -> tuple[int, int, int, int]:
        """Return best bid, its total, best ask and its total; zeros for an empty side."""
        engine = self.market.engine
        bid, ask = engine.best_bid() or 0, engine.best_ask() or 0
        return bid, engine.total("buy", bid), ask, engine.total("sell", ask)

    def fact(self, exchange: str, trade: Trade, ident: str, unit: int = 1000) -> TruthTrade:
        """Return a trade as the stream tells it; its time is cut to ``unit`` microseconds."""
        return TruthTrade(
            exchange,
            trade.symbol,
            ident,
            self.price(trade.price),
            self.amount(trade.amount),
            trade.side,
            trade.time // unit * unit,
        )
