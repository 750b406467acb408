"""Kraken's checksum of a book.

1. It takes the ten best asks, lowest price first, and then the ten best bids, highest first; as
   many as there are.
2. A price is written with just ``price_precision`` decimals, an amount with ``qty_precision``; the
   wire may leave zeros at their end out.
3. The point and the zeros in front go; price and amount of each level follow each other without
   anything between.
4. The checksum is the CRC32 (IEEE) of these digits.

https://docs.kraken.com/api/docs/guides/spot-ws-book-v2
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zlib import crc32

from collector_core.events import Level

__all__ = ["Checksum"]

_KEPT: Final = 1_024


class Checksum(dict[Level, str]):
    """Computes the checksums of one pair; remembers the digits of levels, for most of them stay.

    Args:
        precisions: decimals of a price, and of an amount.
    """

    __slots__ = ("_amount", "_price")

    def __init__(self, precisions: tuple[int, int]) -> None:
        super().__init__()
        self._price, self._amount = precisions

    def __missing__(self, level: Level) -> str:
        """Return the digits of a level that is not remembered."""
        # in line, for each changed level comes through here; a number longer than its precision
        # has another one by now, which the comparison will say
        price, amount = level
        head, _, tail = price.partition(".")
        if len(tail) != self._price:
            tail = tail.ljust(self._price, "0")[: self._price]
        text = (head + tail).lstrip("0")
        head, _, tail = amount.partition(".")
        if len(tail) != self._amount:
            tail = tail.ljust(self._amount, "0")[: self._amount]
        text += (head + tail).lstrip("0")
        if len(self) >= _KEPT:
            self.clear()
        self[level] = text
        return text

    def of(self, bids: Sequence[Level], asks: Sequence[Level]) -> int:
        """Return the checksum of a book by its ten best levels a side, best first."""
        # map with the dict's own look-up: no Python code runs for a level that stayed
        look = self.__getitem__
        return crc32("".join([*map(look, asks[:10]), *map(look, bids[:10])]).encode())
