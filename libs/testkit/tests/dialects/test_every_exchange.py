"""What every simulated exchange can do alike, asked in the words of its adapter."""

from __future__ import annotations

import random
from collections.abc import Sequence
from urllib.parse import urlsplit

import pytest

from collector_core.symbols import SymbolTable
from collector_exchanges.discovery import adapter as adapter_of
from collector_feed.outputs import Subscription
from collector_testkit.dialects import Action, Close, Delivery, Request, available, load
from collector_testkit.dialects.dialect import Limits
from collector_testkit.dialects.venue import Venue
from collector_testkit.faults import KINDS, Fault, schedule
from collector_testkit.truth import TruthFault, TruthRecord, TruthTrade

START = 1_795_305_600_250_250
SECOND = 1_000_000
every = pytest.mark.parametrize("name", available())


class Market:
    """A venue, the adapter that speaks to it, and the truth."""

    def __init__(self, name: str, still: Sequence[str] = ()) -> None:
        self.truth: list[TruthRecord] = []
        self.venue = Venue(
            load(name),
            random.Random(3),
            START,
            rate=100.0,
            limits=Limits(attempts=(10_000, 1.0), weight=10_000),
            truth=self.truth.extend,
            still=still,
        )
        self.venue.advance(START + 5 * SECOND)
        self.table = SymbolTable()
        self.adapter = adapter_of(name)(self.table)
        self.number = 0

    @property
    def new(self) -> str:
        return f"NEW/{next(iter(self.venue.dialect.quotes))}"

    def listed(self) -> list[str]:
        asked = self.adapter.instruments()
        reply = self.venue.request(Request(asked.path, dict(asked.query), method=asked.method))
        rows = asked.parse(reply.body, self.venue.now)
        for row in rows:
            if row.symbol not in self.table:
                self.table.add(row.symbol, str(row.venue_symbol))
        return [row.symbol for row in rows]

    def join(self, *symbols: str) -> list[Action]:
        """Subscribe to trades and books on new connections, one for each path that they need."""
        channels = self.adapter.spec.channels
        out: list[Action] = []
        for path in sorted({channels[kind].path for kind in ("trade", "book")}):
            url = urlsplit(self.adapter.url(f"ws://x{self.venue.dialect.websocket_path}", path))
            if self.venue.refuse(Request(url.path)) is not None:
                continue
            self.number += 1
            out += self.venue.open(self.number, Request(url.path))
            kinds = [kind for kind in ("trade", "book") if channels[kind].path == path]
            wanted = [Subscription(kind, symbol, "") for kind in kinds for symbol in symbols]
            for send, _ in self.adapter.change((), wanted, ()):
                out += self.venue.receive(self.number, send.text)
        return out

    def seconds(self, count: float) -> list[Action]:
        return self.venue.advance(self.venue.now + int(count * SECOND))

    def told(self, symbol: str) -> list[str]:
        trades = (r for r in self.truth if isinstance(r, TruthTrade) and r.symbol == symbol)
        return [trade.id for trade in trades]


def streams(actions: list[Action]) -> set[tuple[str, str]]:
    return {(a.channel, a.symbol) for a in actions if isinstance(a, Delivery) and a.channel}


@every
def test_symbols_come_and_go(name: str) -> None:
    made = Market(name)
    new = made.new
    assert new not in made.listed()
    made.venue.list_symbol(new)
    assert new in made.listed()
    made.join(new)
    assert {("trade", new), ("book", new)} <= streams(made.seconds(5))
    old = made.listed()[0]
    made.join(old)
    assert ("trade", old) in streams(made.seconds(5))
    made.venue.delist_symbol(new)
    assert new not in made.listed()
    after = streams(made.seconds(5))
    assert ("trade", old) in after
    assert not {symbol for _, symbol in after} & {new}


@every
def test_a_still_symbol_trades_once_it_is_named(name: str) -> None:
    new = Market(name).new
    made = Market(name, still=[new])
    assert new in made.listed()
    assert new not in made.venue.market.trading
    made.join(new)
    assert new in made.venue.market.trading
    assert ("trade", new) in streams(made.seconds(5))


@every
def test_the_truth_names_the_trades_of_lost_frames(name: str) -> None:
    made = Market(name)
    symbol = made.listed()[0]
    made.join(symbol)
    made.seconds(1)
    made.venue.start(Fault("stall", channel="trade", symbol=symbol))
    made.truth.clear()
    assert ("trade", symbol) not in streams(made.seconds(10))
    told = made.told(symbol)
    lost = [trade for r in made.truth if isinstance(r, TruthFault) and r.lost for trade in r.trades]
    assert len(told) > 20
    # frames that collect trades may hold some of before the stall, and keep some at its end
    inner = [trade for trade in told if trade in set(lost)]
    assert len(inner) >= len(told) - 20
    assert [trade for trade in lost if trade in set(told)] == inner


@every
def test_maintenance_closes_what_is_open(name: str) -> None:
    made = Market(name)
    symbol = made.listed()[0]
    made.join(symbol)
    there = made.venue.connections
    found = made.venue.start(Fault("maintenance", duration=5.0))
    assert [action.connection for action in found if isinstance(action, Close)] == there
    made.join(symbol)
    assert made.venue.connections == []
    made.seconds(6)
    made.join(symbol)
    assert len(made.venue.connections) == len(there)


@every
def test_faults_of_all_kinds_are_repeated_bit_for_bit(name: str) -> None:
    def run(step: int) -> tuple[list[Action], list[TruthRecord]]:
        made = Market(name)
        symbols = made.listed()[:2]
        plan = schedule(random.Random(7), made.venue.now, 10, 240, KINDS, symbols, ("trade",))
        made.venue.faults.extend(plan)
        log = made.join(*symbols)
        for _ in range(20):
            if not made.venue.connections:
                log += made.join(*symbols)
            end = made.venue.now + SECOND // 2
            while made.venue.now < end:
                log += made.venue.advance(min(end, made.venue.now + step))
        return log, [record for record in made.truth if isinstance(record, TruthFault)]

    whole = run(SECOND)
    assert run(70_001) == whole
    assert len({record.kind for record in whole[1] if isinstance(record, TruthFault)}) > 8
