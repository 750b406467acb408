"""What ``collector run`` starts: programs, exchanges, symbols, and how each is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from collector_core.errors import SettingsError, SymbolError
from collector_core.symbols import split
from collector_exchanges.discovery import adapter, exchanges
from collector_feed.spec import Spec

__all__ = [
    "BOOTSTRAP",
    "EVERY",
    "Endpoints",
    "Options",
    "Programs",
    "chosen_exchanges",
    "few",
    "ingestor_settings",
    "service_settings",
    "simulator_settings",
    "symbols_of",
]

BOOTSTRAP: Final = "KAFKA_BOOTSTRAP_SERVERS"
EVERY: Final = "all"
"""In place of names: every exchange that there is."""

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
    """Empty for a few, ``all`` for every one."""
    symbols: tuple[str, ...] = ()
    """``exchange:BASE/QUOTE``; an exchange without any has its own two."""
    broker_port: int | None = None
    """Of the embedded broker; None takes 9092 if it is free, else another."""


@dataclass(frozen=True)
class Endpoints:
    """Where an exchange is, instead of its own address."""

    websocket_url: str
    rest_url: str


def chosen_exchanges(options: Options) -> tuple[str, ...]:
    """Return the exchanges to run.

    Raises:
        SettingsError: one is unknown.
    """
    known = exchanges()
    if options.exchanges == (EVERY,):
        return tuple(known)
    for name in options.exchanges:
        if name not in known:
            raise SettingsError(
                f"expected exchanges, some of {', '.join(known)}, or {EVERY}, was {name!r}"
            )
    return tuple(dict.fromkeys(options.exchanges)) or few()


def few() -> tuple[str, ...]:
    """Return the exchanges that are run when nobody says which, so that a laptop bears it.

    One for each way in which a book begins: with a snapshot over REST, with one in the stream, and
    whole in each frame. Of several it is the one that takes the most streams on a connection.
    """
    widest: dict[str, Spec] = {}
    for name in exchanges():
        spec = adapter(name).spec
        rest = "fetched" if spec.book_by_rest else "streamed"
        way = "whole" if spec.book_rule == "whole" else rest
        held = widest.setdefault(way, spec)
        if spec.subscriptions_per_connection > held.subscriptions_per_connection:
            widest[way] = spec
    return tuple(sorted(spec.exchange for spec in widest.values()))


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


def simulator_settings(chosen: Sequence[str]) -> dict[str, str]:
    """Return the environment of the simulator: it makes markets for those that are run alone."""
    return {"COLLECTOR_SIMULATOR_EXCHANGES": ",".join(chosen)}


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
