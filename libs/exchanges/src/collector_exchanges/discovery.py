"""Finds the exchanges: every folder of this package is one, and exports its ``ADAPTER``."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import collector_exchanges
from collector_core.errors import SettingsError
from collector_core.symbols import SymbolTable
from collector_feed.adapter import Adapter

__all__ = ["adapter", "exchanges", "replay_adapter"]


@cache
def exchanges() -> tuple[str, ...]:
    """Return the names of all exchanges, sorted."""
    return tuple(sorted(m.name for m in iter_modules(collector_exchanges.__path__) if m.ispkg))


def adapter(exchange: str) -> type[Adapter]:
    """Return an exchange's adapter class.

    Raises:
        SettingsError: there is no such exchange.
    """
    if exchange not in exchanges():
        raise SettingsError(
            f"expected an exchange, one of {', '.join(exchanges())}, was {exchange!r}"
        )
    found = import_module(f"{collector_exchanges.__name__}.{exchange}").ADAPTER
    if not (isinstance(found, type) and issubclass(found, Adapter)):
        raise TypeError(f"expected an Adapter class as ADAPTER of {exchange}, was {found!r}")
    return found


def replay_adapter(exchange: str) -> Adapter:
    """Return an adapter that splits symbols by the exchange's known quote currencies."""
    kind = adapter(exchange)
    return kind(SymbolTable(fallback=kind.read_symbol))
