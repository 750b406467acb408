"""What is asked of an indicator's class before it is tried: names, outputs, parameters, words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from collector_core.errors import CollectorError
from collector_indicators.discovery import AnyKind
from collector_indicators.parameters import Parameters

__all__ = ["form", "said"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


def form(kind: AnyKind, attributes: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each rule of form that a class breaks.

    Args:
        kind: the class.
        attributes: class variables that it must have.
    """
    for attribute in attributes:
        if not hasattr(kind, attribute):
            yield f"expected the class variable {attribute}, was none"
            return
    if not _NAME.fullmatch(kind.name):
        yield f"expected a name of lower-case letters, digits and _, was {kind.name!r}"
    if not kind.outputs or len(set(kind.outputs)) < len(kind.outputs):
        yield f"expected names of outputs, each once, was {kind.outputs!r}"
    if not (kind.__doc__ or "").strip():
        yield "expected a docstring that says what it is, was none"
    parameters: type = kind.parameters_type
    if not issubclass(parameters, Parameters):
        yield f"expected parameters_type to be Parameters, was {parameters.__name__}"
        return
    for field in msgspec.structs.fields(parameters):
        if field.default is msgspec.NODEFAULT:
            yield f"expected a default of parameter {field.name}, was none"
            return
    try:
        default = kind.create()
        if kind.create(default.params).params != default.params:
            yield f"expected parameters {default.params!r} to be read back, was something else"
    except Exception as error:  # noqa: BLE001  # a user's code may raise anything
        yield f"expected to be made with its defaults, was {said(error)}"


def said(error: Exception) -> str:
    """Return what an error says, with its type where it is none of ours."""
    return str(error) if isinstance(error, CollectorError) else f"{type(error).__name__}: {error}"
