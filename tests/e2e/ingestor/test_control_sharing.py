"""Processes that share an exchange's symbols: one that joins, one that dies, one that sleeps."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from collector_core.events import Row, Status, Ticker
from collector_core.topics import Layout
from collector_ingestor.shards import Shards
from collector_testkit.broker import Broker
from collector_testkit.eventually import eventually
from collector_testkit.services import Service, simulated
from tests.e2e.ingestor.controlled import PATIENCE, Controlled, current, epochs_whole

pytestmark = [pytest.mark.broker, pytest.mark.e2e]

SYMBOLS = [f"{base}/USDT" for base in ("BTC", "ETH", "SOL", "XRP", "DOGE", "AAA", "BBB", "CCC")]
LISTED = ",".join(f"binance:{symbol}" for symbol in SYMBOLS)
TAKEOVER = 15.0
"""Seconds in which a dead process's symbols flow again."""
SHARED = {"SYMBOLS": "*/USDT", "COLLECTOR_INGESTOR_SHARDS": "8"}


def owner(rows: list[Row]) -> int:
    """Return the epoch of the publisher that has a stream."""
    return current(rows)[-1].epoch


def owners(bus: Controlled) -> dict[str, int]:
    """Return the epoch of each symbol's publisher, of those that flow."""
    return {symbol: owner(rows) for symbol in SYMBOLS if (rows := bus.rows(symbol))}


def epoch_of(service: Service) -> int:
    """Return the epoch under which a process publishes, as it says at its start."""
    service.logged('"event":"instruments"')
    [found] = re.findall(r'"epoch":([0-9]+),"event":"instruments"', service.log())
    return int(found)


def all_flow(bus: Controlled, symbols: Sequence[str] = SYMBOLS, epoch: int | None = None) -> bool:
    return all(bus.trades(symbol, epoch) > 10 for symbol in symbols)


def shards_of(service: Service) -> set[int]:
    """Return the shards that a process holds, by its log."""
    held: set[int] = set()
    for line in service.log().splitlines():
        if (found := re.search(r'"shards":\[([0-9, ]*)\],"event":"shards_([a-z]+)"', line)) is None:
            continue
        numbers = {int(number) for number in found[1].split(",")}
        held = held | numbers if found[2] == "granted" else held - numbers
    return held


def shared(bus: Controlled, first: Service, second: Service) -> dict[str, int]:
    """Wait until two processes share the shards evenly and all flows; return whose each is."""
    epochs = {service: epoch_of(service) for service in (first, second)}
    shards = Shards("binance", 8)

    def probe() -> dict[str, int] | None:
        held = {service: shards_of(service) for service in epochs}
        if [len(numbers) for numbers in held.values()] != [4, 4]:
            return None
        found = {
            symbol: epochs[service]
            for symbol in SYMBOLS
            for service, numbers in held.items()
            if shards.of(symbol) in numbers
        }
        flowing = all(bus.trades(symbol, own) > 0 for symbol, own in found.items())
        return found if flowing and owners(bus) == found else None

    found = eventually(probe, "symbols of two processes", timeout=PATIENCE, pause=0.5)
    assert set(found.values()) == set(epochs.values())
    return found


def flows_after(bus: Controlled, symbol: str, epoch: int, count: int) -> bool:
    return bus.trades(symbol, epoch) > count


@pytest.mark.parametrize("layout", ["symbol", "keyed"])
def test_a_dead_process_is_replaced(
    layout: Layout,
    broker: Broker,
    prefix: str,
    tmp_path: Path,
) -> None:
    with simulated("binance", tmp_path, rate=100, symbols=LISTED) as exchange:
        bus = Controlled(
            exchange, broker, prefix, layout, COLLECTOR_CHANNELS="trade,ticker", **SHARED
        )
        with bus.start() as victim, bus.start() as heir:
            before = shared(bus, victim, heir)
            dead, alive = epoch_of(victim), epoch_of(heir)
            victim.kill()
            orphans = [symbol for symbol in SYMBOLS if before[symbol] == dead]
            eventually(
                lambda: all(bus.trades(symbol, alive) > 0 for symbol in orphans),
                f"trades of {len(orphans)} orphans",
                timeout=TAKEOVER,
                pause=0.2,
            )
            print(f"the orphans' longest silence: {_silence(bus, orphans):.1f} s")  # noqa: T201  # shown by -s
            for symbol in SYMBOLS:
                count = bus.trades(symbol, alive)
                eventually(partial(flows_after, bus, symbol, alive, count), f"more of {symbol}")
            assert heir.terminate() == 0
        for symbol in SYMBOLS:
            rows = bus.rows(symbol)
            epochs_whole(rows)
            # a dead process adds nothing, so no row had to be left out
            assert current(rows) == rows
            bus.whole(symbol, rows)
            tickers = bus.rows(symbol, "ticker")
            epochs_whole(tickers)
            assert isinstance(_last(tickers, Ticker), Ticker)
        for symbol in orphans:
            starts = _starts(bus.rows(symbol))
            assert starts[-1].epoch == alive
            assert starts[-1].previous_epoch == dead


