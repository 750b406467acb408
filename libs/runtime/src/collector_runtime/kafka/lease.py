"""Which shards are ours: the partitions of a topic that a consumer group gives us.

The consumer reads no row; its group is the lease manager (docs/adr/0040). It is polled in the loop
that does the work, so that a worker that hangs loses its shards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import structlog
from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from collector_core.errors import BrokerError
from collector_runtime.kafka.connection import ClientConfig, KafkaSettings, client_config, wrap

__all__ = ["Lease", "lease_config"]

_HEARTBEAT_MS: Final = 500
_MAX_POLL_MS: Final = 60_000
_PASSING: Final = frozenset(
    {
        # the group took our shards; on_lost follows
        KafkaError._MAX_POLL_EXCEEDED,  # noqa: SLF001 - librdkafka's name
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001 - as above
        KafkaError._TRANSPORT,  # noqa: SLF001 - as above
        KafkaError._RESOLVE,  # noqa: SLF001 - as above
    }
)

_LOG: Final = structlog.get_logger("collector.lease")
_Shards = Callable[[list[int]], None]


class Lease:
    """A member of the group; its callbacks run within ``poll`` and ``close``.

    Args:
        kafka: where Kafka is.
        group: the group's name.
        topic: the topic whose partitions are the shards.
        session_timeout: seconds after which a silent member is given up.
        instance_id: a name that survives a restart within that time, or None.
        granted: takes shards that are ours from now on.
        revoked: takes shards that are ours until it returns.
        lost: takes shards that may be somebody else's already.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        group: str,
        topic: str,
        *,
        session_timeout: float,
        instance_id: str | None,
        granted: _Shards,
        revoked: _Shards,
        lost: _Shards,
    ) -> None:
        # whether the group has ever answered
        self.joined = False
        self._granted = granted
        self._revoked = revoked
        self._lost = lost
        self._consumer = Consumer(lease_config(kafka, group, session_timeout, instance_id))
        self._consumer.subscribe(
            [topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def poll(self) -> None:
        """Hear of changes, without waiting.

        Raises:
            BrokerError: the group refuses us for good: another process has our instance id, or
                we may not read the topic.
        """
        message = self._consumer.poll(0)
        if message is None:
            return
        error = message.error()
        if error is None or error.code() in _PASSING:
            return
        if error.retriable() and not error.fatal():
            _LOG.warning("lease", reason=error.str())
            return
        raise BrokerError(f"expected to hold shards in a group, was {error.str()}")

    def close(self) -> None:
        """Leave the group; with an instance id the shards stay ours for the session timeout."""
        try:
            self._consumer.close()
        except (KafkaException, RuntimeError) as error:
            # we end anyway, and the session's timeout does the rest
            _LOG.warning("lease_left", reason=str(error))

    def _on_assign(self, _: Any, partitions: list[TopicPartition]) -> None:  # noqa: ANN401  # the client
        for partition in partitions:
            # an offset of its own, so that none is looked up; nothing is read
            partition.offset = OFFSET_END
        try:
            self._consumer.incremental_assign(partitions)
            self._consumer.pause(partitions)
        except KafkaException as error:
            raise wrap(error, "take the shards that the group gives") from error
        self.joined = True
        self._granted([partition.partition for partition in partitions])

    def _on_revoke(self, _: Any, partitions: list[TopicPartition]) -> None:  # noqa: ANN401  # the client
        self._revoked([partition.partition for partition in partitions])
        self._release(partitions)

    def _on_lost(self, _: Any, partitions: list[TopicPartition]) -> None:  # noqa: ANN401  # the client
        self._lost([partition.partition for partition in partitions])
        self._release(partitions)

    def _release(self, partitions: list[TopicPartition]) -> None:
        try:
            self._consumer.incremental_unassign(partitions)
        except KafkaException as error:
            raise wrap(error, "give shards back to the group") from error


def lease_config(
    kafka: KafkaSettings, group: str, session_timeout: float, instance_id: str | None
) -> ClientConfig:
    """Return the configuration of the group's consumer."""
    config = client_config(kafka) | {
        "group.id": group,
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": round(session_timeout * 1000),
        "heartbeat.interval.ms": min(_HEARTBEAT_MS, round(session_timeout * 1000) // 3),
        "max.poll.interval.ms": _MAX_POLL_MS,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "latest",
    }
    return config if instance_id is None else config | {"group.instance.id": instance_id}
