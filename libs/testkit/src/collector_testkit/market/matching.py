"""A limit order book with price-time priority, in whole ticks and lots.

Rules:
1. An incoming order fills against the best opposite price first, and at one price against the
   oldest order first, always at the resting order's price.
2. What is left of a limit order rests in the book, behind the orders of its price; what is left
   of a market order is cancelled.
3. So the best bid is always below the best ask.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import NamedTuple

import msgspec

from collector_core.events import Side

__all__ = ["Fill", "MatchingEngine", "Order", "Outcome"]


class Order(msgspec.Struct, gc=False):
    """A resting order; ``amount`` is what is left of it."""

    id: int
    side: Side
    price: int
    amount: int


class Fill(NamedTuple):
    """One execution against a resting order."""

    maker: int
    price: int
    amount: int


class Outcome(msgspec.Struct, gc=False):
    """What an order or a cancellation did.

    ``changes`` has each touched price of a side once, in the order in which they were touched,
    with its new total.
    """

    resting: int | None
    """Id of the order that now rests in the book, if one does."""
    fills: list[Fill]
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]


class _BookSide:
    __slots__ = ("keys", "orders", "queues", "sign", "totals")

    def __init__(self, sign: int) -> None:
        # 1 for bids and -1 for asks: the best price always has the greatest key
        self.sign = sign
        # sign * price of each level, ascending, so that the best is the last
        self.keys: list[int] = []
        # price -> its orders by id, oldest first
        self.queues: dict[int, dict[int, Order]] = {}
        self.totals: dict[int, int] = {}
        self.orders = 0

    def rest(self, order: Order) -> None:
        price = order.price
        queue = self.queues.get(price)
        if queue is None:
            self.queues[price] = {order.id: order}
            self.totals[price] = order.amount
            insort(self.keys, self.sign * price)
        else:
            queue[order.id] = order
            self.totals[price] += order.amount
        self.orders += 1

    def remove(self, order: Order) -> int:
        price = order.price
        queue = self.queues[price]
        del queue[order.id]
        self.orders -= 1
        if queue:
            self.totals[price] -= order.amount
            return self.totals[price]
        self.drop(price)
        return 0

    def drop(self, price: int) -> None:
        del self.queues[price], self.totals[price]
        key = self.sign * price
        if self.keys[-1] == key:
            self.keys.pop()
        else:
            del self.keys[bisect_left(self.keys, key)]


class MatchingEngine:
    """The order book of one symbol. Prices and amounts are positive integers."""

    __slots__ = ("_asks", "_bids", "_last_order", "_orders")

    def __init__(self) -> None:
        self._bids = _BookSide(1)
        self._asks = _BookSide(-1)
        self._orders: dict[int, Order] = {}
        self._last_order = 0

    def limit(self, side: Side, price: int, amount: int) -> Outcome:
        """Match an order up to its price and let the rest of it rest in the book.

        Raises:
            ValueError: price or amount is not positive.
        """
        if price < 1:
            raise ValueError(f"expected a price of at least one tick, was {price}")
        outcome = Outcome(None, [], [], [])
        self._last_order += 1
        left = self._match(side, amount, price, outcome)
        if left:
            order = Order(self._last_order, side, price, left)
            self._orders[order.id] = order
            book = self._bids if side == "buy" else self._asks
            book.rest(order)
            changes = outcome.bids if side == "buy" else outcome.asks
            changes.append((price, book.totals[price]))
            outcome.resting = order.id
        return outcome

    def market(self, side: Side, amount: int) -> Outcome:
        """Match an order at any price; what finds no partner is cancelled.

        Raises:
            ValueError: the amount is not positive.
        """
        outcome = Outcome(None, [], [], [])
        self._last_order += 1
        self._match(side, amount, None, outcome)
        return outcome

    def cancel(self, order_id: int) -> Outcome:
        """Take a resting order out of the book.

        Raises:
            KeyError: no such order rests in the book (it was filled or cancelled before).
        """
        order = self._orders.pop(order_id)
        if order.side == "buy":
            return Outcome(None, [], [(order.price, self._bids.remove(order))], [])
        return Outcome(None, [], [], [(order.price, self._asks.remove(order))])

    def order(self, order_id: int) -> Order | None:
        """Return a resting order, or None when it no longer rests."""
        return self._orders.get(order_id)

    def best_bid(self) -> int | None:
        """Return the highest price to buy at, or None on an empty side."""
        keys = self._bids.keys
        return keys[-1] if keys else None

    def best_ask(self) -> int | None:
        """Return the lowest price to sell at, or None on an empty side."""
        keys = self._asks.keys
        return -keys[-1] if keys else None

    def total(self, side: Side, price: int) -> int:
        """Return what rests at a price of a side, zero for an empty level."""
        return (self._bids if side == "buy" else self._asks).totals.get(price, 0)

    def orders(self, side: Side) -> int:
        """Return how many orders rest on a side."""
        return (self._bids if side == "buy" else self._asks).orders

    def levels(self, side: Side, count: int | None = None) -> list[tuple[int, int]]:
        """Return price and total of at most ``count`` levels of a side (None: all), best first."""
        book = self._bids if side == "buy" else self._asks
        sign, totals = book.sign, book.totals
        keys = book.keys if count is None else book.keys[-count:]
        return [(sign * key, totals[sign * key]) for key in reversed(keys)]

    def queue(self, side: Side, price: int) -> list[Order]:
        """Return the orders at a price of a side, the next to be filled first."""
        return list((self._bids if side == "buy" else self._asks).queues.get(price, {}).values())

    def _match(self, side: Side, amount: int, limit: int | None, outcome: Outcome) -> int:
        if amount < 1:
            raise ValueError(f"expected an amount of at least one lot, was {amount}")
        buys = side == "buy"
        book = self._asks if buys else self._bids
        changes = outcome.asks if buys else outcome.bids
        keys, sign = book.keys, book.sign
        # the worst key that the taker still accepts
        floor = None if limit is None else sign * limit
        while amount and keys and (floor is None or keys[-1] >= floor):
            price = sign * keys[-1]
            before = amount
            amount = self._fill(book, price, amount, outcome.fills)
            changes.append((price, book.totals[price] - (before - amount)))
            if book.queues[price]:
                book.totals[price] -= before - amount
            else:
                book.drop(price)
        return amount

    def _fill(self, book: _BookSide, price: int, amount: int, fills: list[Fill]) -> int:
        queue = book.queues[price]
        while amount and queue:
            maker = next(iter(queue.values()))
            done = min(amount, maker.amount)
            fills.append(Fill(maker.id, price, done))
            amount -= done
            if done == maker.amount:
                del queue[maker.id], self._orders[maker.id]
                book.orders -= 1
            else:
                maker.amount -= done
        return amount
