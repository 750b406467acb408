"""JSON numbers of the wire as exact texts: ``msgspec.Raw`` in, ``str`` out, within the callback."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Protocol

import msgspec

from collector_core.errors import NumberError
from collector_core.events import Level
from collector_core.numbers import MAX_DIGITS, exact, is_zero

__all__ = ["LevelTexts", "UnitBooks", "UnitLike", "levels", "number"]

_KEPT: Final = 65_536
"""Number texts remembered, about 12 MB; more than the books of one connection show at a time."""


class UnitLike(Protocol):
    """The i-th best ask beside the i-th best bid, as Korean exchanges send their books."""

    @property
    def ask_price(self) -> bytes:
        """The i-th best ask."""

    @property
    def bid_price(self) -> bytes:
        """The i-th best bid."""

    @property
    def ask_size(self) -> bytes:
        """Amount at that ask."""

    @property
    def bid_size(self) -> bytes:
        """Amount at that bid."""


class LevelTexts(dict[str, str]):
    """Exact texts of the numbers seen in books, by their text on the wire; zero is ``""``.

    From frame to frame most of a book's numbers stay, and many have an exponent to write out, so
    remembering them is several times quicker than reading them again.
    """

    def __missing__(self, lexeme: str) -> str:
        """Read a number that is not remembered; raises ``NumberError`` if it is none."""
        text = exact(lexeme)
        if text.startswith("-"):
            raise NumberError(f"expected a price or an amount, was {text!r}")
        # as in a book's changes: the first digit tells of most that they are not zero
        if text < "1" and is_zero(text):
            text = ""
        if len(self) >= _KEPT:
            self.clear()
        self[lexeme] = text
        return text


def levels(units: Iterable[UnitLike], texts: LevelTexts) -> tuple[list[Level], list[Level]]:
    """Return bids and asks of a book's units; levels with price or amount zero are dropped.

    Raises:
        NumberError: a price or an amount is no number, or negative.
    """
    bids = []
    asks = []
    for unit in units:
        # str(): a Raw has no hash, and it is a view of the frame
        price = texts[str(unit.bid_price, "ascii")]
        amount = texts[str(unit.bid_size, "ascii")]
        if price and amount:
            bids.append((price, amount))
        price = texts[str(unit.ask_price, "ascii")]
        amount = texts[str(unit.ask_size, "ascii")]
        if price and amount:
            asks.append((price, amount))
    return bids, asks


class _Unit(msgspec.Struct, frozen=True, gc=False):
    # whatever JSON has; fractions come through the hook as texts
    ask_price: Any
    bid_price: Any
    ask_size: Any
    bid_size: Any


_MOST: Final = 10**MAX_DIGITS
_QUOTES: Final = 8
"""Quotes of a unit's four names: one more, and something in the list is a text."""


class UnitBooks:
    """Reads the units of pushed books: every number of thirty levels, within microseconds.

    The decoder asks what it remembers of each number while it reads. What it cannot tell apart so,
    a text in the place of a number, and fields beside the four, is left to ``levels``.
    """

    __slots__ = ("_decode", "_decode_raw", "_texts")

    def __init__(self, kind: type[UnitLike]) -> None:
        self._texts = LevelTexts()
        hook = self._texts.__getitem__
        self._decode = msgspec.json.Decoder(list[_Unit], float_hook=hook).decode
        self._decode_raw = msgspec.json.Decoder(list[kind]).decode  # type: ignore[valid-type]  # a struct, which the caller names

    def read(self, units: msgspec.Raw) -> tuple[list[Level], list[Level]]:
        """Return bids and asks; levels with price or amount zero are dropped.

        Raises:
            NumberError: a price or an amount is no number, or negative.
            msgspec.MsgspecError: not a list of units.
        """
        found = self._decode(units)
        if bytes(units).count(b'"') != _QUOTES * len(found):
            return self.read_each(units)
        return (
            _side([unit.bid_price for unit in found], [unit.bid_size for unit in found]),
            _side([unit.ask_price for unit in found], [unit.ask_size for unit in found]),
        )

    def read_each(self, units: msgspec.Raw) -> tuple[list[Level], list[Level]]:
        """Return the same, number by number."""
        return levels(self._decode_raw(units), self._texts)


def _side(prices: list[Any], amounts: list[Any]) -> list[Level]:
    side = [*zip(_texts(prices), _texts(amounts), strict=True)]
    if all(prices) and all(amounts):
        # a whole zero is as false as an empty text
        return side
    return [level for level in side if level[0] and level[1]]


def _texts(values: list[Any]) -> list[str]:
    try:
        # the quickest way to tell that all are texts
        "".join(values)
    except TypeError:
        return [
            # in line, for there are books whose every price is a whole number
            value
            if (kind := type(value)) is str
            else str(value)
            if kind is int and value > 0 and value < _MOST
            else _zero(value)
            for value in values
        ]
    return values


def _zero(value: object) -> str:
    # what is left of the things that a decoder makes of a value without a point
    if type(value) is int and value == 0:
        return ""
    raise NumberError(f"expected a price or an amount, was {str(value)[:64]}")


def number(raw: bytes) -> str:
    """Return a JSON number's exact text.

    Raises:
        NumberError: not a number, or more digits than any price or amount has.
    """
    try:
        return exact(str(raw, "ascii"))
    except UnicodeDecodeError:
        raise NumberError(f"expected a number, was {bytes(raw)[:64]!r}") from None
