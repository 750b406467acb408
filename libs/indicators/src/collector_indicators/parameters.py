"""Parameters of an indicator: a frozen struct, its canonical text ``12:26:9``, and back."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TypeVar

import msgspec

from collector_core.errors import SettingsError

__all__ = ["Parameters", "read", "text"]


class Parameters(msgspec.Struct, frozen=True):
    """Base of the parameters of an indicator: every field has a default and its bounds.

    Bounds stand in the field's annotation (``msgspec.Meta``); what several fields must fulfil
    together, ``check`` says.
    """

    def check(self) -> None:
        """Raise ``ValueError`` with "expected X, was Y" if the fields do not fit together."""


_P = TypeVar("_P", bound=Parameters)


def text(parameters: Parameters) -> str:
    """Return the values in declared order, joined by colons: ``12:26:9``; ``20:2`` for 2.0."""
    return ":".join(_words(parameters))


@cache
def read(indicator: str, kind: type[_P], given: str) -> _P:
    """Return parameters from their text; what is left out at the end keeps its default.

    Raises:
        SettingsError: names the indicator, the parameter, what was expected and what came.
    """
    fields = msgspec.structs.fields(kind)
    parts = given.split(":") if given else []
    if len(parts) > len(fields):
        names = ":".join(field.name for field in fields) or "none"
        raise SettingsError(
            f"indicator {indicator}: expected at most {len(fields)} parameters ({names}), "
            f"was {given!r}"
        )
    values = {}
    for field, part in zip(fields, parts, strict=False):
        try:
            values[field.name] = msgspec.convert(part, field.type, strict=False)
        except msgspec.ValidationError as error:
            raise SettingsError(
                f"indicator {indicator}: parameter {field.name}: {_sentence(error)}, was {part!r}"
            ) from None
    parameters = kind(**values)
    try:
        parameters.check()
    except ValueError as error:
        raise SettingsError(f"indicator {indicator}: {error}") from None
    return parameters


def _words(parameters: Parameters) -> Iterator[str]:
    for value in msgspec.structs.astuple(parameters):
        yield repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _sentence(error: msgspec.ValidationError) -> str:
    # msgspec says "Expected `int` >= 2", and for a wrong type also what came, in its own words
    said = str(error).partition(", got")[0]
    return said[:1].lower() + said[1:]
