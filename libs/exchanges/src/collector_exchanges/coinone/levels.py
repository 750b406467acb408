"""Books and sides as Coinone means them, alike on the socket and over REST."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import gt, lt
from typing import Final

from collector_core.errors import FrameError, NumberError
from collector_core.events import Level, Side
from collector_core.numbers import exact, is_zero
from collector_exchanges.coinone import wire
from collector_feed.outputs import BookSnapshot

__all__ = ["Texts", "book", "taker"]

_KEPT: Final = 65_536
"""Number texts remembered; more than the books of one connection show at a time."""
_SAFE: Final = 2**53
"""Times from here on are not exact in every language; ids are microseconds in their form."""


class Texts(dict[str, str]):
    """Exact texts of the numbers seen in books; zero is ``""``.

    From frame to frame most of a book's numbers stay, so remembering them is quicker than
    checking them again.
    """

    def __missing__(self, raw: str) -> str:
        """Read a number that is not remembered; raises ``NumberError`` if it is none."""
        text = exact(raw)
        if text.startswith("-"):
            raise NumberError(f"expected a price or an amount, was {text!r}")
        if is_zero(text):
            text = ""
        if len(self) >= _KEPT:
            self.clear()
        self[raw] = text
        return text


def taker(is_seller_maker: bool) -> Side:  # noqa: FBT001  # the exchange's own flag
    """Return the taker's side: where the seller waited in the book, the taker bought.

    The documentation's remark "true for a sell" is wrong: trades with the flag print at the best
    ask (README.md, quirk 4).
    """
    return "buy" if is_seller_maker else "sell"


def book(symbol: str, data: wire.OrderbookData, texts: Texts) -> BookSnapshot:
    """Return a whole book, best levels first.

    1. A frame is the whole book of 16 levels a side and replaces what was.
    2. A larger ``id`` is newer; the same one is a repeat. Ids are not consecutive.
    3. Asks come worst first on the socket and best first over REST.
    4. The book's time is that of its ``id``; ``timestamp`` is wrong in the first frame.

    Raises:
        FrameError: ``id`` is no time with three digits behind it.
        NumberError: a price or an amount is no number, or negative.
    """
    ident = data.id
    if not (ident.isascii() and ident.isdecimal()) or (number := int(ident)) >= _SAFE:
        raise FrameError(f"expected an id of milliseconds and three digits, was {ident!r}")
    return BookSnapshot(
        symbol,
        number // 1000 * 1000,
        number,
        _side(data.bids, texts, gt),
        _side(data.asks, texts, lt),
    )


def _side(levels: Sequence[wire.Level], texts: Texts, best: Callable[..., bool]) -> list[Level]:
    side = [
        (price, amount)
        for level in levels
        if (price := texts[level.price]) and (amount := texts[level.qty])
    ]
    # sorted either way: the ends tell which
    if len(side) > 1 and not best(_rank(side[0][0]), _rank(side[-1][0])):
        side.reverse()
    return side


def _rank(price: str) -> tuple[int, str]:
    # quicker than Decimal; equal numbers of unlike texts do not stand in one side of a book
    whole, _, part = price.partition(".")
    return int(whole), part
