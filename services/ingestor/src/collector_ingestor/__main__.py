"""``python -m collector_ingestor``: one exchange's market data to Kafka."""

from __future__ import annotations

import asyncio
import sys

from collector_core.errors import SettingsError
from collector_exchanges.discovery import adapter
from collector_ingestor.control import ControlFollower
from collector_ingestor.ingestor import Ingestor
from collector_ingestor.measures import Measures
from collector_ingestor.settings import IngestorSettings
from collector_ingestor.sharing import Sharing
from collector_runtime.health import Health
from collector_runtime.lifecycle import SETTINGS, Supervisor, print_failure, run
from collector_runtime.logs import configure
from collector_runtime.metrics import Exporter

__all__ = ["main"]


async def serve(settings: IngestorSettings, supervisor: Supervisor) -> None:
    """Run an ingestor until it is asked to end.

    Raises:
        CollectorError: it cannot start, or the last rows could not be delivered.
    """
    ingestor = Ingestor(settings, adapter(settings.exchange))
    exporter = Exporter()
    exporter.add(Measures(ingestor))
    changing: list[asyncio.Task[None]] = []
    control = ControlFollower(ingestor, settings.topics().control)
    sharing = Sharing(ingestor) if settings.ingestor_shards > 1 else None
    async with Health(exporter, settings.health_host, settings.health_port) as health:
        health.check("exchange", ingestor.not_connected)
        health.check("kafka", ingestor.not_delivering)
        if sharing is not None:
            health.check("shards", sharing.not_joined)
        try:
            await ingestor.start()
            await control.load()
            if sharing is not None:
                await sharing.join()
                supervisor.start("leases", sharing.run())
            else:
                await ingestor.reconcile()
            supervisor.start("deadlines", ingestor.run())
            looking = ingestor.listing_watch.run(settings.listings_every, ingestor.relist)
            changing += [
                supervisor.start("streams", ingestor.follow()),
                supervisor.start("control", control.run()),
                supervisor.start("listings", looking),
            ]
            await supervisor.stopped()
        finally:
            # nothing is opened or asked for any more
            for task in changing:
                task.cancel()
            await asyncio.gather(*changing, return_exceptions=True)
            try:
                await ingestor.stop()
            finally:
                if sharing is not None:
                    await sharing.leave()
                await control.close()


def main() -> int:
    """Read the settings and run; return the exit code."""
    try:
        settings = IngestorSettings.load()
    except SettingsError as error:
        print_failure(error, sys.stderr)
        return SETTINGS
    configure(settings.log_level, settings.log_format, "ingestor")
    return run(lambda supervisor: serve(settings, supervisor))


if __name__ == "__main__":
    sys.exit(main())
