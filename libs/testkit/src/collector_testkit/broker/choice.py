"""Which broker a test run gets."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from collector_core.errors import CollectorError
from collector_runtime.kafka.connection import KafkaSettings, reach
from collector_testkit.broker.contract import Broker, ExternalBroker, Unavailable
from collector_testkit.broker.docker import DockerBroker
from collector_testkit.broker.jars import install
from collector_testkit.broker.local import LocalBroker

__all__ = ["VARIABLE", "open_broker"]

VARIABLE: Final = "KAFKA_BOOTSTRAP_SERVERS"
_TIMEOUT: Final = 10.0


def open_broker(cache: Path | None = None, environment: Mapping[str, str] = os.environ) -> Broker:
    """Return the first broker there is: the environment's, a container, a local process.

    A broker that the environment names must answer; no other one is taken in its place.

    Args:
        cache: folder for Apache Kafka's jars; None takes ``.cache`` of the repository.
        environment: where ``KAFKA_BOOTSTRAP_SERVERS`` is looked for.

    Raises:
        Unavailable: there is none; the text says why for each kind.
    """
    named = environment.get(VARIABLE)
    if named:
        try:
            reach(KafkaSettings(named), _TIMEOUT)
        except CollectorError as error:
            raise Unavailable(f"{VARIABLE}: {error}") from error
        return ExternalBroker(named)
    kinds: tuple[Callable[[], Broker], ...] = (DockerBroker, lambda: LocalBroker(install(cache)))
    reasons = []
    for kind in kinds:
        try:
            return kind()
        except Unavailable as reason:
            reasons.append(str(reason))
    raise Unavailable(f"no Kafka broker: {VARIABLE} is not set; {'; '.join(reasons)}")
