"""Finds the indicators: the catalogue's, those of installed packages, and those of a user's file.

Each class that a module of ``collector_indicators.catalogue`` exports is one. A package brings its
own by an entry point of the group ``collector.indicators`` that names a module or a class; a file
by ``load_file``. ``collector_indicators.conformance`` tells whether they keep the contract.
"""

from __future__ import annotations

import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from itertools import count
from types import MappingProxyType, ModuleType
from typing import Any, Final, TypeAlias

from collector_core.errors import SettingsError
from collector_indicators import catalogue as package
from collector_indicators.book_indicator import BookIndicator
from collector_indicators.indicator import Indicator

__all__ = [
    "AnyBookIndicator",
    "AnyIndicator",
    "AnyKind",
    "bar_indicators",
    "exported",
    "indicators",
    "load_file",
    "load_module",
]

# whoever holds indicators of all kinds cannot name the types of their parameters and states
AnyIndicator: TypeAlias = Indicator[Any, Any]
AnyBookIndicator: TypeAlias = BookIndicator[Any]
AnyKind: TypeAlias = type[AnyIndicator] | type[AnyBookIndicator]
"""An indicator over bars and candles, or one over books."""

_GROUP: Final = "collector.indicators"
# indicators of files, by the file
_NUMBERS: Final = count()
_FILES: Final[dict[str, list[AnyKind]]] = {}


@cache
def indicators() -> Mapping[str, AnyKind]:
    """Return every indicator by its name, in alphabetical order.

    Raises:
        SettingsError: two bring the same name, or a package's entry point cannot be loaded.
    """
    found: dict[str, AnyKind] = {}
    for kind, place in _everywhere():
        known = found.get(kind.name)
        if known is not None:
            raise SettingsError(
                f"expected one indicator {kind.name}, was another in {place} "
                f"beside that of {known.__module__}"
            )
        found[kind.name] = kind
    return MappingProxyType(dict(sorted(found.items())))


def bar_indicators() -> Mapping[str, type[AnyIndicator]]:
    """Return the indicators over bars and candles by their names, in alphabetical order.

    Raises:
        SettingsError: as ``indicators``.
    """
    return {name: kind for name, kind in indicators().items() if issubclass(kind, Indicator)}


def load_file(path: str) -> list[AnyKind]:
    """Return the indicators that a Python file exports, and let all find them from now on.

    A file that is loaded again replaces what it brought before.

    Raises:
        SettingsError: it cannot be imported, brings none, or one of a name that is taken.
    """
    name = f"collector_indicators_file_{next(_NUMBERS)}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SettingsError(f"expected a Python file of indicators, was {path}")
    module = importlib.util.module_from_spec(spec)
    # annotations are looked up by the module's name
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a user's code may raise anything
        raise SettingsError(
            f"expected a Python file of indicators at {path}, was {type(error).__name__}: {error}"
        ) from error
    before = _FILES.get(path)
    _FILES[path] = _some(module, path)
    indicators.cache_clear()
    try:
        indicators()
    except SettingsError:
        if before is None:
            del _FILES[path]
        else:
            _FILES[path] = before
        indicators.cache_clear()
        raise
    return _FILES[path]


def load_module(name: str) -> list[AnyKind]:
    """Return the indicators that an importable module exports.

    Raises:
        SettingsError: it cannot be imported, or brings none.
    """
    try:
        module = import_module(name)
    except Exception as error:  # as above
        raise SettingsError(
            f"expected a module of indicators, was {name}: {type(error).__name__}: {error}"
        ) from error
    return _some(module, name)


def exported(module: ModuleType) -> list[AnyKind]:
    """Return the indicators that a module exports: by ``__all__``, else those written in it."""
    names = getattr(module, "__all__", None)
    kinds = [getattr(module, name) for name in (names or vars(module))]
    return [
        kind
        for kind in kinds
        if isinstance(kind, type)
        and issubclass(kind, Indicator | BookIndicator)
        and not inspect.isabstract(kind)
        and (names is not None or kind.__module__ == module.__name__)
    ]


def _some(module: ModuleType, where: str) -> list[AnyKind]:
    kinds = exported(module)
    if not kinds:
        raise SettingsError(f"expected at least one indicator in {where}, was none")
    return kinds


def _everywhere() -> Iterator[tuple[AnyKind, str]]:
    """Return each indicator with where it comes from."""
    for info in pkgutil.iter_modules(package.__path__):
        module = import_module(f"{package.__name__}.{info.name}")
        for kind in exported(module):
            yield kind, module.__name__
    for point in entry_points(group=_GROUP):
        try:
            loaded = point.load()
        except Exception as error:  # an installed package may raise anything
            raise SettingsError(
                f"expected indicators at entry point {point.name} ({point.value}), "
                f"was {type(error).__name__}: {error}"
            ) from error
        kinds = exported(loaded) if isinstance(loaded, ModuleType) else [loaded]
        for kind in kinds:
            yield kind, point.value
    for path, kinds in _FILES.items():
        for kind in kinds:
            yield kind, path
