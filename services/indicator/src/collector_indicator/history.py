"""What was published on an input before a calculation, or a part of it, began.

A new indicator or interval is computed over the rows that the topic still has, by a calculation
of its own up to the very row at which the running one stands; then the running one adopts it
(``Calculation.adopt``). So its values are those that it would have had all along.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from collector_core.errors import NumberError
from collector_core.events import Event
from collector_indicator.intake import decode_all
from collector_indicator.sources import Source
from collector_indicators.calculation import Calculation
from collector_indicators.computable import computable
from collector_indicators.engine import create
from collector_indicators.settings import CalculationSettings
from collector_runtime.kafka.connection import KafkaSettings
from collector_runtime.kafka.restore import read_span

__all__ = ["Readers", "Wanted", "read_history"]

Wanted = Mapping[tuple[str, str], CalculationSettings]
"""What is to be computed, by exchange and symbol."""
Readers = dict[tuple[str, str], Calculation]
"""Calculations that have read the history, by exchange and symbol."""

_BATCH: Final = 5_000


def read_history(
    kafka: KafkaSettings, source: Source, wanted: Wanted, end: int, rows: int
) -> Readers:
    """Return calculations fed with the last ``rows`` offsets of a partition before ``end``.

    Blocks: for a thread of its own.

    Raises:
        BrokerError: the rows could not be read.
    """
    readers = {stream: create(*stream, settings) for stream, settings in wanted.items()}
    values: list[bytes | None] = []

    def visit(_: bytes, value: bytes | None) -> None:
        values.append(value)
        if len(values) >= _BATCH:
            _feed(readers, values)
            values.clear()

    read_span(kafka, source.topic, source.partition, max(0, end - rows), end, visit)
    _feed(readers, values)
    return readers


def _feed(readers: Readers, values: list[bytes | None]) -> None:
    streams: dict[tuple[str, str], list[Event]] = {}
    for row in decode_all(values):
        stream = row.exchange, row.symbol
        if stream in readers:
            streams.setdefault(stream, []).append(row)
    for stream, events in streams.items():
        try:
            readers[stream].feed_many(event for event in events if computable(event))
        except NumberError:
            # numbers that only a sum shows to be none: what came before them is no history
            readers[stream] = create(*stream, readers[stream].settings)