def test_shards_move_without_a_loss_or_a_double(
    broker: Broker, prefix: str, tmp_path: Path
) -> None:
    with simulated("binance", tmp_path, rate=100, symbols=LISTED) as exchange:
        bus = Controlled(exchange, broker, prefix, "symbol", **SHARED)
        with bus.start() as first:
            epoch = epoch_of(first)
            eventually(partial(all_flow, bus), "trades of all", timeout=PATIENCE, pause=0.3)
            with bus.start() as second:
                moved = {
                    symbol for symbol, own in shared(bus, first, second).items() if own != epoch
                }
                assert second.terminate() == 0
            # whoever ends gives its shards back, and they are taken up amid an epoch
            for symbol in moved:
                count = bus.trades(symbol, epoch)
                eventually(
                    partial(flows_after, bus, symbol, epoch, count),
                    f"{symbol} back",
                    timeout=PATIENCE,
                    pause=0.3,
                )
            assert first.terminate() == 0
        for symbol in SYMBOLS:
            rows = bus.rows(symbol)
            epochs_whole(rows)
            assert current(rows) == rows
            bus.whole(symbol, rows)
            starts = _starts(rows)
            assert len(starts) == (3 if symbol in moved else 1)
            for row in starts[1:]:
                before = rows[rows.index(row) - 1]
                assert (row.previous_epoch, row.previous_seq) == (before.epoch, before.seq)
                assert isinstance(before, Status)
                assert before.state == "stopped"


def test_a_process_that_slept_stops_publishing(broker: Broker, prefix: str, tmp_path: Path) -> None:
    with simulated("binance", tmp_path, rate=100, symbols=LISTED) as exchange:
        bus = Controlled(exchange, broker, prefix, "symbol", **SHARED)
        with bus.start() as sleeper:
            epoch = epoch_of(sleeper)
            with bus.start() as heir:
                before = shared(bus, sleeper, heir)
                sleeper.process.send_signal(signal.SIGSTOP)
                mine = [symbol for symbol, own in before.items() if own == epoch]
                alive = epoch_of(heir)
                eventually(
                    partial(all_flow, bus, mine, alive),
                    "trades of the sleeper's symbols",
                    timeout=PATIENCE,
                    pause=0.3,
                )
                sleeper.process.send_signal(signal.SIGCONT)
                sleeper.logged("shards_lost")
                # it joins again, and may have some of them back
                eventually(
                    lambda: sleeper.log().count('"event":"shards_granted"') > 1,
                    "shards for the one that woke",
                    timeout=PATIENCE,
                )
                for symbol in SYMBOLS:
                    count = len(current(bus.rows(symbol)))
                    eventually(
                        partial(_goes_on, bus, symbol, count), f"{symbol} goes on", timeout=PATIENCE
                    )
                assert sleeper.terminate() == 0
                assert heir.terminate() == 0
        for symbol in SYMBOLS:
            rows = bus.rows(symbol)
            epochs_whole(rows)
            bus.whole(symbol, current(rows))


def test_another_number_of_shards_is_refused(broker: Broker, prefix: str, tmp_path: Path) -> None:
    with simulated("binance", tmp_path, symbols=LISTED) as exchange:
        bus = Controlled(exchange, broker, prefix, "symbol", **SHARED)
        with bus.start() as service:
            service.logged("shards_granted")
            with bus.start(COLLECTOR_INGESTOR_SHARDS="4") as other:
                assert other.process.wait(30) == 2
                sentence = other.log().splitlines()[-1]
                assert "expected COLLECTOR_INGESTOR_SHARDS to be the partitions of" in sentence
            assert service.terminate() == 0


def _goes_on(bus: Controlled, symbol: str, count: int) -> bool:
    return len(current(bus.rows(symbol))) > count + 5


def _starts(rows: list[Row]) -> list[Status]:
    return [row for row in rows if isinstance(row, Status) and row.state == "started"]


def _last(rows: list[Row], kind: type[Row]) -> Row:
    return [row for row in rows if isinstance(row, kind)][-1]


def _silence(bus: Controlled, symbols: list[str]) -> float:
    """Return the longest time between a symbol's last row of the dead and its heir's first."""
    found = []
    for symbol in symbols:
        rows = bus.rows(symbol)
        place = rows.index(_starts(rows)[-1])
        times = rows[place - 1].receive_time, rows[place].receive_time
        assert times[0] is not None
        assert times[1] is not None
        found.append((times[1] - times[0]) / 1e6)
    return max(found)
