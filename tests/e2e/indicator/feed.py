"""Input that goes on while a test does something else."""

from __future__ import annotations

import threading

from collector_core.events import Event

from .bus import Bus
from .market import Market

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
