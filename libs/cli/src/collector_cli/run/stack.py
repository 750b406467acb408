"""Broker, simulator, ingestors and indicator service: started, watched, ended together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final

import msgspec

from collector_cli.run.plan import (
    BOOTSTRAP,
    Endpoints,
    Options,
    Programs,
    chosen_exchanges,
    ingestor_settings,
    service_settings,
    simulator_settings,
    symbols_of,
)
from collector_cli.run.service import Service
from collector_core.errors import CollectorError, SettingsError
from collector_runtime.clock import monotonic
from collector_runtime.kafka.connection import KafkaSettings, reach
from collector_runtime.kafka.embedded import EmbeddedBroker
from collector_runtime.kafka.ports import free_ports, is_free
from collector_runtime.kafka.provisioner import Provisioner
from collector_runtime.kafka.topology import Topology
from collector_runtime.settings import Settings

__all__ = ["Stack", "Stopped"]

_PORT: Final = 9092
"""Where every client looks without being told."""
_PATIENCE: Final = 20.0
"""Seconds for the simulator's first line: a cold disk may need some."""

_Urls = msgspec.json.Decoder(dict[str, dict[str, str]]).decode


class Stopped(Exception):
    """The user wants an end while things still start."""


class Stack:
    """Everything that ``collector run`` runs; a context manager that leaves nothing behind.

    Args:
        options: what the user chose.
        programs: what is started.
        folder: where logs go.
        say: shows a piece of text at once.
        stopping: tells whether the user wants an end.
    """

    def __init__(
        self,
        options: Options,
        programs: Programs,
        folder: Path,
        say: Callable[[str], None],
        stopping: Callable[[], bool],
    ) -> None:
        self.exchanges: tuple[str, ...] = ()
        self._options = options
        self._programs = programs
        self._folder = folder
        self._say = say
        self._stopping = stopping
        self._broker: EmbeddedBroker | None = None
        self._simulator: Service | None = None
        # where the simulated exchanges are; None with the real ones
        self._at: dict[str, Endpoints] | None = None
        self._symbols: dict[str, tuple[str, ...]] = {}
        self._ingestors: list[Service] = []
        self._indicator: Service | None = None

    def start_sources(self) -> tuple[KafkaSettings, Topology]:
        """Start broker and simulator; return where the rows will be.

        Raises:
            CollectorError: something could not be started, or has ended again.
            Stopped: the user did not want to wait.
        """
        # a wrong name is said before anything is started
        self.exchanges = chosen_exchanges(self._options)
        self._symbols = symbols_of(self._options, self.exchanges)
        if not self._options.live:
            # beside the broker's start, for it takes the longest
            self._simulator = self._service(
                "simulator", self._programs.simulator, simulator_settings(self.exchanges)
            )
        kafka, topology = self._start_broker()
        self._at = self._start_simulator()
        return kafka, topology

    def start_services(self, bootstrap_servers: str) -> None:
        """Start the ingestors and the indicator service.

        Raises:
            CollectorError: one could not be started.
            Stopped: the user did not want to wait.
        """
        with self._step(f"ingestors of {', '.join(self.exchanges)}, indicator service"):
            ports = iter(free_ports(len(self.exchanges) + 1))
            for exchange in self.exchanges:
                at = None if self._at is None else self._at[exchange]
                settings = ingestor_settings(exchange, self._symbols[exchange], at)
                settings |= service_settings(bootstrap_servers, next(ports))
                self._ingestors.append(
                    self._service(f"ingestor-{exchange}", self._programs.ingestor, settings)
                )
            settings = service_settings(bootstrap_servers, next(ports))
            if self.owns_broker:
                # the embedded broker's group join takes half of it, and nobody else joins
                settings["COLLECTOR_SESSION_TIMEOUT"] = "2"
            self._indicator = self._service("indicator", self._programs.indicator, settings)

    @property
    def owns_broker(self) -> bool:
        """Whether the broker is the embedded one, with nothing in it but what this run writes."""
        return self._broker is not None

    def check(self) -> None:
        """Do nothing while all run.

        Raises:
            CollectorError: one has ended; the broker is named first, for the others follow it.
        """
        if self._broker is not None:
            self._broker.check()
        for service in self._services():
            service.check()

    def stop_services(self) -> None:
        """End what writes to the bus, the ingestors first; each has its time to."""
        self._stop(self._ingestors)
        self._stop([] if self._indicator is None else [self._indicator])

    def stop(self) -> None:
        """End everything. Idempotent."""
        self.stop_services()
        self._stop([] if self._simulator is None else [self._simulator])
        if self._broker is not None:
            self._broker.stop()

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # --- the parts ---------------------------------------------------------------------------

    def _start_broker(self) -> tuple[KafkaSettings, Topology]:
        named = os.environ.get(BOOTSTRAP)
        with self._step(f"broker at {named}" if named else "embedded broker"):
            if named:
                if self._options.broker_port is not None:
                    raise SettingsError(
                        f"expected --broker-port or {BOOTSTRAP}, was both: {named} is not ours"
                    )
                settings = Settings.load()
            else:
                self._broker = EmbeddedBroker(self._port())
                settings = Settings.load(kafka_bootstrap_servers=self._broker.bootstrap_servers)
            kafka = settings.kafka("collector-run")
            reach(kafka)
            topology = Topology(
                settings.topics(), settings.topic_retention, settings.topic_replicas
            )
            # the table reads the catalogue before any service has made it
            Provisioner(kafka).ensure(topology.bus())
        if self._broker is not None and self._broker.port != _PORT:
            self._say(f"  (for other terminals: {BOOTSTRAP}={kafka.bootstrap_servers})\n")
        return kafka, topology

    def _port(self) -> int | None:
        wanted = self._options.broker_port
        if wanted is not None:
            return wanted or None
        return _PORT if is_free(_PORT) else None

    def _start_simulator(self) -> dict[str, Endpoints] | None:
        if self._simulator is None:
            return None
        with self._step("simulated exchanges"):
            line = self._simulator.first_line(_PATIENCE, self._wait)
            try:
                urls = _Urls(line)
                return {
                    name: Endpoints(urls[name]["websocket_url"], urls[name]["rest_url"])
                    for name in self.exchanges
                }
            except (msgspec.MsgspecError, KeyError) as error:
                raise CollectorError(
                    f"expected the simulator's first line to name its URLs, was {line[:200]!r}"
                ) from error

    def _service(self, name: str, program: tuple[str, ...], settings: dict[str, str]) -> Service:
        self._wait()
        return Service(name, program, settings, self._folder, self._programs.patience)

    def _services(self) -> Iterator[Service]:
        if self._simulator is not None:
            yield self._simulator
        yield from self._ingestors
        if self._indicator is not None:
            yield self._indicator

    def _stop(self, services: list[Service]) -> None:
        if services:
            with ThreadPoolExecutor(len(services)) as pool:
                list(pool.map(Service.stop, services))

    def _wait(self) -> None:
        if self._stopping():
            raise Stopped

    @contextmanager
    def _step(self, what: str) -> Iterator[None]:
        self._wait()
        self._say(f"starting {what} … ")
        begun = monotonic()
        try:
            yield
        except BaseException:
            self._say("\n")
            raise
        self._say(f"ok {monotonic() - begun:.1f} s\n")
