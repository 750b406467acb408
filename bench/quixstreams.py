"""quixstreams beside the indicator service: how far it has committed, by its group's offsets."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Final

from bench.processes import Failed, Program, cpu_seconds
from bench.topics import Topics
from bench.trades import PARTITIONS
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

__all__ = ["PEER", "committed", "measure"]

PEER: Final = "quixstreams"
_SCRIPT: Final = Path(__file__).parent / "peers" / "quixstreams_peer.py"
_POLL: Final = 0.02
_REQUEST: Final = 15.0
_START: Final = 60.0
_TIMEOUT: Final = 180.0


def measure(
    python: str, bootstrap: str, topic: str, kind: str, rows: int
) -> tuple[float, float, int]:
    """Let it read a keyed topic; return CPU µs a row, rows a second and how many rows that were.

    Counted from its first transaction until ``rows`` more rows are committed; then it is ended.

    Args:
        python: interpreter of its environment.
        bootstrap: address of the broker.
        topic: of the trades.
        kind: ``state`` or ``mean``, see the peer's program.
        rows: how many to count.

    Raises:
        Failed: it ended by itself, did not commit in time, or wrote no state.
    """
    group = f"{topic}-quixstreams-{kind}"
    changelog = Topics(bootstrap, [f"changelog__{group}--{topic}--default"], PARTITIONS)
    with tempfile.TemporaryDirectory(prefix="bench-quixstreams-") as folder:
        command = [python, str(_SCRIPT), bootstrap, topic, group, folder, kind]
        with Program(PEER, command) as program:
            admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
            done = _watch(program, admin, topic, group, rows)
    if not changelog.count():
        raise Failed("expected states in the changelog of quixstreams, was none")
    changelog.delete(changelog.names[0])
    return done


def _watch(
    program: Program, admin: AdminClient, topic: str, group: str, rows: int
) -> tuple[float, float, int]:
    begun = (0.0, 0.0)
    first, deadline = 0, time.monotonic() + _START
    while True:
        seen = _committed(admin, topic, group)
        now = time.perf_counter()
        if seen and not first:
            first, begun = seen, (now, cpu_seconds(program.pid))
            deadline = time.monotonic() + _TIMEOUT
        elif first and seen - first >= rows:
            spent = cpu_seconds(program.pid) - begun[1]
            return spent / (seen - first) * 1e6, (seen - first) / (now - begun[0]), seen - first
        program.check()
        if time.monotonic() > deadline:
            raise Failed(f"expected {rows} rows after {first} committed in time, was {seen}")
        time.sleep(_POLL)


def _committed(admin: AdminClient, topic: str, group: str) -> int:
    asked = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    request = [ConsumerGroupTopicPartitions(group, asked)]
    try:
        [future] = admin.list_consumer_group_offsets(request, request_timeout=_REQUEST).values()
        return committed(future.result(_REQUEST).topic_partitions)
    except KafkaException:
        # the group is not there yet, or its coordinator
        return 0


def committed(partitions: list[TopicPartition]) -> int:
    """Return the sum of the offsets; a partition without one counts for none."""
    return sum(part.offset for part in partitions if part.offset > 0)
