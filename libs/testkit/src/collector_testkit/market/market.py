"""Several symbols that trade, driven by the time they are given."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from functools import cached_property
from heapq import heapify, heappush, heapreplace
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

    Its book is filled when it is first looked at, so that thousands of symbols that nobody asks
    for cost next to nothing.

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
        self.tape = Tape()
        self.agent = Agent(listing, generator, taker_share)
        # time of the last change of the book, in microseconds
        self.changed = start
        self._time = start
        self._generator = generator
        self._trade_id = 0
        self._group = 0
        self._millisecond = 0
        self._nth = 0

    @cached_property
    def engine(self) -> MatchingEngine:
        """The order book."""
        engine = MatchingEngine()
        self.agent.fill(engine)
        return engine

    @cached_property
    def update(self) -> int:
        """Number of level changes so far, those of the opening among them."""
        return len(self.engine.levels("buy")) + len(self.engine.levels("sell"))

    def resume(self, time: int) -> None:
        """Be there again from ``time`` on, with the book as it was."""
        self.changed = self._time = time

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
    ``set_rate``, ``wake``, ``add`` and ``remove`` do, for they take effect at the time reached.

    Args:
        listings: the symbols.
        generator: source of randomness; the symbols take one of their own each from it.
        start: time at which it opens, in microseconds since the epoch.
        rate: actions (orders placed, cancelled or taken) a second of each symbol.
        taker_share: share of the actions that take, from 0 to 1.
        still: symbols that are listed too, but do not trade before they are woken.
    """

    def __init__(
        self,
        listings: Iterable[Listing],
        generator: random.Random,
        start: int,
        rate: float,
        taker_share: float = 0.25,
        still: Iterable[Listing] = (),
    ) -> None:
        self.now = start
        self._rate = 0.0
        self._taker_share = taker_share
        self.symbols: dict[str, SymbolMarket] = {}
        # time of the next action and the place of the symbol in _order
        self._queue: list[tuple[int, int]] = []
        # symbols that trade or have traded, in the order in which they began
        self._order: list[SymbolMarket] = []
        # place of each symbol that trades now
        self._places: dict[str, int] = {}
        # symbols that are listed no longer
        self._gone: dict[str, SymbolMarket] = {}
        for listing in listings:
            own = random.Random(generator.getrandbits(64))
            self.symbols[listing.symbol] = SymbolMarket(listing, own, start, taker_share)
            self._enter(listing.symbol)
        # what the symbols that come later are drawn from, whatever their order
        self._seed = generator.getrandbits(64)
        for listing in still:
            self.add(listing, still=True)
        self.set_rate(rate)

    @property
    def rate(self) -> float:
        """Actions a second of each symbol that trades."""
        return self._rate

    @property
    def trading(self) -> list[str]:
        """Symbols that trade, without those that are still."""
        return list(self._places)

    def set_rate(self, rate: float) -> None:
        """Change the rate from the time reached on; at 0 nothing happens any more.

        Raises:
            ValueError: the rate is negative or not a number.
        """
        if not 0 <= rate <= 1e6:
            raise ValueError(f"expected a rate of 0 to 1000000 actions a second, was {rate}")
        self._rate = rate
        self._queue.clear()
        for place in self._places.values():
            self._plan(place)

    def symbol(self, symbol: str) -> SymbolMarket:
        """Return the market of a symbol.

        Raises:
            SymbolError: it is not traded here.
        """
        try:
            return self.symbols[symbol]
        except KeyError:
            raise SymbolError(f"expected a symbol of this market, was {symbol!r}") from None

    def add(self, listing: Listing, *, still: bool = False) -> None:
        """List a symbol; one that was removed goes on with its book and its numbers.

        Raises:
            SymbolError: it is listed already.
        """
        symbol = listing.symbol
        if symbol in self.symbols:
            raise SymbolError(f"expected a symbol that is not listed yet, was {symbol!r}")
        own = self._gone.pop(symbol, None)
        if own is None:
            # a text as seed gives the same numbers in every process
            generator = random.Random(f"{self._seed} {symbol}")
            own = SymbolMarket(listing, generator, self.now, self._taker_share)
        else:
            own.resume(self.now)
        self.symbols[symbol] = own
        if not still:
            self.wake(symbol)

    def wake(self, symbol: str) -> None:
        """Let a symbol trade from the time reached on; one that does is left alone.

        Raises:
            SymbolError: it is not listed.
        """
        self.symbol(symbol)
        if symbol not in self._places:
            self._enter(symbol)
            self._plan(self._places[symbol])

    def remove(self, symbol: str) -> None:
        """Delist a symbol: nothing happens on it any more.

        Raises:
            SymbolError: it is not listed.
        """
        self._gone[symbol] = self.symbol(symbol)
        del self.symbols[symbol]
        place = self._places.pop(symbol, None)
        self._queue[:] = [entry for entry in self._queue if entry[1] != place]
        heapify(self._queue)

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

    def _enter(self, symbol: str) -> None:
        own = self.symbols[symbol]
        # a book is filled before its first pause is drawn, so that its numbers follow its seed
        own.update  # noqa: B018 - looked at for that
        self._places[symbol] = len(self._order)
        self._order.append(own)

    def _plan(self, place: int) -> None:
        if self._rate:
            time = self.now + self._order[place].pause(self._rate)
            heappush(self._queue, (time, place))
