"""Apache Kafka in a container, where a Docker engine answers."""

from __future__ import annotations

import os
import time
import warnings
from pathlib import Path
from typing import Any, Final

from collector_core.errors import BrokerError
from collector_runtime.kafka.connection import KafkaSettings, reach
from collector_runtime.kafka.ports import free_ports
from collector_testkit.broker.contract import Broker, Unavailable
from collector_testkit.broker.jars import VERSION

__all__ = ["IMAGE", "DockerBroker", "environment"]

IMAGE: Final = f"apache/kafka:{VERSION}"
_SOCKET: Final = Path("/var/run/docker.sock")
_START_TIMEOUT: Final = 60.0


def environment(port: int) -> dict[str, str]:
    """Return the container's environment; clients reach it at ``127.0.0.1:port``."""
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    }


class DockerBroker(Broker):
    """A container on a fixed port of this machine, so that it comes back at the same address.

    Raises:
        Unavailable: no engine answers, testcontainers is missing, or the container fails.
    """

    kind = "docker"

    def __init__(self) -> None:
        if not os.environ.get("DOCKER_HOST") and not _SOCKET.exists():
            raise Unavailable(f"expected a Docker engine at DOCKER_HOST or {_SOCKET}, was none")
        try:
            # its imports warn about the deprecations of its own dependencies
            with warnings.catch_warnings(action="ignore"):
                from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - only tests have it
                from testcontainers.core.docker_client import DockerClient  # noqa: PLC0415 - as above

                DockerClient().client.ping()
        except ImportError as error:
            raise Unavailable(f"expected testcontainers to be installed, was {error}") from error
        except Exception as error:  # docker's and requests' errors have no common base
            raise Unavailable(f"expected a Docker engine that answers, was {error}") from error
        [port] = free_ports()
        self.bootstrap_servers = f"127.0.0.1:{port}"
        container = DockerContainer(IMAGE).with_bind_ports(9092, port)
        for name, value in environment(port).items():
            container = container.with_env(name, value)
        self._container: Any = container
        try:
            container.start()
        except Exception as error:
            raise Unavailable(f"expected {IMAGE} to start, was {error}") from error
        self._wait()

    def start(self) -> None:
        """Start the stopped container again."""
        self._container.get_wrapped_container().start()
        self._wait()

    def stop(self, *, kill: bool = False) -> None:
        """Stop or kill the container; its data stays."""
        wrapped = self._container.get_wrapped_container()
        if kill:
            wrapped.kill()
        else:
            wrapped.stop(timeout=15)

    def pause(self) -> None:
        """Freeze the container."""
        self._container.get_wrapped_container().pause()

    def resume(self) -> None:
        """Let a frozen container go on."""
        self._container.get_wrapped_container().unpause()

    def close(self) -> None:
        """Remove the container."""
        self._container.stop()

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_TIMEOUT
        try:
            reach(KafkaSettings(self.bootstrap_servers), deadline - time.monotonic())
        except BrokerError as error:
            self.close()
            raise Unavailable(str(error)) from error
