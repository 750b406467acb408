"""Run the simulated exchanges: ``python -m collector_simulator``."""

from __future__ import annotations

import asyncio
import signal
import sys

import msgspec
import uvloop

from collector_core.errors import CollectorError
from collector_runtime.clock import wall_us
from collector_runtime.logs import configure
from collector_simulator.settings import SimulatorSettings
from collector_simulator.simulator import Simulator

__all__ = ["main"]


async def _run(settings: SimulatorSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    simulator = Simulator(settings, wall_us())
    try:
        urls = await simulator.start()
        sys.stdout.write(msgspec.json.encode(urls).decode() + "\n")
        sys.stdout.flush()
        await simulator.run(stop)
    finally:
        await simulator.stop()


def main() -> int:
    """Run until SIGTERM or SIGINT; return 0, or 2 when a setting is wrong."""
    try:
        settings = SimulatorSettings.load()
        configure(settings.log_level, settings.log_format, "simulator")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(settings))
    except CollectorError as error:
        sys.stderr.write(f"collector-simulator: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
