"""The ingestor's metrics, read from its plain counters when they are scraped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from collector_ingestor.connection import Connection
from collector_ingestor.ingestor import Ingestor
from collector_runtime import metrics
from collector_runtime.metrics import Sample

__all__ = ["Measures"]


class Measures:
    """A source of samples for one ingestor; never one per symbol."""

    def __init__(self, ingestor: Ingestor) -> None:
        self._ingestor = ingestor
        self._exchange = ingestor.exchange

    def __call__(self) -> Iterator[Sample]:
        """Yield what has been counted so far."""
        for connection in self._ingestor.connections:
            yield from self._of_connection(connection)
        rows: Counter[str] = Counter()
        for stream in self._ingestor.numbering.streams():
            rows[stream.channel] += stream.seq
        for channel, count in rows.items():
            yield metrics.ROWS.sample(count, self._exchange, channel)
        publisher = self._ingestor.publisher
        if publisher is not None:
            backlog = publisher.backlog()
            yield metrics.QUEUE.sample(backlog, self._exchange)
            yield metrics.DELIVERED.sample(publisher.rows - backlog, self._exchange)
        for outcome, count in self._ingestor.fetcher.outcomes.items():
            yield metrics.REQUESTS.sample(count, self._exchange, outcome)

    def _of_connection(self, connection: Connection) -> Iterator[Sample]:
        counters = connection.counters
        exchange = self._exchange
        yield metrics.FRAMES.sample(counters.frames, exchange)
        yield metrics.FRAME_BYTES.sample(counters.bytes, exchange)
        yield metrics.UNDECODABLE.sample(counters.undecodable, exchange)
        yield metrics.PAUSES.sample(counters.pauses, exchange)
        yield metrics.LATENCY.sample(counters.latency, exchange)
        yield metrics.CONNECTIONS.sample(int(connection.connected), exchange)
        for cause, count in connection.session.losses.items():
            yield metrics.RECONNECTS.sample(count, exchange, cause)
        pipeline = connection.session.pipeline
        gaps = sum(stream.gaps for _, stream in pipeline.trades())
        yield metrics.GAPS.sample(gaps, exchange, "trade")
        books = [book for _, book in pipeline.books()]
        yield metrics.GAPS.sample(sum(book.gaps for book in books), exchange, "book")
        yield metrics.RESYNCS.sample(sum(book.resyncs for book in books), exchange, "book")
