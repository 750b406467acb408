"""Which rows of the bus are wanted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from collector_core.errors import SettingsError, SymbolError
from collector_core.symbols import split
from collector_runtime.kafka.topology import RETENTION

__all__ = ["APART", "Choice"]

APART: Final = frozenset({"status", "dead-letter"})
"""Channels that are read only when named; a status row stands in the topic it concerns as well."""


@dataclass(frozen=True)
class Choice:
    """Channels, exchanges and symbols; an empty set stands for all.

    Raises:
        SettingsError: a channel that has no topics, or a symbol that is not in our spelling.
    """

    channels: frozenset[str] = field(default_factory=frozenset)
    exchanges: frozenset[str] = field(default_factory=frozenset)
    symbols: frozenset[str] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        for channel in self.channels:
            if channel not in RETENTION:
                raise SettingsError(
                    f"expected one of the channels {', '.join(RETENTION)}, was {channel!r}"
                )
        for symbol in self.symbols:
            try:
                split(symbol)
            except SymbolError as error:
                raise SettingsError(str(error)) from error

    def takes(self, channel: str, exchange: str, symbol: str) -> bool:
        """Tell whether a stream of the catalogue is wanted."""
        return (
            (channel in self.channels if self.channels else channel not in APART)
            and (not self.exchanges or exchange in self.exchanges)
            and (not self.symbols or symbol in self.symbols)
        )

    def takes_exchange(self, exchange: str) -> bool:
        """Tell whether anything of an exchange is wanted."""
        return not self.exchanges or exchange in self.exchanges
