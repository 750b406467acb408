"""The last rows of many partitions, newest first, with one consumer.

A publisher looks there at its start for the ``epoch`` and ``seq`` it left off at, and for the last
trade id. How far back it looks is bounded, in rows and in time.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported without saying so
    AdminClient,
    OffsetSpec,
)

from collector_core.errors import BrokerError
from collector_runtime.kafka.connection import (
    KafkaSettings,
    answered,
    client_config,
    reader_config,
    transient,
    wrap,
)

__all__ = ["Place", "TailRow", "last_rows"]

Place: TypeAlias = tuple[str, int]
"""Topic and partition."""

_FIRST_LOOK: Final = 16
"""Offsets that are looked at before it is asked whether they are enough."""
_BATCH: Final = 2_000
_WAIT: Final = 0.02
_MISSING: Final = frozenset(
    {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_PARTITION}  # noqa: SLF001 - librdkafka's name
)
_EARLIEST: Final = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # the client is partly typed
_LATEST: Final = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # as above


class TailRow(NamedTuple):
    """A row near the end of a partition; ``timestamp`` is the record's, in milliseconds."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class _Span(NamedTuple):
    begin: int
    # the high watermark: something stands below it
    end: int
    # where to count back from; the partition is read when its end is reported at or past it
    settled: int


def last_rows(
    settings: KafkaSettings,
    places: Iterable[Place],
    count: int = 1_000,
    *,
    enough: Callable[[Sequence[TailRow]], bool] | None = None,
    committed: bool = True,
    timeout: float = 30.0,
) -> dict[Place, list[TailRow]]:
    """Return the rows among the last ``count`` offsets of each partition, newest first.

    Offsets that compaction has removed, or that hold markers of transactions, give no row.

    Args:
        settings: where Kafka is.
        places: partitions to look at; one whose topic does not exist gives no rows.
        count: offsets to look back over, per partition.
        enough: tells from the newest few rows of a partition that no older ones are needed, which
            saves reading ``count`` rows of each of hundreds of topics.
        committed: leave out rows of transactions that are open or aborted.
        timeout: seconds for all of it.

    Raises:
        BrokerError: the broker refuses, or some partition was not read in time.
    """
    deadline = time.monotonic() + timeout
    spans = _spans(settings, sorted(set(places)), committed=committed, deadline=deadline)
    found: dict[Place, list[TailRow]] = {place: [] for place in spans}
    short = spans
    looks = (_FIRST_LOOK, count) if enough is not None and count > _FIRST_LOOK else (count,)
    consumer = Consumer(reader_config(settings, committed=committed))
    try:
        for look in looks:
            starts = {
                p: max(s.begin, s.settled - look) for p, s in short.items() if s.end > s.begin
            }
            found |= _read(consumer, starts, short, look, deadline)
            short = {
                place: spans[place]
                for place, start in starts.items()
                if start > spans[place].begin and not (enough is None or enough(found[place]))
            }
    except KafkaException as error:
        raise wrap(error, "read the last rows") from error
    finally:
        consumer.close()
    return found


def _spans(
    settings: KafkaSettings, places: Sequence[Place], *, committed: bool, deadline: float
) -> dict[Place, _Span]:
    admin = AdminClient(client_config(settings))
    begins = _offsets(admin, places, _EARLIEST, deadline)
    ends = _offsets(admin, places, _LATEST, deadline)
    settled = ends
    if committed:
        # The last stable offset. Counting back from the high watermark could start beyond it,
        # where the end is not reported before the open transaction ends. Some brokers say 0 while
        # one is open (docs/adr/0010): then the partition is read from its beginning.
        settled = _offsets(admin, places, _LATEST, deadline, IsolationLevel.READ_COMMITTED)
    return {p: _Span(begins.get(p, 0), ends.get(p, 0), settled.get(p, 0)) for p in places}


def _offsets(
    admin: AdminClient,
    places: Sequence[Place],
    which: OffsetSpec,
    deadline: float,
    isolation: IsolationLevel = IsolationLevel.READ_UNCOMMITTED,
) -> dict[Place, int]:
    offsets: dict[Place, int] = {}
    asked = list(places)
    while asked:
        timeout = max(0.1, deadline - time.monotonic())
        answers = admin.list_offsets(
            {TopicPartition(topic, partition): which for topic, partition in asked},
            isolation_level=isolation,
            request_timeout=timeout,
        )
        asked = []
        for at, answer in answers.items():
            doing = f"find the end of {at.topic} [{at.partition}]"
            try:
                offsets[at.topic, at.partition] = answered(answer, doing, timeout).offset
            except KafkaException as error:
                cause = error.args[0]
                if cause.code() in _MISSING:
                    continue
                # a partition that has just been made may have no leader yet
                if not transient(cause) or time.monotonic() > deadline:
                    raise wrap(error, doing) from error
                asked.append((at.topic, at.partition))
        if asked:
            time.sleep(_WAIT)
    return offsets


def _read(
    consumer: Consumer,
    starts: dict[Place, int],
    spans: dict[Place, _Span],
    count: int,
    deadline: float,
) -> dict[Place, list[TailRow]]:
    rows: dict[Place, deque[TailRow]] = {place: deque(maxlen=count) for place in starts}
    left = set(starts)
    consumer.assign([TopicPartition(t, p, start) for (t, p), start in starts.items()])
    while left:
        for message in consumer.consume(_BATCH, _WAIT):
            place = (message.topic() or "", message.partition() or 0)
            offset = message.offset() or 0
            failure = message.error()
            if failure is None:
                stamp = message.timestamp()[1]
                rows[place].appendleft(TailRow(offset, stamp, message.key(), message.value()))
            elif failure.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's name
                if offset >= spans[place].settled:
                    left.discard(place)
            elif not transient(failure):
                raise wrap(failure, f"read the last rows of {place[0]} [{place[1]}]")
        if left and time.monotonic() > deadline:
            topic, partition = min(left)
            raise BrokerError(
                f"expected the last rows of {len(starts)} partitions in time, "
                f"was without {len(left)}, {topic} [{partition}] among them"
            )
    consumer.unassign()
    return {place: list(found) for place, found in rows.items()}
