"""The acceptance of exactly once: killed at random points, equal to the last byte."""

from __future__ import annotations

import threading
from functools import partial
from random import Random

import pytest

from collector_core.events import Event

from .bus import Bus, Process, count, eventually, offline
from .conftest import MakeBus
from .market import Market
from .scenario import CALCULATIONS, OPTIONS, markets_of, open_all

pytestmark = [pytest.mark.broker, pytest.mark.e2e]

SYMBOLS = [f"{base}/USDT" for base in ("BTC", "ETH", "XRP", "SOL", "ADA", "DOGE")]
KILLS = 20
SLOTS = 2
ROWS_A_TURN = 10
"""Rows of each symbol that the input grows by at once."""


class Feed(threading.Thread):
    """Writes the same rows to several installations until it is told to stop."""

    def __init__(self, buses: list[Bus], markets: list[Market]) -> None:
        super().__init__(name="feed")
        self.stopping = threading.Event()
        self.failure: BaseException | None = None
        self._buses = buses
        self._markets = markets

    def run(self) -> None:
        try:
            while not self.stopping.wait(0.05):
                rows: list[tuple[str, Event]] = []
                for market in self._markets:
                    rows += market.rows(ROWS_A_TURN)
                for bus in self._buses:
                    bus.write(rows)
        except BaseException as error:  # noqa: BLE001  # raised again by the test
            self.failure = error

    def finish(self) -> None:
        self.stopping.set()
        self.join(30)
        if self.failure is not None:
            raise self.failure


def test_twenty_kills_change_no_byte(make_bus: MakeBus) -> None:
    random = Random(20)
    # transactions all the time, so that many a kill hits one
    eager = OPTIONS | {"COLLECTOR_TICK": "0.01", "COLLECTOR_CHECKPOINT": "0"}
    killed, undisturbed = make_bus(**eager), make_bus(**OPTIONS)
    for bus in (killed, undisturbed):
        open_all(bus, SYMBOLS)
    feed = Feed([killed, undisturbed], markets_of(SYMBOLS))
    feed.start()
    processes: list[Process] = [killed.start(slot) for slot in range(SLOTS)]
    try:
        published = 0
        for _ in range(KILLS):
            # some rows must have come since the last kill, or it would hit nothing
            more = partial(rows_above, killed, above=published)
            published = eventually(more, 30, "rows between kills")
            feed.stopping.wait(random.uniform(0, 1.5))
            slot = random.randrange(SLOTS)
            processes[slot].child.kill()
            processes[slot].child.stop()
            processes[slot] = killed.start(slot)
        feed.finish()
        expected = offline(killed, "binance", SYMBOLS, CALCULATIONS)
        wanted = count(expected)
        eventually(
            lambda: killed.published("binance", SYMBOLS) >= wanted, 30, f"{wanted} rows published"
        )
        for process in processes:
            process.end()
    finally:
        feed.stopping.set()
        for process in processes:
            process.child.stop()
    with undisturbed.process() as alone:
        eventually(
            lambda: undisturbed.published("binance", SYMBOLS) >= wanted, 30, f"{wanted} rows again"
        )
        alone.end()
    assert expected == killed.outputs("binance", SYMBOLS)
    assert expected == undisturbed.outputs("binance", SYMBOLS)


def rows_above(bus: Bus, *, above: int) -> int:
    """Return how many rows of the first symbols are on the bus if that is more than ``above``."""
    found = bus.published("binance", SYMBOLS[:2])
    return found if found > above else 0
