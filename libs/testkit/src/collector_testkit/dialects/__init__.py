"""The exchanges' side of their protocols, one folder each; the folder is the registration.

A folder exports its dialect as ``DIALECT``. Nothing here opens a socket or reads a clock.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from collector_core.errors import SettingsError
from collector_testkit.dialects.dialect import Dialect
from collector_testkit.dialects.messages import Action, Close, Delivery, Freeze, Reply, Request
from collector_testkit.dialects.streams import Streams

__all__ = [
    "Action",
    "Close",
    "Delivery",
    "Dialect",
    "Freeze",
    "Reply",
    "Request",
    "Streams",
    "available",
    "load",
]


def available() -> list[str]:
    """Return the names of the exchanges that have a dialect."""
    return sorted(module.name for module in iter_modules(__path__) if module.ispkg)


def load(name: str) -> type[Dialect]:
    """Return the dialect of an exchange.

    Raises:
        SettingsError: there is no such folder.
    """
    if name not in available():
        raise SettingsError(f"expected one of {', '.join(available())}, was {name!r}")
    dialect = import_module(f"{__name__}.{name}").DIALECT
    if not (isinstance(dialect, type) and issubclass(dialect, Dialect)):
        raise SettingsError(f"expected DIALECT of {name} to be a Dialect, was {dialect!r}")
    return dialect
