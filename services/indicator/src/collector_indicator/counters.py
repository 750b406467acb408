"""What a process counts; plain numbers, read by the metrics server's thread at each scrape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from collector_runtime import metrics
from collector_runtime.metrics import Sample

__all__ = ["Counters"]


class Counters:
    """Counts since the start of the process."""

    def __init__(self) -> None:
        # rows read, by channel
        self.rows_in: Counter[str] = Counter()
        # rows committed, by channel
        self.rows_out: Counter[str] = Counter()
        # transactions committed, and given up
        self.commits = 0
        self.aborts = 0
        # seconds of the last restore of each shard held
        self.restores: dict[int, float] = {}
        # rows beyond the horizon, by exchange
        self.late: Counter[str] = Counter()

    def samples(self) -> Iterator[Sample]:
        """Yield the samples of all metrics."""
        for channel, count in list(self.rows_in.items()):
            yield metrics.ROWS_IN.sample(count, channel)
        for channel, count in list(self.rows_out.items()):
            yield metrics.ROWS_OUT.sample(count, channel)
        for exchange, count in list(self.late.items()):
            yield metrics.LATE_TRADES.sample(count, exchange)
        restores = list(self.restores.items())
        for shard, seconds in restores:
            yield metrics.RESTORE_SECONDS.sample(seconds, str(shard))
        yield metrics.SHARDS.sample(len(restores))
        yield metrics.COMMITS.sample(self.commits)
        yield metrics.ABORTS.sample(self.aborts)
