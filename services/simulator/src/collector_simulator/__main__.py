"""Run the simulated exchanges: ``python -m collector_simulator``."""

from __future__ import annotations

import asyncio
import sys

import msgspec

from collector_runtime.clock import wall_us
from collector_runtime.lifecycle import Supervisor, run
from collector_runtime.logs import configure
from collector_simulator.settings import SimulatorSettings
from collector_simulator.simulator import Simulator

__all__ = ["main"]

_SHUTDOWN_SECONDS = 2.0


async def _serve(supervisor: Supervisor) -> None:
    settings = SimulatorSettings.load()
    configure(settings.log_level, settings.log_format, "simulator")
    simulator = Simulator(settings, wall_us())
    stop = asyncio.Event()
    try:
        urls = await simulator.start()
        sys.stdout.write(msgspec.json.encode(urls).decode() + "\n")
        sys.stdout.flush()
        market = supervisor.start("market", simulator.run(stop), may_end=True)
        await supervisor.stopped()
        stop.set()
        # its failure, if it has one, is the supervisor's to report
        await asyncio.wait([market])
    finally:
        await simulator.stop()


def main() -> int:
    """Run until a signal; return 0, 1 after a failure, or 2 when a setting is wrong."""
    return run(_serve, _SHUTDOWN_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
