"""What is wanted of each symbol: by the settings, and by rows of ``md.control``.

Both name symbols or patterns (``*/USDT``). Of all that match a symbol the nearest one counts
(``collector_core.patterns``) and the others not at all; where a row and the settings have the same
text, the row does. A row without channels stops what it counts for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from collector_core.errors import SettingsError, SymbolError
from collector_core.patterns import SymbolPattern
from collector_core.records import Control
from collector_feed.outputs import Subscription

__all__ = ["Wishes", "streams_of"]

_NOTHING: Final[frozenset[Subscription]] = frozenset()


def streams_of(
    symbol: str, channels: Iterable[str], intervals: Sequence[str]
) -> list[Subscription]:
    """Return the subscriptions of one symbol; candles have one for each interval.

    Raises:
        SettingsError: candles without an interval.
    """
    found: list[Subscription] = []
    for channel in channels:
        if channel == "candle":
            if not intervals:
                raise SettingsError(f"expected intervals for the candles of {symbol}, was none")
            found.extend(Subscription(channel, symbol, interval) for interval in intervals)
        else:
            found.append(Subscription(channel, symbol))
    return found


class _Wish:
    def __init__(
        self, pattern: SymbolPattern, channels: Sequence[str], intervals: Sequence[str]
    ) -> None:
        # as a mould: the subscriptions of the pattern's own text
        self.mould = streams_of(pattern.text, channels, intervals)
        self.pattern = pattern

    def of(self, symbol: str) -> frozenset[Subscription]:
        return frozenset(Subscription(s.channel, symbol, s.interval) for s in self.mould)


class Wishes:
    """The wishes for one exchange's symbols.

    Args:
        symbols: symbols and patterns of the settings.
        channels: channels of each of them.
        intervals: of their candles, and of the candles of rows that name none.

    Raises:
        SymbolError: neither a symbol nor a pattern.
        SettingsError: candles without an interval.
    """

    def __init__(
        self, symbols: Iterable[str], channels: Sequence[str], intervals: Sequence[str]
    ) -> None:
        self._intervals = intervals
        self._settings = {text: _Wish(SymbolPattern(text), channels, intervals) for text in symbols}
        # rows of the control topic by their symbol or pattern
        self._rows: dict[str, _Wish] = {}
        # those of both that count, the nearest patterns first
        self._exact: dict[str, _Wish] = {}
        self._patterns: list[_Wish] = []
        self._sort()

    def put(self, text: str, row: Control | None) -> None:
        """Take a row of a symbol or pattern; None takes it back.

        Raises:
            SymbolError: neither a symbol nor a pattern, or a row of another one.
            SettingsError: candles without an interval.
        """
        if row is None:
            self._rows.pop(text, None)
        else:
            if row.symbol != text:
                raise SymbolError(f"expected a row of {text!r} under its key, was {row.symbol!r}")
            intervals = row.intervals or self._intervals
            self._rows[text] = _Wish(SymbolPattern(text), row.channels, intervals)
        self._sort()

    def of(self, symbol: str) -> frozenset[Subscription]:
        """Return what is wanted of a symbol."""
        wish = self._exact.get(symbol)
        if wish is None:
            wish = next((w for w in self._patterns if w.pattern.matches(symbol)), None)
        return _NOTHING if wish is None else wish.of(symbol)

    def named(self, symbol: str) -> bool:
        """Tell whether a symbol is wanted by its own name."""
        wish = self._exact.get(symbol)
        return wish is not None and bool(wish.mould)

    def names(self) -> list[str]:
        """Return the symbols that are wanted by their own names."""
        return [symbol for symbol in self._exact if self.named(symbol)]

    def idle(self, symbols: Iterable[str]) -> list[str]:
        """Return the patterns that want something and match none of ``symbols``."""
        listed = list(symbols)
        return [
            wish.pattern.text
            for wish in self._patterns
            if wish.mould and not any(map(wish.pattern.matches, listed))
        ]

    def _sort(self) -> None:
        wishes = {**self._settings, **self._rows}
        self._exact = {text: wish for text, wish in wishes.items() if wish.pattern.exact}
        patterns = [wish for wish in wishes.values() if not wish.pattern.exact]
        self._patterns = sorted(patterns, key=lambda wish: wish.pattern.rank, reverse=True)
