"""What all indicators have, whatever they are computed over: a name, parameters and outputs."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar, Generic, Self, TypeAlias, TypeVar

from collector_indicators import parameters as parameters_text
from collector_indicators.parameters import Parameters

__all__ = ["Named", "Values"]

Values: TypeAlias = dict[str, float | None]
"""Output name to a finite double, or None where the value is not defined (yet)."""

P = TypeVar("P", bound=Parameters)


class Named(ABC, Generic[P]):
    """Something that users choose by a name and parameters: ``macd:12:26:9``."""

    name: ClassVar[str]
    """Lower-case word by which users choose it."""
    outputs: ClassVar[tuple[str, ...]]
    """Names of its values, in the order of their rows."""
    inputs: ClassVar[tuple[str, ...]]
    """What a calculation may read to compute it."""
    parameters_type: ClassVar[type[Parameters]]

    def __init__(self, parameters: P) -> None:
        self.parameters: P = parameters

    @classmethod
    def create(cls, given: str = "") -> Self:
        """Return an indicator for a parameter text such as ``12:26:9``; empty takes defaults.

        Raises:
            SettingsError: names the indicator, the parameter, what was expected and what came.
        """
        return cls(parameters_text.read(cls.name, cls.parameters_type, given))

    @property
    def params(self) -> str:
        """Canonical text of the parameters, all of them written out."""
        return parameters_text.text(self.parameters)
