"""Bithumb's messages, field for field; names are theirs, those of the format DEFAULT.

https://apidocs.bithumb.com/reference (현재가-ticker, 체결-trade, 호가-orderbook, 웹소켓-에러)
What Bithumb has in common with another exchange stands in ``collector_feed.ticket_wire``.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from collector_feed import ticket_wire
from collector_feed.ticket_wire import Failure, Moment, Ticker, Trade

__all__ = ["Failure", "Loose", "Message", "Orderbook", "Refusal", "Ticker", "Trade"]


class Orderbook(ticket_wire.Orderbook, frozen=True, gc=False, tag="orderbook"):
    """``orderbook``, whose time alone is in microseconds; it had 13 digits before 2025."""

    timestamp: Moment


Message: TypeAlias = Trade | Orderbook | Ticker
"""What is pushed."""


class Loose(msgspec.Struct, frozen=True):
    """What tells one kind of other object from another."""

    type: str | None = None
    status: str | None = None
    """``UP`` every 10 s, once a text ``PING`` was sent."""
    error: Failure | None = None


class Refusal(msgspec.Struct, frozen=True):
    """A REST answer that says what is wrong, with HTTP status 200."""

    error: Failure
