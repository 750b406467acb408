"""Topics under measurement: made, watched by their end offsets, read back, removed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final, NamedTuple

import msgspec
from bench.processes import Failed
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported without saying so
    AdminClient,
    NewTopic,
    OffsetSpec,
)

__all__ = ["Arrival", "Topics"]

_POLL: Final = 0.01
"""Seconds between two looks at the end offsets; each look is one small request."""
_REQUEST: Final = 15.0


class Arrival(NamedTuple):
    """When rows were seen to have arrived, in seconds of ``time.perf_counter``."""

    first: float
    first_count: int
    last: float
    last_count: int


class _Row(msgspec.Struct):
    # what every contestant writes; only our own rows have a type
    id: str | int | None = None
    type: str | None = None


class Topics:
    """A few topics, of one partition each unless told.

    Args:
        bootstrap: address of the broker.
        names: the topics.
        partitions: partitions of each.
    """

    def __init__(self, bootstrap: str, names: Sequence[str], partitions: int = 1) -> None:
        self.names = list(names)
        self._bootstrap = bootstrap
        self._admin = _admin(bootstrap)
        self._partitions = partitions
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the client has no types here
        self._latest = {
            TopicPartition(name, number): latest for name in names for number in range(partitions)
        }

    def create(self) -> None:
        """Make the topics; those that are there stay."""
        there = self._admin.list_topics(timeout=_REQUEST).topics
        new = [NewTopic(name, self._partitions, 1) for name in self.names if name not in there]
        if new:
            _done(self._admin.create_topics(new))
        self.await_leaders()

    def await_leaders(self) -> None:
        """Wait until every partition has a leader that answers; just made, it may have none.

        Raises:
            Failed: one has none in time.
        """
        deadline = time.monotonic() + _REQUEST
        while True:
            try:
                self.count()
            except KafkaException as error:
                if time.monotonic() > deadline:
                    raise Failed(
                        f"expected {self.names[0]} and others to answer: {error}"
                    ) from error
                time.sleep(_POLL)
                # a client that looked too early keeps for long that there is no leader
                self._admin = _admin(self._bootstrap)
            else:
                return

    def delete(self, prefix: str) -> None:
        """Remove every topic whose name begins with ``prefix``."""
        there = self._admin.list_topics(timeout=_REQUEST).topics
        old = [name for name in there if name.startswith(prefix)]
        if old:
            _done(self._admin.delete_topics(old))

    def count(self) -> int:
        """Return the sum of the end offsets."""
        results = self._admin.list_offsets(self._latest, request_timeout=_REQUEST)
        return sum(future.result(_REQUEST).offset for future in results.values())

    def watch(self, base: int, rows: int, timeout: float, alive: Callable[[], None]) -> Arrival:
        """Wait until ``rows`` rows came after the ``base`` that were there.

        Args:
            base: what ``count`` returned before.
            rows: how many to wait for.
            timeout: seconds to wait.
            alive: called now and then; raises ``Failed`` if there is nothing to wait for.

        Raises:
            Failed: not all came; the text says how many.
        """
        deadline = time.monotonic() + timeout
        first = None
        while True:
            seen, now = self.count() - base, time.perf_counter()
            if seen > 0 and first is None:
                first = (now, seen)
            if first is not None and seen >= rows:
                return Arrival(*first, now, seen)
            if time.monotonic() > deadline:
                raise Failed(f"expected {rows} rows within {timeout:g} s, was {seen}")
            alive()
            time.sleep(_POLL)

    def settled(self, quiet: float, timeout: float) -> int:
        """Return the sum of the end offsets once it stood still for ``quiet`` seconds."""
        deadline = time.monotonic() + timeout
        last, since = self.count(), time.monotonic()
        while time.monotonic() - since < quiet:
            time.sleep(_POLL)
            now = self.count()
            if now != last:
                last, since = now, time.monotonic()
            if time.monotonic() > deadline:
                raise Failed(f"expected quiet topics within {timeout:g} s, was {now} and growing")
        return last

    def check_trades(self, per_topic: int) -> None:
        """Read the topics and prove that each holds the trades 1, 2, … in order, none twice.

        Raises:
            Failed: a trade is missing, doubled or out of its place.
        """
        consumer = Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": "bench-unused",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
            }
        )
        try:
            consumer.assign([TopicPartition(name, 0, 0) for name in self.names])
            seen = _read(consumer, dict.fromkeys(self.names, 0))
        finally:
            consumer.close()
        wrong = {name: count for name, count in seen.items() if count != per_topic}
        if wrong:
            raise Failed(f"expected {per_topic} trades in each topic, was {wrong}")


def _read(consumer: Consumer, seen: dict[str, int]) -> Mapping[str, int]:
    decode = msgspec.json.Decoder(_Row).decode
    ended: set[str] = set()
    deadline = time.monotonic() + 60
    while len(ended) < len(seen):
        if time.monotonic() > deadline:
            raise Failed(f"expected to read {sorted(seen)} within 60 s, was {dict(seen)}")
        for message in consumer.consume(10_000, 0.2):
            name, value, error = message.topic() or "", message.value(), message.error()
            if error is not None or value is None:
                if error is None or error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  # librdkafka's name
                    raise Failed(f"expected rows of {name}, was {error}")
                ended.add(name)
                continue
            row = decode(value)
            if row.type in {None, "trade"}:
                seen[name] += 1
                if str(row.id) != str(seen[name]):
                    raise Failed(f"expected trade {seen[name]} in {name}, was {row.id}")
    return seen


def _admin(bootstrap: str) -> AdminClient:
    # its log is silent: the broker may end before it does
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})


def _done(futures: Mapping[Any, Future[Any]]) -> None:
    for future in futures.values():
        future.result(_REQUEST)
