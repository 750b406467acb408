"""What is computed for which streams: of each input, the first entry that fits a stream decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from collector_indicators.following import Following
from collector_indicators.settings import CalculationSettings

__all__ = ["INPUTS", "Entry", "Plan", "channel_of"]


INPUTS: Final[Mapping[str, str]] = {"trade": "bar", "candle": "candle", "book": "book"}
"""What a calculation calls its input, by the channel that it reads."""
_CHANNELS: Final = {input: channel for channel, input in INPUTS.items()}  # noqa: A001  # the setting's name


class Entry(NamedTuple):
    """Streams, and what is computed from each of them."""

    following: Following
    settings: CalculationSettings


class Plan:
    """The calculations of an installation.

    Args:
        entries: in the order in which they are tried.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        # input channels that something is computed from
        self.channels = frozenset(channel_of(entry.settings) for entry in self.entries)
        self.settings_of = lru_cache(maxsize=None)(self._settings_of)

    def _settings_of(self, channel: str, exchange: str, symbol: str) -> CalculationSettings | None:
        """Return what is computed from a stream, None if nothing is."""
        for entry in self.entries:
            if channel == channel_of(entry.settings) and entry.following.wants(exchange, symbol):
                return entry.settings
        return None


def channel_of(settings: CalculationSettings) -> str:
    """Return the channel of the topics that a calculation reads."""
    return _CHANNELS[settings.input]
