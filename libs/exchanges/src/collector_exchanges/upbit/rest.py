"""Upbit REST as data.

https://docs.upbit.com/kr/reference (list-trading-pairs, list-orderbooks, recent-trades-history,
list-candles-*). Every request costs one of its group's 10 a second.
"""

from __future__ import annotations

from collector_feed.ticket_rest import TicketRest

__all__ = ["UpbitRest"]


class UpbitRest(TicketRest):
    """A book has 30 levels if they are asked for, and 15 otherwise."""

    BOOK = (("count", "30"),)
