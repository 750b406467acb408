"""A real Apache Kafka on this machine: KRaft, one node, loopback, data in a temporary folder."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from collector_core.errors import BrokerError
from collector_runtime.kafka.child import Child
from collector_runtime.kafka.connection import KafkaSettings, reach
from collector_runtime.kafka.ports import free_ports, listens
from collector_testkit.broker.contract import Broker, Unavailable
from collector_testkit.broker.jars import Installation, install, properties

__all__ = ["LocalBroker", "start_kafka"]

_START_TIMEOUT: Final = 60.0
_STOP_TIMEOUT: Final = 15.0
_ATTEMPTS: Final = 3
"""Starts with other ports, should somebody take one between our choice and the server's bind."""


class LocalBroker(Broker):
    """The process, its ports and its folder.

    Raises:
        Unavailable: it does not start; the text has the last of its log.
    """

    kind = "local"

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._folder = Path(tempfile.mkdtemp(prefix="collector-kafka-"))
        self._process: Child | None = None
        shutil.copytree(installation.formatted, self._folder / "data")
        for attempt in range(_ATTEMPTS):
            self._port, controller = free_ports(2)
            self.bootstrap_servers = f"127.0.0.1:{self._port}"
            (self._folder / "server.properties").write_text(
                properties(self._folder / "data", self._port, controller)
            )
            try:
                self.start()
            except Unavailable as error:
                taken = "already in use" in str(error)
                if not taken or attempt == _ATTEMPTS - 1:
                    self.close()
                    raise
            else:
                return

    @property
    def pid(self) -> int:
        """Id of the server's process.

        Raises:
            Unavailable: it is stopped.
        """
        if self._process is None:
            raise Unavailable("expected a running broker, was stopped")
        return self._process.pid

    def start(self) -> None:
        """Start the server on the ports and data it has, and wait until it answers."""
        if self._process is not None:
            if not self._process.wait(0):
                return
            # it died by itself
            self.stop()
        arguments = "kafka.Kafka", str(self._folder / "server.properties")
        command = self._installation.command(*arguments)
        if not self._installation.archive.exists():
            # written when the server ends, moved into place by ``stop``
            command.insert(1, f"-XX:ArchiveClassesAtExit={self._folder / 'classes.jsa'}")
        # the server's start scripts may carry options of another installation
        env = {name: value for name, value in os.environ.items() if not name.startswith("KAFKA_")}
        self._process = process = Child(command, env)
        deadline = time.monotonic() + _START_TIMEOUT
        while not listens(self._port):
            if process.wait(0.02) or time.monotonic() > deadline:
                said = process.output()
                process.stop(0)
                self._process = None
                raise Unavailable(f"expected Apache Kafka to start, was ended or silent: {said}")
        try:
            reach(KafkaSettings(self.bootstrap_servers), max(1.0, deadline - time.monotonic()))
        except BrokerError as error:
            raise Unavailable(f"{error}; its log: {process.output()}") from error

    def stop(self, *, kill: bool = False) -> None:
        """End the server: asked, or with ``kill`` by SIGKILL; its data stays."""
        process, self._process = self._process, None
        if process is None:
            return
        if kill:
            process.kill()
        process.stop(_STOP_TIMEOUT)
        self._keep_archive()

    def pause(self) -> None:
        """Freeze the server (SIGSTOP)."""
        if self._process is not None:
            self._process.pause()

    def resume(self) -> None:
        """Let a frozen server go on."""
        if self._process is not None:
            self._process.resume()

    def close(self) -> None:
        """End the server and remove its folder."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _keep_archive(self) -> None:
        # missing after a kill; a copy that another run has put there is as good
        with suppress(OSError):
            (self._folder / "classes.jsa").rename(self._installation.archive)


@contextmanager
def start_kafka(cache: Path | None = None) -> Iterator[LocalBroker]:
    """Run a real Apache Kafka for the length of a ``with`` block.

    Args:
        cache: folder for the jars; None takes ``.cache`` of the repository.

    Raises:
        Unavailable: no Java or Maven, or Kafka does not start.
    """
    broker = LocalBroker(install(cache))
    try:
        yield broker
    finally:
        broker.close()
