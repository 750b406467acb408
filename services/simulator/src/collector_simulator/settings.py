"""What may be set of the simulator."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import Field, field_validator

from collector_core.errors import CollectorError
from collector_core.symbols import split
from collector_runtime.settings import Pairs, Settings, Words
from collector_testkit.dialects import available, load
from collector_testkit.faults import KINDS

__all__ = ["SimulatorSettings"]

_PORTS: Final = range(65536)
_MOST_LISTED: Final = 50_000


class SimulatorSettings(Settings):
    """Settings of the simulator; it uses none of Kafka's."""

    simulator_host: str = Field("127.0.0.1", description="Address that the exchanges listen on.")
    simulator_exchanges: Words = Field(
        (), description="Exchanges to simulate; all that there are by default."
    )
    simulator_ports: Pairs = Field(
        {}, description="Port by exchange, exchange=port; 0 or none takes a free one."
    )
    simulator_symbols: Words = Field(
        (), description="Symbols, exchange:BASE/QUOTE; an exchange without any has its own few."
    )
    simulator_listed: Pairs = Field(
        {},
        description="Number of further symbols by exchange, exchange=number; each trades once"
        " a client names it.",
    )
    simulator_seed: int = Field(1, description="Seed of the market and of the faults.")
    simulator_rate: float = Field(
        50.0, ge=0, le=100_000, description="Orders placed, cancelled or taken a second, a symbol."
    )
    simulator_taker_share: float = Field(
        0.25, ge=0, le=0.5, description="Share of them that take; about so many trades follow."
    )
    simulator_preroll: float = Field(
        300.0, ge=0, le=86_400, description="Seconds of market before the start, as history."
    )
    simulator_preroll_rate: float = Field(
        5.0, ge=0, le=1_000, description="Rate in that time, no more than the rate after it."
    )
    simulator_truth_log: Path | None = Field(
        None, description="File that each trade and each fault is appended to, as JSON lines."
    )
    simulator_max_age: float | None = Field(
        None, gt=0, description="Seconds after which connections are cut, if not the exchange's."
    )
    simulator_idle: float | None = Field(
        None, gt=0, description="Seconds of silence after which they are, if not the exchange's."
    )
    simulator_weight: int | None = Field(
        None, gt=0, description="REST requests, by weight, in a window, if not the exchange's."
    )
    simulator_messages: int | None = Field(
        None, gt=0, description="Messages a second of a connection, if not the exchange's."
    )
    simulator_attempts: str = Field(
        "", description="Handshakes of an address, count/seconds, if not the exchange's."
    )
    simulator_connections: int | None = Field(
        None, gt=0, description="Open connections of an address, if not the exchange's."
    )
    simulator_faults_per_minute: float = Field(
        0.0, ge=0, le=6_000, description="Mean number of random faults of each exchange."
    )
    simulator_fault_kinds: Words = Field((), description="Kinds of those; all by default.")
    simulator_compression: bool = Field(
        default=False, description="Take permessage-deflate from clients that offer it."
    )

    @field_validator("simulator_exchanges")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            _exchange(name)
        return value

    @field_validator("simulator_ports")
    @classmethod
    def _ports(cls, value: dict[str, str]) -> dict[str, str]:
        for name, port in value.items():
            _exchange(name)
            if not port.isdecimal() or int(port) not in _PORTS:
                raise ValueError(f"expected a port from 0 to 65535 for {name}, was {port!r}")
        return value

    @field_validator("simulator_listed")
    @classmethod
    def _listed(cls, value: dict[str, str]) -> dict[str, str]:
        for name, number in value.items():
            _exchange(name)
            if not number.isdecimal() or int(number) > _MOST_LISTED:
                raise ValueError(f"expected 0 to {_MOST_LISTED} for {name}, was {number!r}")
        return value

    @field_validator("simulator_attempts")
    @classmethod
    def _attempts(cls, value: str) -> str:
        count, _, seconds = value.partition("/")
        numbers = count.isdecimal() and seconds.replace(".", "", 1).isdecimal()
        if value and not (numbers and int(count) > 0 and float(seconds) > 0):
            raise ValueError(f"expected count/seconds, was {value!r}")
        return value

    @field_validator("simulator_symbols")
    @classmethod
    def _symbols(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for entry in value:
            name, colon, symbol = entry.partition(":")
            if not colon:
                raise ValueError(f"expected exchange:BASE/QUOTE, was {entry!r}")
            _exchange(name)
            try:
                split(symbol)
                load(name).listing(symbol)
            except CollectorError as error:
                raise ValueError(str(error)) from error
        return value

    @field_validator("simulator_fault_kinds")
    @classmethod
    def _kinds(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for kind in value:
            if kind not in KINDS:
                raise ValueError(f"expected one of {', '.join(KINDS)}, was {kind!r}")
        return value

    def exchanges(self) -> tuple[str, ...]:
        """Return the exchanges to simulate."""
        return self.simulator_exchanges or tuple(available())

    def port(self, exchange: str) -> int:
        """Return the port of an exchange; 0 for a free one."""
        return int(self.simulator_ports.get(exchange, "0"))

    def listed(self, exchange: str) -> int:
        """Return how many further symbols an exchange lists."""
        return int(self.simulator_listed.get(exchange, "0"))

    def attempts(self) -> tuple[int, float] | None:
        """Return how many handshakes an address may try in how many seconds, if it is set."""
        count, _, seconds = self.simulator_attempts.partition("/")
        return (int(count), float(seconds)) if count else None

    def symbols(self, exchange: str) -> list[str] | None:
        """Return the symbols of an exchange, or None for its own few."""
        entries = [entry.partition(":") for entry in self.simulator_symbols]
        return [symbol for name, _, symbol in entries if name == exchange] or None


def _exchange(name: str) -> None:
    if name not in available():
        raise ValueError(f"expected one of {', '.join(available())}, was {name!r}")
