"""Every metric that a service exports, and how plain counters become samples when scraped.

On the hot path a counter is an int in a slot of whoever counts. Owners hand a *source* to the
``Exporter``: a function that yields samples of those ints, called at each scrape and only then.
``schemas/metrics.yaml`` is generated from ``DEFINITIONS``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal, NamedTuple, TypeAlias

import msgspec
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from collector_runtime.latency import Latency

__all__ = [
    "ABORTS",
    "AUDITS",
    "BACKFILLED",
    "BOOKS",
    "BREAKER",
    "BREAKER_OPENED",
    "BUDGET_ALLOWED",
    "BUDGET_LOCAL",
    "BUDGET_OTHERS",
    "BUDGET_SPENT",
    "BUDGET_THROTTLES",
    "BUDGET_WAITING",
    "BUDGET_WINDOW",
    "COMMITS",
    "CONNECTIONS",
    "DEFINITIONS",
    "DELIVERED",
    "DOUBLES",
    "FOREIGN",
    "FRAMES",
    "FRAME_BYTES",
    "GAPS",
    "HELD",
    "LATENCY",
    "LATE_TRADES",
    "LOOP_LAG",
    "MISMATCHES",
    "MISSING",
    "PARSE",
    "PAUSES",
    "QUEUE",
    "RECONNECTS",
    "REQUESTS",
    "RESTORE_SECONDS",
    "RESYNCS",
    "ROWS",
    "ROWS_IN",
    "ROWS_OUT",
    "SHARDS",
    "SKEW",
    "STALE",
    "STATUS_ROWS",
    "STREAMS",
    "UNDECODABLE",
    "Definition",
    "Exporter",
    "Latency",
    "Sample",
    "Source",
]

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]


class Sample(NamedTuple):
    """A value of a metric at one place."""

    definition: Definition
    labels: tuple[str, ...]
    value: float | Latency


Source: TypeAlias = Callable[[], Iterable[Sample]]
"""Called at each scrape; yields what its owner counted so far."""


class Definition(msgspec.Struct, frozen=True):
    """A metric; base units are seconds, bytes and rows."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...]
    services: tuple[str, ...]

    def sample(self, value: float | Latency, *labels: str) -> Sample:
        """Return a sample; ``labels`` are the values in the order of the definition.

        Raises:
            ValueError: another number of labels, or a histogram without ``Latency``.
        """
        if len(labels) != len(self.labels):
            raise ValueError(f"expected labels {self.labels} for {self.name}, was {labels}")
        if isinstance(value, Latency) != (self.kind == "histogram"):
            raise ValueError(f"expected a {self.kind} for {self.name}, was {value!r}")
        return Sample(self, labels, value)


_INGESTOR: Final = ("ingestor",)
_INDICATOR: Final = ("indicator",)
_ALL: Final = ("ingestor", "indicator", "simulator")


def _counter(
    name: str, text: str, labels: tuple[str, ...], services: tuple[str, ...]
) -> Definition:
    return Definition(f"collector_{name}_total", "counter", text, labels, services)


def _gauge(name: str, text: str, labels: tuple[str, ...], services: tuple[str, ...]) -> Definition:
    return Definition(f"collector_{name}", "gauge", text, labels, services)


def _histogram(
    name: str, text: str, labels: tuple[str, ...], services: tuple[str, ...]
) -> Definition:
    return Definition(f"collector_{name}", "histogram", text, labels, services)


_EXCHANGE: Final = ("exchange",)
_STREAM: Final = ("exchange", "channel")
_BUDGET: Final = ("exchange", "budget")
_ENDPOINT: Final = ("exchange", "endpoint")

