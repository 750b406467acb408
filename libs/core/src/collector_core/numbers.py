"""Exact decimal numbers as text and as scaled integers; never through a float.

The bus carries prices and amounts as the digits the exchange sent (``exact``). Where numbers are
compared or added, they become integers of a common scale (``Scale``), so that order and sums are
exact and equal texts such as ``0.5`` and ``0.50`` meet.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

from collector_core.errors import NumberError

__all__ = ["MAX_DIGITS", "Scale", "add", "are_exact", "compare", "exact", "exact_price", "is_zero"]

MAX_DIGITS: Final = 80
"""Digits that a number may have on either side of its point; a longer one is an attack or a bug."""

_ONE: Final = r"[0-9]{1,31}+(?:\.[0-9]{1,31}+)?+"
_ALL_EXACT: Final = re.compile(f"{_ONE}(?:,{_ONE})*+").fullmatch


def exact(text: str) -> str:
    """Return ``text`` with its exponent, if any, written out and every digit kept.

    ``"116606000.0"`` stays, ``"7.9276E-4"`` becomes ``"0.00079276"``, ``"1.16539E8"`` becomes
    ``"116539000"``.

    Raises:
        NumberError: ``text`` is not a finite decimal number of at most 80 digits a side.
    """
    head, point, tail = text.partition(".")
    if head.isdecimal() and (tail.isdecimal() or not point) and text.isascii() and len(text) < 64:
        return text
    return _written_out(text)


def _written_out(text: str) -> str:
    if not text.isascii() or "_" in text or text != text.strip():
        raise NumberError(f"expected a decimal number, was {text[:64]!r}")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise NumberError(f"expected a decimal number, was {text[:64]!r}") from None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise NumberError(f"expected a finite number, was {text[:64]!r}")
    if -exponent > MAX_DIGITS or number.adjusted() >= MAX_DIGITS or len(text) > 2 * MAX_DIGITS:
        raise NumberError(f"expected at most {MAX_DIGITS} digits a side, was {text[:64]!r}")
    return format(number, "f")


exact_price = lru_cache(maxsize=1 << 16)(exact)
"""As ``exact``, for prices: they come again and again, and a look-up costs half of a check."""


def are_exact(texts: Sequence[str]) -> bool:
    """Tell whether each of some texts is plain digits, with or without a point, for sure.

    ``exact`` returns such texts as they are. One look at the many numbers of a book costs a third
    of a look at each. False for no texts.
    """
    joined = ",".join(texts)
    # the count: a comma inside of a text must not make two numbers of it
    return _ALL_EXACT(joined) is not None and joined.count(",") == len(texts) - 1


def is_zero(text: str) -> bool:
    """Tell whether a decimal text (as ``exact`` returns it) is zero: ``0``, ``0.000``, ``-0``."""
    return not text.strip("0.-")


def compare(left: str, right: str) -> int:
    """Return -1, 0 or 1 as ``left`` is less than, equal to or more than ``right``, exactly.

    Raises:
        NumberError: a text is not a finite decimal number.
    """
    try:
        a, b = Decimal(left), Decimal(right)
        return (a > b) - (a < b)
    except InvalidOperation:
        raise NumberError(f"expected two decimal numbers, was {left!r} and {right!r}") from None


def add(left: str, right: str) -> str:
    """Return the exact sum of two decimal texts, with as many decimals as the longer of them."""
    scale = Scale(max(_decimals(left), _decimals(right)))
    return scale.text(scale.units(left) + scale.units(right))


def _decimals(text: str) -> int:
    return len(text.partition(".")[2])


def _power(exponent: int) -> int:
    # int(): mypy takes 10**n for Any, since n might be negative
    return int(10**exponent)


class Scale:
    """A number of decimals in which decimal texts become integers and back, without loss.

    The scale only grows: ``units`` of a text with more decimals raises ``NumberError`` and the
    holder calls ``grow`` and multiplies what it kept by the returned factor.
    """

    __slots__ = ("_unit", "decimals")

    def __init__(self, decimals: int) -> None:
        self.decimals = decimals
        self._unit = _power(decimals)

    def fits(self, text: str) -> bool:
        """Tell whether ``text`` has no more decimals than this scale holds."""
        return len(text.partition(".")[2]) <= self.decimals

    def grow(self, text: str) -> int:
        """Make room for the decimals of ``text``; return the factor for units kept so far."""
        more = max(0, _decimals(text) - self.decimals)
        self.decimals += more
        self._unit = _power(self.decimals)
        return _power(more)

    def units(self, text: str) -> int:
        """Return ``text``, as ``exact`` returns it, as an integer count of 10**-decimals.

        Raises:
            NumberError: not a plain decimal text, or more decimals than the scale holds.
        """
        head, point, tail = text.partition(".")
        missing = self.decimals - len(tail)
        if missing < 0:
            raise NumberError(f"expected at most {self.decimals} decimals, was {text!r}")
        try:
            if not point:
                return int(text) * self._unit
            return int(head + tail) * _power(missing) if missing else int(head + tail)
        except ValueError:
            raise NumberError(f"expected a plain decimal number, was {text!r}") from None

    def text(self, units: int) -> str:
        """Return an integer count of 10**-decimals as text with just that many decimals."""
        if not self.decimals:
            return str(units)
        sign = "-" if units < 0 else ""
        digits = str(abs(units)).rjust(self.decimals + 1, "0")
        return f"{sign}{digits[: -self.decimals]}.{digits[-self.decimals :]}"
