"""How every Kafka client of ours is configured, and a bounded check that the broker is there."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from collector_core.errors import BrokerError, SettingsError

__all__ = [
    "SESSION_TIMEOUT",
    "ClientConfig",
    "KafkaSettings",
    "answered",
    "client_config",
    "producer_config",
    "reach",
    "reader_config",
    "transient",
    "wrap",
]

_Answer = TypeVar("_Answer")

ClientConfig = dict[str, Any]
"""A librdkafka configuration."""

SESSION_TIMEOUT: Final = 6.0
"""Seconds after which a silent group member is given up; also half a join on the demo's broker."""

_LOG: Final = logging.getLogger("collector_runtime.kafka.librdkafka")
_SECURITY: Final = ("sasl.", "ssl.")
_TRANSIENT: Final = frozenset(
    {
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.REPLICA_NOT_AVAILABLE,
        # broker and client learn of a new topic's leader one after the other
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError._TRANSPORT,  # noqa: SLF001 - librdkafka's names of its local errors
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001 - as above
        KafkaError._TIMED_OUT,  # noqa: SLF001 - as above
    }
)


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Where Kafka is and how to enter.

    Args:
        bootstrap_servers: ``host:port``, several separated by commas.
        client_id: name under which the broker's logs and quotas know us.
        security: librdkafka's ``security.protocol``, ``sasl.*`` and ``ssl.*``, passed through.

    Raises:
        SettingsError: no address, one without port, or another name in ``security``.
    """

    bootstrap_servers: str
    client_id: str = "collector"
    security: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for address in self.bootstrap_servers.split(","):
            host, _, port = address.strip().rpartition(":")
            if not host or not port.isdecimal() or not 0 < int(port) < 65536:
                raise SettingsError(
                    f"expected Kafka's bootstrap servers as host:port, was {address!r}"
                )
        for name in self.security:
            if name != "security.protocol" and not name.startswith(_SECURITY):
                raise SettingsError(
                    f"expected security.protocol, sasl.* or ssl.* as a security setting of Kafka, "
                    f"was {name!r}"
                )


def client_config(settings: KafkaSettings) -> ClientConfig:
    """Return what every client has in common; librdkafka's log goes to stdlib logging.

    The log is handed over when the client polls, so it appears on the polling thread.
    """
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "client.id": settings.client_id,
        "socket.keepalive.enable": True,
        # Kafka's own default, 10 s, makes the first rows after a broker's restart late
        "reconnect.backoff.max.ms": 2_000,
        "logger": _LOG,
        **settings.security,
    }


def producer_config(settings: KafkaSettings) -> ClientConfig:
    """Return the configuration of a producer: idempotent, acks=all, lz4 (design section 4)."""
    return client_config(settings) | {
        "enable.idempotence": True,
        "acks": "all",
        "compression.type": "lz4",
        "linger.ms": 5,
    }


def reader_config(settings: KafkaSettings, *, committed: bool = True) -> ClientConfig:
    """Return the configuration of a consumer that assigns its partitions itself.

    It belongs to no group, stores no offset, reports the end of a partition, never starts
    elsewhere than told, and with ``committed`` reads only rows of committed transactions.
    """
    return client_config(settings) | {
        "group.id": f"{settings.client_id}-unused",  # wanted by librdkafka, joined by nobody
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "error",
        "isolation.level": "read_committed" if committed else "read_uncommitted",
        "fetch.wait.max.ms": 20,
    }


def transient(error: KafkaError) -> bool:
    """Tell whether the same read may succeed a moment later, as just after a topic was made."""
    return not error.fatal() and (error.retriable() or error.code() in _TRANSIENT)


def wrap(error: KafkaException | KafkaError, doing: str) -> BrokerError:
    """Return our error for one of the client's; ``doing`` completes "expected to …"."""
    cause = error.args[0] if isinstance(error, KafkaException) else error
    text = cause.str() if isinstance(cause, KafkaError) else str(cause)
    return BrokerError(f"expected to {doing}, was {text}")


def answered(answer: Future[_Answer], doing: str, timeout: float) -> _Answer:
    """Wait for what an administrative request gives.

    Args:
        answer: as the admin client returns it.
        doing: completes "expected to …".
        timeout: seconds.

    Raises:
        BrokerError: nothing came in time.
        KafkaException: the broker refuses; the caller knows which refusals it can bear.
    """
    try:
        return answer.result(timeout)
    except TimeoutError as error:
        raise BrokerError(
            f"expected to {doing} within {timeout:g} s, was without an answer"
        ) from error


def reach(settings: KafkaSettings, timeout: float = 5.0) -> str:
    """Return the cluster's id once a broker answers.

    Args:
        settings: where to look.
        timeout: seconds to try for.

    Raises:
        BrokerError: no broker answered in time; the text names the address and the last cause.
        SettingsError: librdkafka refuses the security settings.
    """
    causes: list[str] = []
    config = client_config(settings) | {"error_cb": lambda error: causes.append(error.str())}
    try:
        client = AdminClient(config)
    except (KafkaException, ValueError, TypeError) as error:
        raise SettingsError(f"expected settings that Kafka's client takes, was {error}") from error
    try:
        metadata = client.list_topics(timeout=timeout)
    except KafkaException as error:
        client.poll(0)
        cause = next((c for c in causes if "failed" in c.lower()), None) or error.args[0].str()
        raise BrokerError(
            f"expected a Kafka broker at {settings.bootstrap_servers}, was no answer within "
            f"{timeout:g} s: {cause}"
        ) from error
    return metadata.cluster_id or ""
