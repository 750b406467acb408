"""How settings are called outside: ``COLLECTOR_<FIELD>``, but for the few short ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Final

from pydantic_settings import BaseSettings

from collector_core.errors import SettingsError

__all__ = ["PREFIX", "SHORT", "Short", "check_names", "known_names", "outside_name"]

PREFIX: Final = "COLLECTOR_"
ENTRY_POINTS: Final = "collector.settings"
"""Group of entry points by which a service's package names its settings class."""

_RESERVED: Final = frozenset(
    {
        "COLLECTOR_CONFIG",
        "COLLECTOR_DEBUG",
        "COLLECTOR_ENV_FILE",
        "COLLECTOR_FORBID_SKIPS",
        "COLLECTOR_SECRETS_DIR",
    }
)
"""Where settings come from, how errors are shown, what tests may skip; no fields."""

_SERVICE_LINK: Final = re.compile(
    r"_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT$|_PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?$"
).search
"""What Kubernetes puts into a container for a Service; one called ``collector`` looks like us."""


class Short:
    """Marks a field whose name outside has no prefix: ``Annotated[str, SHORT]``."""


SHORT: Final = Short()


def outside_name(settings: type[BaseSettings], field: str) -> str:
    """Return the environment variable of a field."""
    marked = any(isinstance(mark, Short) for mark in settings.model_fields[field].metadata)
    return field.upper() if marked else PREFIX + field.upper()


def known_names(settings: type[BaseSettings]) -> dict[str, str]:
    """Return the fields of a settings class by the names of their environment variables."""
    return {outside_name(settings, field): field for field in settings.model_fields}


def check_names(settings: type[BaseSettings], names: Mapping[str, str], source: str) -> None:
    """Refuse names that start as ours and that no installed service knows.

    Other services' settings may share an environment or a file, so their classes are looked up,
    but only when a name is not one of ``settings``.

    Args:
        settings: class of the service that starts.
        names: names in upper case, and their values.
        source: where they stand, for the error's text.

    Raises:
        SettingsError: a name that nobody knows, with the nearest known one.
    """
    own = known_names(settings)
    foreign = {
        name: value
        for name, value in names.items()
        if name.startswith(PREFIX) and name not in own and name not in _RESERVED
    }
    strange = {name: value for name, value in foreign.items() if not _is_service_link(name, value)}
    if not strange:
        return
    everybody = set(own) | _RESERVED
    for service in entry_points(group=ENTRY_POINTS):
        everybody |= set(known_names(service.load()))
    unknown = sorted(set(strange) - everybody)
    if unknown:
        raise SettingsError("; ".join(_unknown(name, source, everybody) for name in unknown))


def _is_service_link(name: str, value: str) -> bool:
    if not _SERVICE_LINK(name):
        return False
    # COLLECTOR_X_PORT may well be a misspelt setting, unless its value is an address
    return not name.endswith("_PORT") or "SERVICE_PORT" in name or "://" in value


def _unknown(name: str, source: str, known: Iterable[str]) -> str:
    """Return the sentence for a name that nobody knows."""
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    # EXCHANGE is nearer to COLLECTOR_EXCHANGE than the matcher thinks
    bare = name.removeprefix(PREFIX)
    if bare in set(known):
        near = [bare]
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"unknown setting {name} in {source}{hint}"
