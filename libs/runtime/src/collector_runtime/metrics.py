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

__all__ = [
    "ABORTS",
    "COMMITS",
    "CONNECTIONS",
    "DEFINITIONS",
    "DELIVERED",
    "FRAMES",
    "FRAME_BYTES",
    "GAPS",
    "LATENCY",
    "LATE_TRADES",
    "LOOP_LAG",
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
    "UNDECODABLE",
    "Definition",
    "Exporter",
    "Latency",
    "Sample",
    "Source",
]

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]


class Latency:
    """A histogram of microseconds in powers of two; an observation is one index into a list."""

    __slots__ = ("counts", "total")

    BUCKETS: Final = 25
    """The last bound is 2**24 us, 17 s; what is longer falls beyond it."""

    def __init__(self) -> None:
        # observations below 2**i us, and not below 2**(i - 1)
        self.counts = [0] * (self.BUCKETS + 1)
        # sum of all, in microseconds
        self.total = 0

    def observe(self, microseconds: int) -> None:
        """Count one; a negative time (the wall clock jumped back) counts as zero."""
        if microseconds < 0:
            microseconds = 0
        self.total += microseconds
        place = microseconds.bit_length()
        self.counts[place if place < self.BUCKETS else self.BUCKETS] += 1

    def add(self, other: Latency) -> None:
        """Count all that ``other`` counted."""
        self.total += other.total
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]

    def buckets(self) -> list[tuple[str, float]]:
        """Return Prometheus' buckets: upper bounds in seconds, and counts up to each."""
        result: list[tuple[str, float]] = []
        seen = 0
        for place, count in enumerate(self.counts):
            seen += count
            bound = "+Inf" if place == self.BUCKETS else repr(2**place / 1e6)
            result.append((bound, seen))
        return result


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


_EXCHANGE: Final = ("exchange",)
_STREAM: Final = ("exchange", "channel")

FRAMES: Final = _counter("frames", "Frames received from the exchange.", _EXCHANGE, _INGESTOR)
FRAME_BYTES: Final = _counter("frame_bytes", "Bytes of those frames.", _EXCHANGE, _INGESTOR)
UNDECODABLE: Final = _counter(
    "undecodable_frames", "Frames that went to the dead-letter topic.", _EXCHANGE, _INGESTOR
)
ROWS: Final = _counter("rows", "Rows given to the producer.", _STREAM, _INGESTOR)
GAPS: Final = _counter("gaps", "Gap rows: something was lost.", _STREAM, _INGESTOR)
RESYNCS: Final = _counter("resyncs", "Books taken anew.", _STREAM, _INGESTOR)
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
QUEUE: Final = _gauge("producer_queue_rows", "Rows that wait for the broker.", _EXCHANGE, _INGESTOR)
DELIVERED: Final = _counter(
    "delivered_rows", "Rows that the broker acknowledged.", _EXCHANGE, _INGESTOR
)
LATENCY: Final = Definition(
    "collector_receive_to_produce_seconds",
    "histogram",
    "From the receive time of a frame to its rows in the producer's queue.",
    _EXCHANGE,
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
    UNDECODABLE,
    ROWS,
    GAPS,
    RESYNCS,
    CONNECTIONS,
    RECONNECTS,
    PAUSES,
    REQUESTS,
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
