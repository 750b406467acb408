"""The only participant of a simulated market: places, cancels and takes at random."""

from __future__ import annotations

import random
from math import log, sqrt
from typing import Final

from collector_core.events import Side
from collector_testkit.market.listing import Listing
from collector_testkit.market.matching import MatchingEngine, Outcome

__all__ = ["Agent"]

_REVERSION: Final = 1 / 600
"""Share of the way back to the starting price that the fair price goes in a second."""
_VOLATILITY: Final = 0.00005
"""Standard deviation of the fair price's move in a second, as a share of the price."""
_HALF_SPREAD: Final = 0.00002
"""Least distance of a new order to the fair price, as a share of the price."""
_WIDTH: Final = 0.004
"""Mean distance of the orders that make the depth, as a share of the price."""
_CANCELS: Final = 0.4
"""Share of cancellations among what makers do on a side that is full."""
_CLOSE: Final = 0.6
"""Share of new orders that are placed near the fair price."""
_TAKEN: Final = 0.6
"""Mean amount of a market order, as a share of a limit order's."""
_FEW: Final = 5
"""Resting orders below which a side is refilled and not taken from."""


class Agent:
    """Acts on one order book around a fair price that wanders and returns (Ornstein-Uhlenbeck).

    Args:
        listing: the symbol.
        generator: source of all its decisions.
        taker_share: share of its actions that are market orders, from 0 to 1.
    """

    __slots__ = (
        "_fair",
        "_half",
        "_ids",
        "_mean",
        "_near",
        "_random",
        "_usual",
        "_wide",
        "listing",
        "share",
    )

    def __init__(self, listing: Listing, generator: random.Random, taker_share: float) -> None:
        self.listing = listing
        self.share = taker_share
        self._random = generator
        self._mean = float(listing.price_ticks)
        # price in ticks that orders are placed around
        self._fair = self._mean
        self._half = max(1.0, self._mean * _HALF_SPREAD)
        self._near = self._half * 6
        self._usual = listing.amount_lots
        self._wide = max(float(listing.orders), self._mean * _WIDTH)
        # ids of the orders of each side, with some that rest no longer
        self._ids: dict[Side, list[int]] = {"buy": [], "sell": []}

    def fill(self, engine: MatchingEngine) -> None:
        """Place the orders that a market opens with."""
        for _ in range(self.listing.orders * 3 // 4):
            self._place(engine, "buy")
            self._place(engine, "sell")

    def act(self, engine: MatchingEngine, seconds: float) -> tuple[Side, Outcome]:
        """Do one thing, ``seconds`` after the last; return its side and what it did."""
        draw = self._random.random
        fair = self._fair
        fair += (self._mean - fair) * min(1.0, _REVERSION * seconds)
        fair += fair * _VOLATILITY * sqrt(seconds) * self._random.gauss(0.0, 1.0)
        self._fair = fair if fair > 2.0 else 2.0
        bids, asks = engine.orders("buy"), engine.orders("sell")
        if bids < _FEW or asks < _FEW:
            side: Side = "buy" if bids < asks else "sell"
            return side, self._place(engine, side)
        if draw() < self.share:
            side = "buy" if draw() < self._lean(engine) else "sell"
            return side, engine.market(side, self._amount(_TAKEN))
        side = "buy" if draw() < 0.5 else "sell"
        crowd = (bids if side == "buy" else asks) / self.listing.orders
        if draw() < min(0.9, _CANCELS * crowd):
            return side, engine.cancel(self._pick(engine, side))
        return side, self._place(engine, side)

    def _lean(self, engine: MatchingEngine) -> float:
        # takers buy below the fair price and sell above it, which keeps the book around it
        bid, ask = engine.best_bid(), engine.best_ask()
        if bid is None or ask is None:
            return 0.5
        away = (self._fair - (bid + ask) / 2) / (4 * self._half)
        return 0.5 + max(-0.45, min(0.45, away))

    def _place(self, engine: MatchingEngine, side: Side) -> Outcome:
        width = self._near if self._random.random() < _CLOSE else self._wide
        away = self._half - log(1.0 - self._random.random()) * width
        price = round(self._fair - away if side == "buy" else self._fair + away)
        outcome = engine.limit(side, max(1, price), self._amount(1.0))
        if outcome.resting is not None:
            self._ids[side].append(outcome.resting)
        return outcome

    def _amount(self, mean: float) -> int:
        # exponential, in lots; 1 - random() is never zero
        return 1 - int(log(1.0 - self._random.random()) * self._usual * mean)

    def _pick(self, engine: MatchingEngine, side: Side) -> int:
        ids = self._ids[side]
        if len(ids) > 2 * engine.orders(side) + 64:
            ids[:] = [i for i in ids if engine.order(i) is not None]
        while True:
            place = int(self._random.random() * len(ids))
            chosen = ids[place]
            ids[place] = ids[-1]
            ids.pop()
            if engine.order(chosen) is not None:
                return chosen
