"""The ingestor's metrics, read from plain counters when they are scraped; never one per symbol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from collector_feed.breaker import BreakerState
from collector_feed.spec import Rate
from collector_ingestor.connection import Connection
from collector_ingestor.gate import Gate
from collector_ingestor.ingestor import Ingestor
from collector_runtime import metrics
from collector_runtime.clock import monotonic
from collector_runtime.metrics import Definition, Sample

__all__ = ["Measures"]

_Key: TypeAlias = tuple[str, Definition, tuple[str, ...]]
# by how bad they are: an endpoint of several circuits shows the worst
_WORSE: Final[dict[BreakerState, int]] = {"closed": 0, "half_open": 1, "open": 2}


class Measures:
    """A source of samples for one ingestor.

    Args:
        ingestor: whose counters are read.
        clock: monotonic seconds.
    """

    def __init__(self, ingestor: Ingestor, clock: Callable[[], float] = monotonic) -> None:
        self._ingestor = ingestor
        self._exchange = ingestor.exchange
        self._clock = clock
        # what each part showed at the last scrape and shows at this one
        self._before: dict[_Key, int] = {}
        self._now: dict[_Key, int] = {}
        # sums of what came on top between two scrapes
        self._totals: dict[_Key, int] = {}

    def __call__(self) -> Iterator[Sample]:
        """Yield what has been counted so far."""
        ingestor, exchange = self._ingestor, self._exchange
        self._before, self._now = self._now, {}
        for connection in ingestor.connections:
            yield from self._of_frames(connection)
            yield from self._of_integrity(connection)
        for (_, definition, labels), total in self._totals.items():
            yield definition.sample(total, *labels)
        yield from self._of_clocks()
        yield from self._of_rows()
        for outcome, count in ingestor.fetcher.outcomes.items():
            yield metrics.REQUESTS.sample(count, exchange, outcome)
        access = ingestor.access
        spec = ingestor.spec
        yield from self._of_gate(access.requests, "requests", "rest", spec.request_weight)
        yield from self._of_gate(access.attempts, "attempts", "websocket", spec.connection_attempts)

    def _note(self, source: str, definition: Definition, value: int, *labels: str) -> None:
        """Take the value of a counter whose parts may go, with their counts, but not come back.

        A stream that is closed and a connection that is replaced take their counters with them;
        what these had counted at the last scrape stays.
        """
        key = source, definition, labels
        self._now[key] = value
        gained = max(0, value - self._before.get(key, 0))
        self._totals[key] = self._totals.get(key, 0) + gained

    # --- connections -------------------------------------------------------------------------

    def _of_frames(self, connection: Connection) -> Iterator[Sample]:
        counters, exchange = connection.counters, self._exchange
        for channel, tally in counters.by_channel.items():
            yield metrics.FRAMES.sample(tally.frames, exchange, channel)
            yield metrics.FRAME_BYTES.sample(tally.bytes, exchange, channel)
            yield metrics.PARSE.sample(tally.parse, exchange, channel)
            yield metrics.LATENCY.sample(tally.latency, exchange, channel)
        yield metrics.UNDECODABLE.sample(counters.undecodable, exchange)
        yield metrics.PAUSES.sample(counters.pauses, exchange)
        yield metrics.CONNECTIONS.sample(int(connection.connected), exchange)
        for cause, count in connection.session.losses.items():
            self._note(connection.name, metrics.RECONNECTS, count, exchange, cause)

    def _of_integrity(self, connection: Connection) -> Iterator[Sample]:
        exchange, name = self._exchange, connection.name
        pipeline, streams = connection.session.pipeline, connection.session.streams
        trades = [stream for _, stream in pipeline.trades()]
        books = [book for _, book in pipeline.books()]
        filled = sum(stream.filled for stream in trades)
        candles = pipeline.candles.filled
        audit = streams.audit
        for definition, count, *labels in (
            (metrics.RESYNCS, sum(book.resyncs for book in books), "book"),
            (metrics.DOUBLES, sum(stream.doubles for stream in trades)),
            (metrics.MISSING, sum(stream.lost for stream in trades)),
            (metrics.BACKFILLED, filled, "trade"),
            (metrics.BACKFILLED, candles, "candle"),
            (metrics.FOREIGN, pipeline.foreign),
            (metrics.AUDITS, audit.done, "conclusive"),
            (metrics.AUDITS, audit.inconclusive, "inconclusive"),
            (metrics.MISMATCHES, audit.mismatches),
        ):
            self._note(name, definition, count, exchange, *labels)
        yield metrics.STALE.sample(streams.quiet.stale(), exchange)
        for state in ("empty", "syncing", "live"):
            yield metrics.BOOKS.sample(sum(b.state == state for b in books), exchange, state)
        held = sum(len(stream.filling.held) for stream in trades if stream.filling is not None)
        yield metrics.HELD.sample(held, exchange, "trade")
        yield metrics.HELD.sample(sum(book.held for book in books), exchange, "book")

    def _of_clocks(self) -> Iterator[Sample]:
        skews = [c.session.vitals.skew() for c in self._ingestor.connections]
        known = [skew for skew in skews if skew is not None]
        if known:
            yield metrics.SKEW.sample(max(known) / 1e6, self._exchange)

    # --- rows --------------------------------------------------------------------------------

    def _of_rows(self) -> Iterator[Sample]:
        ingestor, exchange = self._ingestor, self._exchange
        rows: Counter[str] = Counter()
        for channel, count in ingestor.numbering.counts():
            rows[channel] += count
        for channel, count in rows.items():
            yield metrics.ROWS.sample(count, exchange, channel)
        opened = Counter(stream.channel for stream in ingestor.numbering.streams())
        for channel, count in opened.items():
            yield metrics.STREAMS.sample(count, exchange, channel)
        publisher = ingestor.publisher
        if publisher is None:
            return
        for (channel, state), count in publisher.statuses.items():
            yield metrics.STATUS_ROWS.sample(count, exchange, channel, state)
            if state == "gap":
                yield metrics.GAPS.sample(count, exchange, channel)
        yield metrics.FOREIGN.sample(publisher.foreign, exchange)
        backlog = publisher.backlog()
        yield metrics.QUEUE.sample(backlog, exchange)
        yield metrics.DELIVERED.sample(publisher.rows - backlog, exchange)

    # --- what may be asked of the exchange -------------------------------------------------------

    def _of_gate(self, gate: Gate, name: str, endpoint: str, limit: Rate) -> Iterator[Sample]:
        exchange, now = self._exchange, self._clock()
        budget = gate.allowance.budget
        yield metrics.BUDGET_SPENT.sample(budget.granted, exchange, name)
        yield metrics.BUDGET_ALLOWED.sample(budget.allowed(now), exchange, name)
        yield metrics.BUDGET_WINDOW.sample(limit.seconds, exchange, name)
        yield metrics.BUDGET_OTHERS.sample(budget.others(now), exchange, name)
        yield metrics.BUDGET_WAITING.sample(gate.waiting, exchange, name)
        yield metrics.BUDGET_THROTTLES.sample(budget.throttles, exchange, name)
        yield metrics.BUDGET_LOCAL.sample(gate.allowance.losses, exchange, name)
        breakers = gate.breakers.values()
        worst = max((_WORSE[breaker.state(now)] for breaker in breakers), default=0)
        yield metrics.BREAKER.sample(worst, exchange, endpoint)
        openings = sum(breaker.entered["open"] for breaker in breakers)
        yield metrics.BREAKER_OPENED.sample(openings, exchange, endpoint)
