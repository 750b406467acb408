"""``python -m collector_indicator``: bars and indicators from trades and candles."""

from __future__ import annotations

import asyncio
import signal
import sys

import structlog

from collector_core.errors import SettingsError
from collector_indicator.settings import IndicatorSettings
from collector_indicator.worker import Worker
from collector_runtime import lifecycle, logs
from collector_runtime.health import Health
from collector_runtime.lifecycle import Supervisor
from collector_runtime.metrics import Exporter

__all__ = ["main"]


def main() -> int:
    """Run the service to its end and return the exit code."""
    try:
        settings = IndicatorSettings.load()
        worker = Worker(settings)
    except SettingsError as error:
        lifecycle.print_failure(error, sys.stderr)
        return lifecycle.SETTINGS
    logs.configure(settings.log_level, settings.log_format, "indicator")

    async def serve(supervisor: Supervisor) -> None:
        exporter = Exporter()
        exporter.add(worker.counters.samples)
        health = Health(exporter, settings.health_host, settings.health_port)
        health.check("shards", worker.readiness)
        async with health:
            structlog.get_logger("collector.indicator").info("started", health_port=health.port)
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, worker.reload)
            working = supervisor.start("worker", asyncio.to_thread(worker.run))
            await supervisor.stopped()
            worker.stop()
            await asyncio.wait([working])

    return lifecycle.run(serve)


if __name__ == "__main__":
    sys.exit(main())