FRAMES: Final = _counter(
    "frames", "Frames received from the exchange, by what they carry first.", _STREAM, _INGESTOR
)
FRAME_BYTES: Final = _counter("frame_bytes", "Bytes of those frames.", _STREAM, _INGESTOR)
PARSE: Final = _histogram(
    "parse_seconds", "From a frame to its rows; one frame in 127 is timed.", _STREAM, _INGESTOR
)
UNDECODABLE: Final = _counter(
    "undecodable_frames", "Frames that went to the dead-letter topic.", _EXCHANGE, _INGESTOR
)
ROWS: Final = _counter("rows", "Rows given to the producer.", _STREAM, _INGESTOR)
GAPS: Final = _counter("gaps", "Gap rows: something was lost.", _STREAM, _INGESTOR)
RESYNCS: Final = _counter(
    "resyncs", "Books taken anew because they were in doubt.", _STREAM, _INGESTOR
)
STATUS_ROWS: Final = _counter(
    "status_rows", "Rows that tell how a stream is.", ("exchange", "channel", "state"), _INGESTOR
)
DOUBLES: Final = _counter(
    "doubled_trades", "Trades dropped as doubles of others.", _EXCHANGE, _INGESTOR
)
MISSING: Final = _counter(
    "missing_trades", "Trades that gap rows count and no history gave back.", _EXCHANGE, _INGESTOR
)
BACKFILLED: Final = _counter("backfilled_rows", "Rows taken from the history.", _STREAM, _INGESTOR)
FOREIGN: Final = _counter(
    "foreign_rows", "Late rows of streams that were closed, dropped.", _EXCHANGE, _INGESTOR
)
STREAMS: Final = _gauge("streams", "Streams that are open.", _STREAM, _INGESTOR)
STALE: Final = _gauge(
    "stale_streams", "Streams that are silent for longer than they ever were.", _EXCHANGE, _INGESTOR
)
BOOKS: Final = _gauge(
    "books", "Books by their state: empty, syncing, live.", ("exchange", "state"), _INGESTOR
)
HELD: Final = _gauge(
    "held_rows", "Live rows that wait for a history or a snapshot.", _STREAM, _INGESTOR
)
AUDITS: Final = _counter(
    "audits", "Comparisons with REST, by how they ended.", ("exchange", "outcome"), _INGESTOR
)
MISMATCHES: Final = _counter(
    "audit_mismatches", "Comparisons that found a difference.", _EXCHANGE, _INGESTOR
)
SKEW: Final = _gauge(
    "exchange_clock_skew_seconds",
    "The exchange's clock less ours, of the event that travelled fastest.",
    _EXCHANGE,
    _INGESTOR,
)
CONNECTIONS: Final = _gauge("connections", "Sockets that are open.", _EXCHANGE, _INGESTOR)
RECONNECTS: Final = _counter(
    "reconnects", "Sockets that ended, by why.", ("exchange", "reason"), _INGESTOR
)
PAUSES: Final = _counter(
    "reading_pauses", "Times that a slow broker stopped reading.", _EXCHANGE, _INGESTOR
)
REQUESTS: Final = _counter(
    "requests", "REST requests, by how they ended.", ("exchange", "outcome"), _INGESTOR
)
BUDGET_SPENT: Final = _counter(
    "budget_spent", "Weight granted: of REST requests, of connection attempts.", _BUDGET, _INGESTOR
)
BUDGET_ALLOWED: Final = _gauge(
    "budget_allowed", "Weight that we may spend in one window of the exchange.", _BUDGET, _INGESTOR
)
BUDGET_WINDOW: Final = _gauge("budget_window_seconds", "Length of that window.", _BUDGET, _INGESTOR)
BUDGET_OTHERS: Final = _gauge(
    "budget_others", "Weight in a window that others behind our address use.", _BUDGET, _INGESTOR
)
BUDGET_WAITING: Final = _gauge(
    "budget_waiting", "Requests and attempts that wait for weight.", _BUDGET, _INGESTOR
)
BUDGET_THROTTLES: Final = _counter(
    "budget_throttles", "Refusals of the exchange that shrank the budget.", _BUDGET, _INGESTOR
)
BUDGET_LOCAL: Final = _counter(
    "budget_fallbacks", "Times that the shared budget was lost.", _BUDGET, _INGESTOR
)
BREAKER: Final = _gauge(
    "breaker_state",
    "The worst of the endpoints' circuits: 0 closed, 1 half open, 2 open.",
    _ENDPOINT,
    _INGESTOR,
)
BREAKER_OPENED: Final = _counter(
    "breaker_openings", "Times that a circuit opened.", _ENDPOINT, _INGESTOR
)
QUEUE: Final = _gauge("producer_queue_rows", "Rows that wait for the broker.", _EXCHANGE, _INGESTOR)
DELIVERED: Final = _counter(
    "delivered_rows", "Rows that the broker acknowledged.", _EXCHANGE, _INGESTOR
)
LATENCY: Final = _histogram(
    "receive_to_produce_seconds",
    "From the receive time of a frame to its rows in the producer's queue; "
    "of the last frame of each batch that the socket held.",
    _STREAM,
    _INGESTOR,
)
ROWS_IN: Final = _counter("indicator_rows_in", "Rows read.", ("input",), _INDICATOR)
ROWS_OUT: Final = _counter("indicator_rows_out", "Rows published.", ("channel",), _INDICATOR)
COMMITS: Final = _counter("indicator_commits", "Transactions committed.", (), _INDICATOR)
ABORTS: Final = _counter("indicator_aborts", "Transactions given up.", (), _INDICATOR)
RESTORE_SECONDS: Final = _gauge(
    "indicator_restore_seconds", "Length of the last restore of a shard.", ("shard",), _INDICATOR
)
SHARDS: Final = _gauge("indicator_shards", "Shards held.", (), _INDICATOR)
LATE_TRADES: Final = _counter(
    "indicator_late_trades",
    "Trades older than the horizon of revisions.",
    ("exchange",),
    _INDICATOR,
)
LOOP_LAG: Final = _gauge(
    "event_loop_lag_seconds", "By how much the event loop's last turn was late.", (), _ALL
)

