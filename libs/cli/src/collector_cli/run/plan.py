"""What ``collector run`` starts: programs, exchanges, symbols, and how each is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from collector_core.errors import SettingsError, SymbolError
from collector_core.symbols import split
from collector_exchanges.discovery import adapter, exchanges

__all__ = [
    "BOOTSTRAP",
    "Endpoints",
    "Options",
    "Programs",
    "chosen_exchanges",
    "ingestor_settings",
    "service_settings",
    "symbols_of",
]

BOOTSTRAP: Final = "KAFKA_BOOTSTRAP_SERVERS"

_BASES: Final = ("BTC", "ETH")
"""What every exchange trades against its main quote currency."""


@dataclass(frozen=True)
class Programs:
    """Arguments of Python for each service; tests put others in their place."""

    simulator: tuple[str, ...] = ("-m", "collector_simulator")
    ingestor: tuple[str, ...] = ("-m", "collector_ingestor")
    indicator: tuple[str, ...] = ("-m", "collector_indicator")
    patience: float = 10.0
    """Seconds that each has to end by itself."""


@dataclass(frozen=True)
class Options:
    """What the user chose."""

    live: bool = False
    seconds: float | None = None
    """How long to run; None runs until interrupted."""
    exchanges: tuple[str, ...] = ()
    """Empty for all."""
    symbols: tuple[str, ...] = ()
    """``exchange:BASE/QUOTE``; an exchange without any has its own two."""
    broker_port: int | None = None
    """Of the embedded broker; None takes 9092 if it is free, else another."""


@dataclass(frozen=True)
class Endpoints:
    """Where an exchange is, instead of its own address."""

    websocket_url: str
    rest_url: str


def chosen_exchanges(options: Options, simulated: Sequence[str] | None) -> tuple[str, ...]:
    """Return the exchanges to run; ``simulated`` are those that the simulator serves, if it runs.

    Raises:
        SettingsError: one is unknown, or is not simulated.
    """
    known = exchanges() if simulated is None else [e for e in exchanges() if e in simulated]
    for name in options.exchanges:
        if name not in known:
            where = "" if simulated is None else " that the simulator serves"
            raise SettingsError(
                f"expected exchanges{where}, some of {', '.join(known)}, was {name!r}"
            )
    return options.exchanges or tuple(known)


def symbols_of(options: Options, chosen: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the symbols of each exchange.

    Raises:
        SettingsError: an entry is not ``exchange:BASE/QUOTE`` of an exchange that is run.
    """
    named: dict[str, list[str]] = {}
    for entry in options.symbols:
        exchange, colon, symbol = entry.partition(":")
        try:
            split(symbol)
        except SymbolError as error:
            raise SettingsError(
                f"expected --symbols exchange:BASE/QUOTE, was {entry!r}: {error}"
            ) from error
        if not colon or exchange not in chosen:
            raise SettingsError(
                f"expected --symbols of an exchange that is run ({', '.join(chosen)}), "
                f"was {entry!r}"
            )
        named.setdefault(exchange, []).append(symbol)
    return {
        exchange: tuple(
            named.get(exchange) or (f"{base}/{adapter(exchange).spec.quotes[0]}" for base in _BASES)
        )
        for exchange in chosen
    }


def ingestor_settings(
    exchange: str, symbols: Sequence[str], at: Endpoints | None
) -> dict[str, str]:
    """Return the environment of one ingestor."""
    settings = {"EXCHANGE": exchange, "SYMBOLS": ",".join(symbols)}
    if at is not None:
        settings["COLLECTOR_WEBSOCKET_URL"] = at.websocket_url
        settings["COLLECTOR_REST_URL"] = at.rest_url
    return settings


def service_settings(bootstrap_servers: str, health_port: int) -> dict[str, str]:
    """Return the environment that every service on the bus has."""
    return {BOOTSTRAP: bootstrap_servers, "COLLECTOR_HEALTH_PORT": str(health_port)}
