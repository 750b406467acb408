"""Symbols that are listed but do not trade until a client names them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from collector_core.symbols import split

__all__ = ["Sleepers"]

_WORDS: Final = re.compile(r"[A-Z0-9_-]+").findall
_PAIRS: Final = re.compile(r"[A-Z0-9_-]+/[A-Z0-9_-]+").findall


class Sleepers:
    """Finds them in the messages of clients, whatever the exchange's form of a message.

    Args:
        to_venue: returns the exchange's spelling of a symbol.
    """

    def __init__(self, to_venue: Callable[[str], str]) -> None:
        self._to_venue = to_venue
        # symbols by the exchange's spelling, in upper case, and by their base
        self._spelled: dict[str, str] = {}
        self._based: dict[str, list[str]] = {}

    def add(self, symbol: str) -> None:
        """Take a symbol that does not trade yet."""
        self._spelled[self._to_venue(symbol).upper()] = symbol
        self._based.setdefault(split(symbol)[0], []).append(symbol)

    def discard(self, symbol: str) -> None:
        """Forget a symbol; one that is not held is ignored."""
        if self._spelled.pop(self._to_venue(symbol).upper(), None) is not None:
            self._based[split(symbol)[0]].remove(symbol)

    def named(self, text: str) -> list[str]:
        """Return the symbols that a text names: in the exchange's spelling, or base and quote."""
        if not self._spelled:
            return []
        upper = text.upper()
        words = dict.fromkeys(_WORDS(upper))
        found = [self._spelled[w] for w in (*words, *_PAIRS(upper)) if w in self._spelled]
        if not found:
            based = (symbol for word in words for symbol in self._based.get(word, ()))
            found = [symbol for symbol in based if split(symbol)[1] in words]
        return list(dict.fromkeys(found))

    def __contains__(self, symbol: str) -> bool:
        return self._spelled.get(self._to_venue(symbol).upper()) == symbol