DEFINITIONS: Final = (
    FRAMES,
    FRAME_BYTES,
    PARSE,
    UNDECODABLE,
    ROWS,
    GAPS,
    RESYNCS,
    STATUS_ROWS,
    DOUBLES,
    MISSING,
    BACKFILLED,
    FOREIGN,
    STREAMS,
    STALE,
    BOOKS,
    HELD,
    AUDITS,
    MISMATCHES,
    SKEW,
    CONNECTIONS,
    RECONNECTS,
    PAUSES,
    REQUESTS,
    BUDGET_SPENT,
    BUDGET_ALLOWED,
    BUDGET_WINDOW,
    BUDGET_OTHERS,
    BUDGET_WAITING,
    BUDGET_THROTTLES,
    BUDGET_LOCAL,
    BREAKER,
    BREAKER_OPENED,
    QUEUE,
    DELIVERED,
    LATENCY,
    ROWS_IN,
    ROWS_OUT,
    COMMITS,
    ABORTS,
    RESTORE_SECONDS,
    SHARDS,
    LATE_TRADES,
    LOOP_LAG,
)
"""Every metric there is."""

_Key: TypeAlias = tuple[Definition, tuple[str, ...]]


class Exporter(Collector):
    """Asks the sources at each scrape; equal labels of several sources add up."""

    def __init__(self) -> None:
        self._sources: list[Source] = []
        # counts of sources that are gone, for a counter must never fall
        self._kept: dict[_Key, float | Latency] = {}

    def add(self, source: Source) -> None:
        """Ask ``source`` at each scrape from now on."""
        self._sources.append(source)

    def remove(self, source: Source) -> None:
        """Ask ``source`` a last time; its counts stay, its gauges go."""
        self._sources.remove(source)
        for sample in source():
            if sample.definition.kind != "gauge":
                _add(self._kept, sample)

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of which there are samples."""
        sums: dict[_Key, float | Latency] = {}
        for (definition, labels), value in self._kept.items():
            _add(sums, Sample(definition, labels, value))
        for source in self._sources:
            for sample in source():
                _add(sums, sample)
        by_definition: dict[Definition, list[tuple[tuple[str, ...], float | Latency]]] = {}
        for (definition, labels), value in sums.items():
            by_definition.setdefault(definition, []).append((labels, value))
        for definition, samples in by_definition.items():
            yield _family(definition, samples)


def _add(sums: dict[_Key, float | Latency], sample: Sample) -> None:
    key = sample.definition, sample.labels
    value = sample.value
    held = sums.get(key)
    if isinstance(value, Latency):
        merged = Latency()
        merged.add(value)
        if isinstance(held, Latency):
            merged.add(held)
        sums[key] = merged
    else:
        sums[key] = value + (held if isinstance(held, float | int) else 0)


def _family(
    definition: Definition, samples: Iterable[tuple[tuple[str, ...], float | Latency]]
) -> Metric:
    name, text, labels = definition.name, definition.help, definition.labels
    if definition.kind == "histogram":
        histogram = HistogramMetricFamily(name, text, labels=labels)
        for values, latency in samples:
            if isinstance(latency, Latency):
                histogram.add_metric(values, latency.buckets(), latency.total / 1e6)
        return histogram
    family = (
        CounterMetricFamily(name, text, labels=labels)
        if definition.kind == "counter"
        else GaugeMetricFamily(name, text, labels=labels)
    )
    for values, value in samples:
        if not isinstance(value, Latency):
            family.add_metric(values, value)
    return family
