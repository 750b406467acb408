"""Which streams are followed: patterns such as ``*:*/USDT``."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache

from collector_core.errors import SettingsError

__all__ = ["Following"]


class Following:
    """Patterns ``exchange:symbol``, in which ``*`` stands for anything and ``?`` for one letter.

    Args:
        patterns: a stream that fits one of them is followed.

    Raises:
        SettingsError: a pattern without its two parts.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns: list[tuple[str, str]] = []
        for pattern in patterns:
            exchange, colon, symbol = pattern.partition(":")
            if not (exchange and colon and symbol):
                raise SettingsError(f"expected exchange:symbol, such as *:*/USDT, was {pattern!r}")
            self._patterns.append((exchange, symbol))
        self.wants = lru_cache(maxsize=None)(self._wants)

    def _wants(self, exchange: str, symbol: str) -> bool:
        """Tell whether a stream is followed."""
        return any(
            fnmatchcase(exchange, wanted) and fnmatchcase(symbol, pattern)
            for wanted, pattern in self._patterns
        )
