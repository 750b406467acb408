"""Symbols in our one spelling, ``BASE/QUOTE``, and their mapping to an exchange's spelling."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import Final

from collector_core.errors import SymbolError

__all__ = ["SymbolTable", "join", "split", "split_concatenated"]

# str.upper() would merge codes outside ASCII: it makes "I" of the dotless i
_UPPER: Final = str.maketrans(ascii_lowercase, ascii_uppercase)


def join(base: str, quote: str) -> str:
    """Return ``BASE/QUOTE`` for two currency codes, upper-cased where they have ASCII letters.

    Raises:
        SymbolError: a code is empty or holds ``/``, ``|``, white space or control characters.
    """
    for code in (base, quote):
        if not code or any(c in "/|" or c.isspace() or not c.isprintable() for c in code):
            raise SymbolError(f"expected a currency code, was {code!r}")
    return f"{base.translate(_UPPER)}/{quote.translate(_UPPER)}"


def split(symbol: str) -> tuple[str, str]:
    """Return base and quote of a symbol in our spelling.

    Raises:
        SymbolError: ``symbol`` is not ``BASE/QUOTE`` in upper case.
    """
    base, slash, quote = symbol.partition("/")
    if not slash or join(base or " ", quote or " ") != symbol:
        raise SymbolError(f"expected a symbol such as BTC/USDT, was {symbol!r}")
    return base, quote


def split_concatenated(venue_symbol: str, quotes: Sequence[str]) -> str:
    """Return our spelling of ``BTCUSDT``, cut at the longest of the known quote currencies.

    Raises:
        SymbolError: the text ends with none of ``quotes``, or nothing stands before it.
    """
    upper = venue_symbol.translate(_UPPER)
    fits = [q for q in quotes if upper.endswith(q) and len(upper) > len(q)]
    if not fits:
        raise SymbolError(
            f"expected a symbol that ends with one of {', '.join(quotes)}, was {venue_symbol!r}"
        )
    quote = max(fits, key=len)
    return join(upper[: -len(quote)], quote)


class SymbolTable:
    """Both directions between our symbols and an exchange's own, filled from its instruments.

    Args:
        pairs: our symbol and the exchange's, one pair an instrument.
        fallback: reads a venue symbol that no pair names (raising ``SymbolError`` if it cannot);
            without one, such a symbol is an error.
    """

    def __init__(
        self,
        pairs: Iterable[tuple[str, str]] = (),
        fallback: Callable[[str], str] | None = None,
    ) -> None:
        self._fallback = fallback
        self._to_venue: dict[str, str] = {}
        self._from_venue: dict[str, str] = {}
        for symbol, venue_symbol in pairs:
            self.add(symbol, venue_symbol)

    def add(self, symbol: str, venue_symbol: str) -> None:
        """Enter one pair; entering the same pair again changes nothing.

        Raises:
            SymbolError: either spelling stands for another one already.
        """
        known = self._to_venue.get(symbol, venue_symbol), self._from_venue.get(venue_symbol, symbol)
        if known != (venue_symbol, symbol):
            raise SymbolError(f"expected {symbol} = {venue_symbol}, was known as {known}")
        self._to_venue[symbol] = venue_symbol
        self._from_venue[venue_symbol] = symbol

    def to_venue(self, symbol: str) -> str:
        """Return the exchange's spelling.

        Raises:
            SymbolError: the exchange does not list ``symbol``.
        """
        try:
            return self._to_venue[symbol]
        except KeyError:
            raise SymbolError(f"expected a listed symbol, was {symbol!r}") from None

    def from_venue(self, venue_symbol: str) -> str:
        """Return our spelling.

        Raises:
            SymbolError: the exchange's spelling is not known.
        """
        symbol = self._from_venue.get(venue_symbol)
        if symbol is None:
            if self._fallback is None:
                raise SymbolError(f"expected a known venue symbol, was {venue_symbol!r}")
            symbol = self._fallback(venue_symbol)
            self.add(symbol, venue_symbol)
        return symbol

    def __contains__(self, symbol: object) -> bool:
        return symbol in self._to_venue

    def __iter__(self) -> Iterator[str]:
        return iter(self._to_venue)

    def __len__(self) -> int:
        return len(self._to_venue)
