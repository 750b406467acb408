"""A dialect on a market whose every order is placed by hand, so that frames can be written down."""

from __future__ import annotations

import json
import random
from typing import Final

from collector_core.events import Side
from collector_testkit.dialects.dialect import Dialect, Limits
from collector_testkit.dialects.messages import Action, Reply, Request
from collector_testkit.market import BookChange, Listing, Market, MarketEvent, Trade

__all__ = ["START", "Desk"]

# 2026-11-22 00:00:00.000250 UTC and a quarter of a second, so that nothing lies on a boundary
START: Final = 1_795_305_600_250_250


class Desk:
    """One exchange with one symbol, whose orders are placed by hand.

    Args:
        dialect: the exchange.
        listing: the symbol; with ``orders=0`` its book opens empty.
        limits: limits that differ from the exchange's own.
    """

    def __init__(
        self, dialect: type[Dialect], listing: Listing, limits: Limits | None = None
    ) -> None:
        self.now = START
        self.market = Market([listing], random.Random(1), START, 0.0)
        self.own = self.market.symbol(listing.symbol)
        self.dialect = dialect(self.market, limits)
        self._trade = 0
        self._group = 0

    def connect(self, number: int = 1, path: str = "", **query: str) -> list[Action]:
        """Open a connection; return what goes out at once.

        Raises:
            ValueError: the exchange refuses it.
        """
        request = Request(path or self.dialect.websocket_path, query)
        refused = self.dialect.handshake(request, self.now)
        if refused is not None:
            raise ValueError(f"expected an open connection, was status {refused.status}")
        return self.dialect.opened(number, request, self.now)

    def say(self, message: object, number: int = 1) -> list[Action]:
        """Send a message of a client, as it is or as JSON; return the answer."""
        text = message if isinstance(message, str) else json.dumps(message)
        return self.dialect.received(number, text, self.now)

    def order(self, side: Side, price: int, amount: int) -> list[Action]:
        """Place a limit order of ``price`` ticks and ``amount`` lots; return what is published."""
        outcome = self.own.engine.limit(side, price, amount)
        events: list[MarketEvent] = []
        last = None
        for nth, fill in enumerate(outcome.fills):
            self._trade += 1
            self._group += fill.price != last
            last = fill.price
            trade = Trade(
                self.own.listing.symbol, self.now, self._trade, fill.price, fill.amount, side,
                self._group, nth,
            )  # fmt: skip
            self.own.tape.add(trade)
            events.append(trade)
        first = self.own.update + 1
        self.own.update += len(outcome.bids) + len(outcome.asks)
        self.own.changed = self.now
        events.append(
            BookChange(
                self.own.listing.symbol, self.now, first, self.own.update, outcome.bids,
                outcome.asks,
            )
        )  # fmt: skip
        return self.dialect.publish(events)

    def until(self, time: int) -> list[Action]:
        """Let the time pass up to ``time``, in microseconds, with all that is due meanwhile."""
        actions: list[Action] = []
        while (due := self.dialect.next_deadline()) is not None and due <= time:
            self.now = due
            actions += self.dialect.on_time(due)
        self.now = time
        return actions

    def pass_time(self, seconds: float) -> list[Action]:
        """Let so many seconds pass."""
        return self.until(self.now + int(seconds * 1e6))

    def get(self, path: str, headers: dict[str, str] | None = None, **query: object) -> Reply:
        """Make a REST request."""
        texts = {name: str(value) for name, value in query.items()}
        return self.dialect.request(Request(path, texts, headers or {}), self.now)
