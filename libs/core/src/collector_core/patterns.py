"""Patterns of symbols, such as ``*/USDT``, and which of two that fit a symbol counts.

``*`` stands for any letters, ``?`` for one, ``[AB]`` for one of those; base and quote are matched
each by itself. Order, the first of which counts: the symbol itself; a pattern with a whole base
(``BTC/*``); one with a whole quote (``*/USDT``); the others, those with more letters first.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Final

from collector_core.errors import SymbolError
from collector_core.symbols import join, split

__all__ = ["SymbolPattern", "is_pattern"]

_WILD: Final = re.compile(r"\[[^\]]*\]|[*?\[]")


def is_pattern(text: str) -> bool:
    """Tell whether a text has a wildcard, so that it may stand for several symbols."""
    return _WILD.search(text) is not None


class SymbolPattern:
    """A symbol in our spelling, or a pattern of such.

    Args:
        text: ``BTC/USDT``, ``*/USDT``, ``BTC/*``, ``*/*`` …

    Raises:
        SymbolError: it is not ``BASE/QUOTE`` in upper case.
    """

    __slots__ = ("_base", "_quote", "exact", "rank", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        # one symbol, no wildcard
        self.exact = not is_pattern(text)
        if self.exact:
            self._base, self._quote = split(text)
        else:
            self._base, _, self._quote = text.partition("/")
            if _joined(self._base, self._quote) != text:
                raise SymbolError(
                    f"expected a pattern of symbols such as */USDT or BTC/*, was {text!r}"
                )
        # of two that match a symbol the greater counts
        self.rank = (
            self.exact,
            not is_pattern(self._base),
            not is_pattern(self._quote),
            len(_WILD.sub("", text)),
            text,
        )

    def matches(self, symbol: str) -> bool:
        """Tell whether it stands for a symbol in our spelling."""
        if self.exact:
            return symbol == self.text
        base, _, quote = symbol.partition("/")
        return fnmatchcase(base, self._base) and fnmatchcase(quote, self._quote)


def _joined(base: str, quote: str) -> str | None:
    try:
        return join(base, quote)
    except SymbolError:
        return None
