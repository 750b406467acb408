"""What the simulated exchange shows of its books, taken from the matching engine, not from frames.

Each frame of a book, and each answer of REST, is noted with the levels of the engine at that
moment under the number or the time that the frame carries: by these a published row finds the
state that it claims to be.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, TypeAlias

from collector_core.events import Book
from collector_core.symbols import SymbolTable
from collector_exchanges.discovery import adapter
from collector_feed.outputs import BookDelta, BookSnapshot
from collector_testkit.dialects import Action, Delivery, Reply, Request
from collector_testkit.dialects.venue import Venue
from collector_testkit.market import SymbolMarket

__all__ = ["DEPTHS", "Levels", "Shown", "levels_of"]

DEPTHS: Final = {"upbit": 30, "bithumb": 15, "coinone": 16, "kraken": 25, "okx": 400, "bybit": 1000}
"""Levels a side that an exchange shows; all of them where it is not named."""
_NUMBERED: Final = frozenset({"range", "link", "counter"})
_CUT: Final = {"bithumb": 10_000}
"""Units of 10**-8 in the smallest amount of a book that an exchange writes."""

Levels: TypeAlias = list[tuple[int, int]]
"""Prices and amounts in units of 10**-8, best first."""
_Key: TypeAlias = tuple[int | None, int | None]
_State: TypeAlias = tuple[Levels, Levels]


def levels_of(market: SymbolMarket, exchange: str) -> _State:
    """Return bids and asks as the exchange would show them now."""
    return _read(market, exchange, _ticks(market, exchange))


def _ticks(market: SymbolMarket, exchange: str) -> _State:
    depth = DEPTHS.get(exchange)
    return market.engine.levels("buy", depth), market.engine.levels("sell", depth)


def _read(market: SymbolMarket, exchange: str, state: _State) -> _State:
    tick, step = market.listing.tick_units, market.listing.step_units
    unit = _CUT.get(exchange, 1)
    bids, asks = ([(p * tick, a * step // unit * unit) for p, a in side] for side in state)
    return [level for level in bids if level[1]], [level for level in asks if level[1]]


class Shown:
    """Notes what one venue shows; a ``Watcher``.

    Args:
        venue: the exchange.
    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._exchange = venue.dialect.name
        kind = adapter(self._exchange)
        dialect = venue.dialect
        self._table = SymbolTable((s, dialect.to_venue(s)) for s in venue.market.symbols)
        self._adapter = kind(self._table)
        self._numbered = kind.spec.book_rule in _NUMBERED
        self._states: dict[str, dict[_Key, list[_State]]] = {s: {} for s in venue.market.symbols}
        # key of the newest state
        self._last: dict[str, _Key] = {}
        # payloads that no client can read
        self.unreadable: set[bytes] = {dialect.unknown()}

    def sent(self, actions: Sequence[Action], passed: Sequence[Action]) -> None:
        """Note the books among what goes out, and the payloads that faults made of it."""
        known = {id(action.payload) for action in actions if isinstance(action, Delivery)}
        for action in actions:
            if isinstance(action, Delivery) and action.channel == "book":
                self._adapter.reset()
                for item in self._adapter.on_frame(action.payload, self._venue.now):
                    if isinstance(item, BookDelta | BookSnapshot):
                        self._note(item.symbol, item.exchange_time, item.last)
        for action in passed:
            if isinstance(action, Delivery) and id(action.payload) not in known:
                self._weigh(action.payload)

    def answered(self, _request: Request, reply: Reply) -> None:
        """Note the book in an answer."""
        if reply.channel == "book" and reply.status == 200:
            book = self._adapter.book(reply.symbol).parse(reply.body, self._venue.now)
            self._note(book.symbol, book.exchange_time, book.last)

    def states(self, row: Book) -> list[_State]:
        """Return what the book that a row claims to be may have been; empty if nobody showed it."""
        market = self._venue.market.symbol(row.symbol)
        found = self._states[row.symbol].get(self._key(row.exchange_time, row.venue_sequence), [])
        return [_read(market, self._exchange, state) for state in found]

    def _key(self, time: int | None, number: int | None) -> _Key:
        return (None, number) if self._numbered else (time, number or None)

    def _note(self, symbol: str, time: int | None, number: int | None) -> None:
        key = self._key(time, number)
        if self._numbered and self._last.get(symbol) == key:
            # the book as it was sent before, to one more client
            return
        self._last[symbol] = key
        state = _ticks(self._venue.market.symbol(symbol), self._exchange)
        states = self._states[symbol].setdefault(key, [])
        if state not in states:
            states.append(state)

    def _weigh(self, payload: bytes) -> None:
        try:
            json.loads(payload)
        except ValueError:
            self.unreadable.add(payload)
