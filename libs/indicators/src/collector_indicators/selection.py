"""What a user chooses: ``rsi:14,macd:12:26:9,bollinger:20:2,vwap``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from collector_core.errors import SettingsError
from collector_indicators.book_indicator import BookIndicator
from collector_indicators.discovery import AnyBookIndicator, AnyIndicator, AnyKind, indicators

__all__ = ["Choice", "parse_choice", "parse_named", "parse_set"]


class Choice(msgspec.Struct, frozen=True, order=True):
    """One indicator with its parameters in canonical text."""

    name: str
    params: str

    def create(self) -> AnyIndicator:
        """Return a new indicator over bars or candles.

        Raises:
            SettingsError: there is none of this name, or the parameters are not its own.
        """
        kind = self.kind()
        if issubclass(kind, BookIndicator):
            raise self._refused(kind, "candle or bar")
        return kind.create(self.params)

    def create_of_book(self) -> AnyBookIndicator:
        """Return a new indicator over books.

        Raises:
            SettingsError: as ``create``.
        """
        kind = self.kind()
        if not issubclass(kind, BookIndicator):
            raise self._refused(kind, "book")
        return kind.create(self.params)

    def check(self, source: str) -> None:
        """Let pass what is written out in full and computed over an input.

        Args:
            source: what a calculation calls its input.

        Raises:
            SettingsError: names the indicator, what was expected and what came.
        """
        kind = self.kind()
        if source not in kind.inputs:
            raise self._refused(kind, source)
        if kind.create(self.params).params != self.params:
            raise SettingsError(f"indicators: expected all parameters written out, was {self}")

    def _refused(self, kind: AnyKind, source: str) -> SettingsError:
        own = " or ".join(kind.inputs)
        return SettingsError(
            f"expected an indicator over {source}, was {self.name}, which is over {own}"
        )

    def kind(self) -> AnyKind:
        """Return the indicator of this name.

        Raises:
            SettingsError: there is none.
        """
        kind = indicators().get(self.name)
        if kind is None:
            raise SettingsError(
                f"expected an indicator ({', '.join(indicators())}), was {self.name!r}"
            )
        return kind

    def __str__(self) -> str:
        return f"{self.name}:{self.params}" if self.params else self.name


def parse_choice(text: str) -> Choice:
    """Return one choice such as ``rsi:14``; parameters left out take their defaults.

    Raises:
        SettingsError: names what was expected and what came.
    """
    name, _, params = text.strip().partition(":")
    return Choice(name, Choice(name, "").kind().create(params).params)


def parse_named(name: str, parameters: Mapping[str, Any]) -> Choice:
    """Return a choice whose parameters are given by name; those left out take their defaults.

    Raises:
        SettingsError: names what was expected and what came.
    """
    given = {word: str(value) for word, value in parameters.items()}
    kind = Choice(name, "").kind()
    fields = msgspec.structs.fields(kind.parameters_type)
    names = [field.name for field in fields]
    for word in given:
        if word not in names:
            raise SettingsError(
                f"indicator {name}: expected a parameter ({', '.join(names) or 'none'}), "
                f"was {word!r}"
            )
    texts = (given.get(field.name, str(field.default)) for field in fields)
    return parse_choice(f"{name}:{':'.join(texts)}".rstrip(":"))


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
