"""Makes the topics as ``topology`` wants them: idempotent, and never deletes or repartitions.

What cannot be mended without losing or moving rows (another number of partitions) is reported as
drift. Brokers that lack an admin call (docs/adr/0010) are served as far as they go; the plan's
``notes`` say what was left out and why.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

import msgspec
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # exported without saying so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from collector_core.errors import BrokerError
from collector_runtime.kafka.connection import KafkaSettings, answered, client_config, wrap
from collector_runtime.kafka.topology import Topic

__all__ = ["Applied", "Difference", "Plan", "Provisioner"]

_BATCH: Final = 200
"""Topics in one request, so that a controller on a small machine answers well within a timeout."""
_POLL: Final = 0.02
_Item = TypeVar("_Item")
_LACKING: Final = frozenset(
    {KafkaError._UNSUPPORTED_FEATURE, KafkaError.UNSUPPORTED_VERSION, KafkaError._NOT_IMPLEMENTED}  # noqa: SLF001 - librdkafka's names of its local errors
)


class Difference(msgspec.Struct, frozen=True, order=True):
    """One property of an existing topic that is not as desired."""

    topic: str
    aspect: str
    """``partitions``, or the name of a configuration."""
    expected: str
    actual: str | None
    """None when the broker does not report one."""

    def __str__(self) -> str:
        return f"{self.topic}: expected {self.aspect} {self.expected}, was {self.actual}"


class Plan(msgspec.Struct, frozen=True):
    """What ``apply`` would do, and what it would not."""

    create: tuple[Topic, ...] = ()
    alter: tuple[Difference, ...] = ()
    """Configurations that can be set right without touching a row."""
    drift: tuple[Difference, ...] = ()
    """What only people can mend."""
    notes: tuple[str, ...] = ()
    """What could not be compared on this broker, and why."""

    @property
    def empty(self) -> bool:
        """Whether ``apply`` has nothing to do."""
        return not self.create and not self.alter


class Applied(msgspec.Struct, frozen=True):
    """What ``apply`` did."""

    created: tuple[str, ...] = ()
    altered: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()


class Provisioner:
    """Compares and makes topics. Calls block: run them on a thread.

    Args:
        settings: where Kafka is.
        timeout: seconds for each request, and for new topics to become visible.
    """

    def __init__(self, settings: KafkaSettings, timeout: float = 30.0) -> None:
        self._admin = AdminClient(client_config(settings))
        self._timeout = timeout

    def plan(self, desired: Iterable[Topic]) -> Plan:
        """Compare what is desired with what is there.

        Raises:
            BrokerError: the broker does not answer, or refuses.
        """
        wanted = {topic.name: topic for topic in desired}
        partitions = self._partitions()
        existing = [topic for name, topic in wanted.items() if name in partitions]
        drift = [
            Difference(t.name, "partitions", str(t.partitions), str(partitions[t.name]))
            for t in existing
            if partitions[t.name] != t.partitions
        ]
        alter, notes = self._compare(existing)
        create = tuple(sorted(t for name, t in wanted.items() if name not in partitions))
        return Plan(create, tuple(sorted(alter)), tuple(sorted(drift)), notes)

    def drift(self, desired: Iterable[Topic]) -> list[Difference]:
        """Return every difference of the existing topics, mendable or not; missing ones too.

        Raises:
            BrokerError: as ``plan``.
        """
        plan = self.plan(desired)
        missing = [Difference(t.name, "partitions", str(t.partitions), None) for t in plan.create]
        return sorted([*missing, *plan.alter, *plan.drift], key=str)

    def apply(self, plan: Plan) -> Applied:
        """Create and alter what a plan says, and wait until the metadata shows the new topics.

        A topic that somebody else has created meanwhile is fine.

        Raises:
            BrokerError: the broker refuses, or a topic does not become visible in time.
        """
        created = []
        for batch in _batches(plan.create):
            created += self._create(batch)
        self._await(plan.create)
        altered, notes = self._alter(plan.alter)
        return Applied(tuple(created), tuple(altered), (*plan.notes, *notes))

    def ensure(self, desired: Iterable[Topic]) -> Applied:
        """Plan and apply in one call.

        Raises:
            BrokerError: as ``plan`` and ``apply``.
        """
        return self.apply(self.plan(desired))

    def _partitions(self) -> dict[str, int]:
        # never by name: some brokers create a topic that is asked for
        try:
            topics = self._admin.list_topics(timeout=self._timeout).topics
        except KafkaException as error:
            raise wrap(error, "list the topics") from error
        return {
            name: len(found.partitions)
            for name, found in topics.items()
            if found.error is None and all(p.leader >= 0 for p in found.partitions.values())
        }

    def _compare(self, existing: Sequence[Topic]) -> tuple[list[Difference], tuple[str, ...]]:
        differences = []
        for batch in _batches(existing):
            wanted = {topic.name: topic for topic in batch}
            resources = [ConfigResource(ResourceType.TOPIC, name) for name in wanted]
            answers = self._admin.describe_configs(resources, request_timeout=self._timeout)
            for resource, answer in answers.items():
                doing = f"read the configuration of {resource.name}"
                try:
                    actual = answered(answer, doing, self._timeout)
                except KafkaException as error:
                    if error.args[0].code() in _LACKING:
                        return [], (f"configurations not compared: {error.args[0].str()}",)
                    raise wrap(error, doing) from error
                for name, expected in wanted[resource.name].config.items():
                    entry = actual.get(name)
                    value = None if entry is None else entry.value
                    if not _same(expected, value):
                        differences.append(Difference(resource.name, name, expected, value))
        return differences, ()

    def _create(self, batch: Sequence[Topic]) -> list[str]:
        new = [
            NewTopic(
                t.name, num_partitions=t.partitions, replication_factor=t.replicas, config=t.config
            )
            for t in batch
        ]
        answers = self._admin.create_topics(
            new, operation_timeout=self._timeout, request_timeout=self._timeout
        )
        created = []
        for name, answer in answers.items():
            doing = f"create the topic {name}"
            try:
                answered(answer, doing, self._timeout)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise wrap(error, doing) from error
            else:
                created.append(name)
        return created

    def _await(self, topics: Sequence[Topic]) -> None:
        missing = {topic.name for topic in topics}
        deadline = time.monotonic() + self._timeout
        while missing:
            missing -= self._partitions().keys()
            if missing and time.monotonic() > deadline:
                raise BrokerError(
                    f"expected {len(missing)} new topics to be visible within "
                    f"{self._timeout:g} s, was without {min(missing)}"
                )
            if missing:
                time.sleep(_POLL)

    def _alter(self, differences: Sequence[Difference]) -> tuple[list[Difference], tuple[str, ...]]:
        by_topic: dict[str, list[Difference]] = {}
        for difference in differences:
            by_topic.setdefault(difference.topic, []).append(difference)
        altered: list[Difference] = []
        for batch in _batches(list(by_topic)):
            resources = [
                ConfigResource(
                    ResourceType.TOPIC,
                    topic,
                    incremental_configs=[
                        ConfigEntry(
                            d.aspect, d.expected, incremental_operation=AlterConfigOpType.SET
                        )
                        for d in by_topic[topic]
                    ],
                )
                for topic in batch
            ]
            answers = self._admin.incremental_alter_configs(
                resources, request_timeout=self._timeout
            )
            for resource, answer in answers.items():
                doing = f"alter the configuration of {resource.name}"
                try:
                    answered(answer, doing, self._timeout)
                except KafkaException as error:
                    if error.args[0].code() in _LACKING:
                        return altered, (f"configurations not altered: {error.args[0].str()}",)
                    raise wrap(error, doing) from error
                altered += by_topic[resource.name]
        return altered, ()


def _batches(items: Sequence[_Item]) -> Iterable[Sequence[_Item]]:
    return (items[i : i + _BATCH] for i in range(0, len(items), _BATCH))


def _same(expected: str, actual: str | None) -> bool:
    # cleanup.policy is a set: brokers may give it in another order
    return actual is not None and sorted(expected.split(",")) == sorted(actual.split(","))
