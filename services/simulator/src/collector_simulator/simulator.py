"""All simulated exchanges of a process, driven by the wall clock."""

from __future__ import annotations

import asyncio
import random
import zlib
from contextlib import ExitStack
from typing import Any, Final, get_args

from collector_core.errors import SettingsError
from collector_runtime.clock import wall_us
from collector_simulator.control import CHANNELS
from collector_simulator.server import ExchangeServer
from collector_simulator.settings import SimulatorSettings
from collector_testkit.dialects import load
from collector_testkit.dialects.dialect import Dialect, Limits
from collector_testkit.dialects.venue import Venue
from collector_testkit.faults import FaultKind, schedule
from collector_testkit.truth import TruthLog

__all__ = ["Simulator"]

_PERIOD: Final = 0.005
"""Seconds between two steps."""
_LONGEST_STEP: Final = 50_000
"""Microseconds of market that one step covers at most; the rest waits, and shows as lag."""
_PATIENCE: Final = 0.3
"""Seconds that clients have to answer the close at the end."""
_FAULTS_AHEAD: Final = 24 * 3600.0
"""Seconds for which random faults are drawn at the start."""


class Simulator:
    """Runs the exchanges of its settings.

    Args:
        settings: what to simulate.
        start: wall time at the start, in microseconds; the market begins earlier by its preroll.

    Raises:
        SettingsError: the truth log cannot be written.
    """

    def __init__(self, settings: SimulatorSettings, start: int) -> None:
        self._settings = settings
        self._stack = ExitStack()
        self._truth: TruthLog | None = None
        if settings.simulator_truth_log is not None:
            try:
                log = TruthLog(settings.simulator_truth_log)
            except OSError as error:
                raise SettingsError(f"expected a truth log to write to, was {error}") from error
            self._truth = self._stack.enter_context(log)
        self.servers = {name: self._server(name, start) for name in settings.exchanges()}

    async def start(self) -> dict[str, Any]:
        """Listen; return the URLs by exchange.

        Raises:
            SettingsError: a port is taken.
        """
        for name, server in self.servers.items():
            port = self._settings.port(name)
            try:
                await server.start(self._settings.simulator_host, port)
            except OSError as error:
                text = f"expected a free port for {name}, was {port}: {error}"
                raise SettingsError(text) from error
        return {name: server.urls for name, server in self.servers.items()}

    async def run(self, stop: asyncio.Event) -> None:
        """Drive the exchanges until ``stop`` is set."""
        while not stop.is_set():
            now = wall_us()
            behind = False
            for server in self.servers.values():
                to = min(now, server.venue.now + _LONGEST_STEP)
                behind |= to < now
                server.step(to)
            await asyncio.sleep(0 if behind else _PERIOD)

    async def stop(self) -> None:
        """Close connections, sockets and the truth log, within a second."""
        await asyncio.gather(*(server.stop(_PATIENCE) for server in self.servers.values()))
        self._stack.close()

    def _server(self, name: str, start: int) -> ExchangeServer:
        settings = self._settings
        # one seed an exchange, so that the same one trades alike whoever stands beside it
        seed = (settings.simulator_seed << 32) | zlib.crc32(name.encode())
        generator = random.Random(seed)  # noqa: S311 - repeatable, no secret
        venue = Venue(
            load(name),
            generator,
            start - int(settings.simulator_preroll * 1e6),
            symbols=settings.symbols(name),
            rate=min(settings.simulator_rate, settings.simulator_preroll_rate),
            taker_share=settings.simulator_taker_share,
            limits=Limits(
                max_age=settings.simulator_max_age,
                idle=settings.simulator_idle,
                weight=settings.simulator_weight,
                messages=settings.simulator_messages,
                attempts=settings.attempts(),
                connections=settings.simulator_connections,
            ),
            truth=None if self._truth is None else self._truth.write,
            still=_further(load(name), settings.listed(name)),
        )
        venue.advance(start)
        venue.market.set_rate(settings.simulator_rate)
        if settings.simulator_faults_per_minute:
            known: tuple[FaultKind, ...] = get_args(FaultKind)
            chosen = settings.simulator_fault_kinds
            kinds = [kind for kind in known if kind in chosen or not chosen]
            per_minute = settings.simulator_faults_per_minute
            symbols = venue.market.trading
            plan = schedule(generator, start, _FAULTS_AHEAD, per_minute, kinds, symbols, CHANNELS)
            venue.faults.extend(plan)
        return ExchangeServer(venue, compression=settings.simulator_compression)


def _further(dialect: type[Dialect], count: int) -> list[str]:
    """Return so many made-up symbols, in all quote currencies of an exchange."""
    quotes = list(dialect.quotes)
    return [f"N{number:05}/{quotes[number % len(quotes)]}" for number in range(count)]
