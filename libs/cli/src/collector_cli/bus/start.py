"""Where reading begins: the earliest row, the latest, or a time."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from collector_core.errors import SettingsError
from collector_indicators.candle_file import read_time

__all__ = ["Start", "parse_start"]

Start: TypeAlias = Literal["earliest", "latest"] | int
"""An int is a time in microseconds since the epoch, compared with the rows' Kafka timestamps."""

_WORDS: Final = ("earliest", "latest")


def parse_start(text: str) -> Start:
    """Return the start that a text names.

    Raises:
        SettingsError: it is neither of the two words nor a time.
    """
    if text == "earliest":
        return "earliest"
    if text == "latest":
        return "latest"
    try:
        return read_time(text)
    except ValueError as error:
        raise SettingsError(f"--from: expected {' or '.join(_WORDS)}, or a time: {error}") from None
