"""Finds the indicators: each class that a module of ``collector_indicators.catalogue`` exports."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any, TypeAlias

from collector_core.errors import SettingsError
from collector_indicators import catalogue as package
from collector_indicators.indicator import Indicator

__all__ = ["AnyIndicator", "indicators"]

# whoever holds indicators of all kinds cannot name the types of their parameters and states
AnyIndicator: TypeAlias = Indicator[Any, Any]


@cache
def indicators() -> Mapping[str, type[AnyIndicator]]:
    """Return every indicator by its name, in alphabetical order.

    Raises:
        SettingsError: two modules bring the same name.
    """
    found: dict[str, type[AnyIndicator]] = {}
    for info in pkgutil.iter_modules(package.__path__):
        module = import_module(f"{package.__name__}.{info.name}")
        for exported in module.__all__:
            kind = getattr(module, exported)
            if isinstance(kind, type) and issubclass(kind, Indicator):
                if kind.name in found:
                    raise SettingsError(
                        f"expected one indicator {kind.name}, was another in {module.__name__}"
                    )
                found[kind.name] = kind
    return MappingProxyType(dict(sorted(found.items())))
