"""Symbols as several exchanges spell them: two currencies with a dash between."""

from __future__ import annotations

from collections.abc import Sequence

from collector_core.errors import SymbolError
from collector_core.symbols import join

__all__ = ["base_first", "quote_first"]


def base_first(venue_symbol: str) -> str:
    """Return our spelling of ``BTC-USD``; what has more dashes is dated or perpetual, not spot.

    Raises:
        SymbolError: not two currencies.
    """
    base, dash, quote = venue_symbol.partition("-")
    if not dash or "-" in quote:
        raise SymbolError(f"expected a spot symbol such as BTC-USD, was {venue_symbol[:64]!r}")
    return join(base, quote)


def quote_first(venue_symbol: str, quotes: Sequence[str]) -> str:
    """Return our spelling of ``KRW-BTC``, whose quote is one of ``quotes``.

    Raises:
        SymbolError: not two currencies, or another quote.
    """
    quote, dash, base = venue_symbol.partition("-")
    if not dash or quote not in quotes:
        raise SymbolError(
            f"expected one of {', '.join(quotes)}, a dash and a currency, was {venue_symbol[:64]!r}"
        )
    return join(base, quote)
