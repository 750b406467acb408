"""What a user chooses: ``rsi:14,macd:12:26:9,bollinger:20:2,vwap``."""

from __future__ import annotations

import msgspec

from collector_core.errors import SettingsError
from collector_indicators.discovery import AnyIndicator, indicators

__all__ = ["Choice", "parse_choice", "parse_set"]


class Choice(msgspec.Struct, frozen=True, order=True):
    """One indicator with its parameters in canonical text."""

    name: str
    params: str

    def create(self) -> AnyIndicator:
        """Return a new indicator.

        Raises:
            SettingsError: there is none of this name, or the parameters are not its own.
        """
        kind = indicators().get(self.name)
        if kind is None:
            raise SettingsError(
                f"expected an indicator ({', '.join(indicators())}), was {self.name!r}"
            )
        return kind.create(self.params)

    def __str__(self) -> str:
        return f"{self.name}:{self.params}" if self.params else self.name


def parse_choice(text: str) -> Choice:
    """Return one choice such as ``rsi:14``; parameters left out take their defaults.

    Raises:
        SettingsError: names what was expected and what came.
    """
    name, _, params = text.strip().partition(":")
    return Choice(name, Choice(name, params).create().params)


def parse_set(text: str) -> tuple[Choice, ...]:
    """Return the choices of a comma-separated list, in its order.

    Raises:
        SettingsError: empty, unknown, wrong parameters, or the same choice twice.
    """
    choices: list[Choice] = []
    for part in text.split(","):
        choice = parse_choice(part)
        if choice in choices:
            raise SettingsError(f"expected each indicator once, was {choice} twice in {text!r}")
        choices.append(choice)
    return tuple(choices)
