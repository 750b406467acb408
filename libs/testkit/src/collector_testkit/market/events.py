"""What happens on a market."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from collector_core.events import Side

__all__ = ["BookChange", "MarketEvent", "Trade"]


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One fill of a resting order."""

    symbol: str
    time: int
    """Microseconds since the epoch."""
    id: int
    """Counts up by one within the symbol, from 1."""
    price: int
    """In ticks of the listing."""
    amount: int
    """In lots of the listing."""
    side: Side
    """The taker's."""
    group: int
    """Counts the groups of fills that one taker had at one price, from 1."""
    nth: int
    """How many trades of the symbol in the same millisecond stand before this one."""


class BookChange(msgspec.Struct, frozen=True, gc=False):
    """The levels that one order or cancellation changed; it follows the trades it caused."""

    symbol: str
    time: int
    first: int
    """Number of the first level change in it; each changed level counts one, within the symbol."""
    last: int
    bids: list[tuple[int, int]]
    """Price in ticks and new total in lots; zero means that the level is gone."""
    asks: list[tuple[int, int]]


MarketEvent: TypeAlias = Trade | BookChange
