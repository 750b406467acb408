"""A thousand planned replacements of connections, seeded: nothing missing, nothing doubled.

Each of the eight exchanges does its part, with trades and books of two symbols, delays of frames
and answers drawn from the seed, and connections that are replaced every few seconds.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from collector_core.book import OrderBook
from collector_core.events import Book, Level, Side, Status, Trade
from collector_exchanges.discovery import exchanges
from collector_feed.options import SessionOptions
from collector_feed.outputs import Undecodable
from collector_testkit.dialects import load
from collector_testkit.rig import Rig

ROTATIONS = 125
EVERY = 6.0


def rotated(exchange: str) -> Rig:
    rig = Rig(
        exchange,
        sum(exchange.encode()),
        rate=8.0,
        symbols=load(exchange).symbols[:2],
        options=SessionOptions(rotate_after=EVERY, audit_every=1e9),
        latency=0.08,
    )
    rig.start()
    while sum(link.succession.done for link in rig.links) < ROTATIONS:
        rig.run(10.0)
        assert rig.time.monotonic < 1_000.0 + 40 * EVERY * ROTATIONS, "rotations do not happen"
    rig.run(2.0)
    rig.stop()
    return rig


@pytest.mark.parametrize("exchange", exchanges())
def test_rotations_lose_and_double_nothing(exchange: str) -> None:
    rig = rotated(exchange)
    assert sum(link.succession.done for link in rig.links) >= ROTATIONS
    assert sum(link.succession.abandoned for link in rig.links) == 0
    assert rig.of(Undecodable) == []
    states = Counter(row.state for row in rig.of(Status))
    assert states["rotated"] > ROTATIONS
    assert {"gap", "disconnected", "stale", "book_invalid", "rejected"} & states.keys() == set()
    for symbol in rig.symbols:
        truth = rig.trades(symbol)
        rows = [row.id for row in rig.of(Trade, symbol)]
        places = {trade.id: place for place, trade in enumerate(truth)}
        found = [places[ident or ""] for ident in rows]
        # every trade from the first row to the last, each once, in order
        assert found == list(range(found[0], found[-1] + 1))
        assert len(found) > 100
        assert_book(rig, symbol)


def assert_book(rig: Rig, symbol: str) -> None:
    """Assert that the rows alone give a book that never crosses and ends right."""
    book = OrderBook()
    for row in rig.of(Book, symbol):
        if row.kind == "snapshot":
            book.replace(row.bids, row.asks)
        else:
            book.apply(row.bids, row.asks)
        assert not book.crossed()
    engine = rig.venue.market.symbols[symbol]
    bids, asks = book.depth(5)
    tick = Decimal(engine.listing.tick)
    sides: list[tuple[Side, list[Level]]] = [("buy", bids), ("sell", asks)]
    for side, levels in sides:
        prices = {price * tick for price, _ in engine.engine.levels(side, 60)}
        near = [level for level in levels if Decimal(level[0]) in prices]
        # frames are up to a tenth of a second on their way, so some levels may just have gone
        assert len(near) >= len(levels) - 2
