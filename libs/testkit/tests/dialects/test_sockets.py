"""What all simulated exchanges know of connections, numbers and candles."""

from __future__ import annotations

import random

import pytest

from collector_testkit.dialects import Close, Request, available, load
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.sockets import Socket, SocketDialect
from collector_testkit.dialects.symbol_frames import SymbolWriter
from collector_testkit.dialects.venue import Venue
from collector_testkit.dialects.whole_candles import candle_at, whole_candles
from collector_testkit.market import Listing, Market, Trade

SECOND = 1_000_000
MINUTE = 60 * SECOND
START = 1_795_305_600_000_000


def test_messages_are_counted_within_their_time() -> None:
    socket = Socket(0)
    assert [socket.count(n * SECOND // 2, 60) for n in range(4)] == [1, 2, 3, 4]
    assert socket.recent(3 * SECOND // 2) == 2
    assert socket.count(200 * SECOND) == 1


@pytest.mark.parametrize("name", available())
def test_every_dialect_cuts_a_connection_by_its_age(name: str) -> None:
    venue = Venue(load(name), random.Random(1), START, rate=0.0, limits=Limits(max_age=2.0))
    assert isinstance(venue.dialect, SocketDialect)
    path = venue.dialect.websocket_path + ("/public" if name == "okx" else "")
    venue.open(1, Request(path))
    found = venue.advance(START + 3 * SECOND)
    assert [(a.connection, a.code) for a in found if isinstance(a, Close)] == [(1, 1001)]
    assert venue.connections == []
    assert venue.dialect.next_tick() is None


def market() -> Market:
    return Market(
        [Listing("A/X", "100", "0.5", "0.01", "1", "1", orders=0)], random.Random(1), START, 0.0
    )


def trade(own: Market, time: int, price: int) -> None:
    own.symbol("A/X").tape.add(Trade("A/X", time, time, price, 3, "buy", 1, 0))


def test_candles_have_no_holes_between_trades_nor_after_the_last() -> None:
    own = market()
    symbol = own.symbol("A/X")
    assert list(whole_candles(symbol, "1m", None, START)) == []
    trade(own, START + 1, 200)
    trade(own, START + 3 * MINUTE, 210)
    found = list(whole_candles(symbol, "1m", None, START + 4 * MINUTE))
    assert [(c.open_time - START) // MINUTE for c in found] == [0, 1, 2, 3, 4]
    assert [(c.close, c.count) for c in found] == [(200, 1), (200, 0), (200, 0), (210, 1), (210, 0)]
    assert (
        list(whole_candles(symbol, "1m", START + 2 * MINUTE - 1, START + 3 * MINUTE)) == found[2:4]
    )
    assert [candle_at(symbol, "1m", c.open_time) for c in found] == found


def test_numbers_of_a_symbol_are_written_in_steps() -> None:
    writer = SymbolWriter(market().symbol("A/X"), "AX")
    assert (writer.price(3), writer.amount(5), writer.value(3 * 5)) == ("1.5", "0.05", "0.075")
    fact = writer.fact("x", Trade("A/X", 1_234_567, 1, 3, 5, "buy", 1, 0), "9")
    assert (fact.price, fact.amount, fact.exchange_time) == ("1.5", "0.05", 1_234_000)
    assert writer.touch() == (0, 0, 0, 0)
