"""Several symbols that trade, driven by the time they are given."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from heapq import heappush, heapreplace
from math import log

from collector_core.errors import SymbolError
from collector_core.events import Side
from collector_testkit.market.agent import Agent
from collector_testkit.market.events import BookChange, MarketEvent, Trade
from collector_testkit.market.listing import Listing
from collector_testkit.market.matching import MatchingEngine, Outcome
from collector_testkit.market.tape import Tape

__all__ = ["Market", "SymbolMarket"]


class SymbolMarket:
    """The book, the past and the agent of one symbol.

    Args:
        listing: the symbol.
        generator: source of its agent's decisions.
        start: time at which its book opens.
        taker_share: share of market orders among the agent's actions.
    """

    def __init__(
        self, listing: Listing, generator: random.Random, start: int, taker_share: float
    ) -> None:
        self.listing = listing
        self.engine = MatchingEngine()
        self.tape = Tape()
        self.agent = Agent(listing, generator, taker_share)
        self.agent.fill(self.engine)
        # number of level changes so far, those of the opening among them
        self.update = len(self.engine.levels("buy")) + len(self.engine.levels("sell"))
        # time of the last change of the book, in microseconds
        self.changed = start
        self._time = start
        self._generator = generator
        self._trade_id = 0
        self._group = 0
        self._millisecond = 0
        self._nth = 0

    def pause(self, rate: float) -> int:
        """Draw the microseconds to the next action at a rate of actions a second."""
        return 1 - int(log(1.0 - self._generator.random()) / rate * 1e6)

    def act(self, time: int) -> list[MarketEvent]:
        """Let the agent act at ``time``; return what happened."""
        side, outcome = self.agent.act(self.engine, (time - self._time) / 1e6)
        self._time = time
        events: list[MarketEvent] = []
        if outcome.fills:
            self._trades(side, time, outcome, events)
        count = len(outcome.bids) + len(outcome.asks)
        if count:
            first = self.update + 1
            self.update += count
            self.changed = time
            symbol = self.listing.symbol
            events.append(BookChange(symbol, time, first, self.update, outcome.bids, outcome.asks))
        return events

    def _trades(self, side: Side, time: int, outcome: Outcome, events: list[MarketEvent]) -> None:
        price = None
        for fill in outcome.fills:
            if fill.price != price:
                self._group += 1
                price = fill.price
            self._trade_id += 1
            if self._millisecond != time // 1000:
                self._millisecond, self._nth = time // 1000, 0
            trade = Trade(
                self.listing.symbol, time, self._trade_id, price, fill.amount, side,
                self._group, self._nth,
            )  # fmt: skip
            self._nth += 1
            self.tape.add(trade)
            events.append(trade)


class Market:
    """A market of several symbols; every event is a function of the seed and the start.

    How the time is cut into calls of ``steps`` or ``advance`` makes no difference. Only
    ``set_rate`` does, for it takes effect at the time reached.

    Args:
        listings: the symbols.
        generator: source of randomness; the symbols take one of their own each from it.
        start: time at which it opens, in microseconds since the epoch.
        rate: actions (orders placed, cancelled or taken) a second of each symbol.
        taker_share: share of the actions that take, from 0 to 1.
    """

    def __init__(
        self,
        listings: Iterable[Listing],
        generator: random.Random,
        start: int,
        rate: float,
        taker_share: float = 0.25,
    ) -> None:
        self.now = start
        self._rate = 0.0
        self.symbols: dict[str, SymbolMarket] = {}
        # time of the next action and the place of the symbol in _order
        self._queue: list[tuple[int, int]] = []
        self._order: list[SymbolMarket] = []
        for listing in listings:
            own = random.Random(generator.getrandbits(64))
            self.symbols[listing.symbol] = SymbolMarket(listing, own, start, taker_share)
        self._order = list(self.symbols.values())
        self.set_rate(rate)

    @property
    def rate(self) -> float:
        """Actions a second of each symbol."""
        return self._rate

    def set_rate(self, rate: float) -> None:
        """Change the rate from the time reached on; at 0 nothing happens any more.

        Raises:
            ValueError: the rate is negative or not a number.
        """
        if not 0 <= rate <= 1e6:
            raise ValueError(f"expected a rate of 0 to 1000000 actions a second, was {rate}")
        self._rate = rate
        self._queue.clear()
        if rate:
            for place, symbol in enumerate(self._order):
                heappush(self._queue, (self.now + symbol.pause(rate), place))

    def symbol(self, symbol: str) -> SymbolMarket:
        """Return the market of a symbol.

        Raises:
            SymbolError: it is not traded here.
        """
        try:
            return self.symbols[symbol]
        except KeyError:
            raise SymbolError(f"expected a symbol of this market, was {symbol!r}") from None

    def steps(self, to: int) -> Iterator[list[MarketEvent]]:
        """Yield what each action in [now, to) did, in the order of time, and be at ``to``.

        When a step is yielded, books and tapes stand as they did right after that action.
        """
        queue, order, rate = self._queue, self._order, self._rate
        while queue and queue[0][0] < to:
            time, place = queue[0]
            symbol = order[place]
            events = symbol.act(time)
            heapreplace(queue, (time + symbol.pause(rate), place))
            yield events
        self.now = max(self.now, to)

    def advance(self, to: int) -> list[MarketEvent]:
        """Return what happened in [now, to), in the order of time, and be at ``to``."""
        return [event for events in self.steps(to) for event in events]
