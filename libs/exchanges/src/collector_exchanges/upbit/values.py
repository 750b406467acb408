"""Upbit's numbers and times: JSON numbers to exact texts, date texts to microseconds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, Protocol

from collector_core.errors import FrameError, NumberError
from collector_core.events import Level, Side
from collector_core.numbers import exact, is_zero

__all__ = ["SIDES", "LevelTexts", "OpenTimes", "UnitLike", "levels", "number"]

SIDES: Final[dict[str, Side]] = {"BID": "buy", "ASK": "sell"}
"""``ask_bid`` is the taker's side: BID bought."""
_KEPT: Final = 65_536
"""Number texts remembered, about 12 MB; more than the books of one connection show at a time."""
_TIMES: Final = 1_024
_DATE_TIME: Final = re.compile(
    r"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9](:[0-5][0-9]){2}"
).fullmatch


class UnitLike(Protocol):
    """A unit of a book, of either format."""

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


class LevelTexts(dict[bytes, str]):
    """Exact texts of the numbers seen in books, by their text on the wire; zero is ``""``.

    From frame to frame most of a book's 120 numbers stay, and half of them have an exponent to
    write out, so remembering them is several times quicker than reading them again.
    """

    def __missing__(self, lexeme: bytes) -> str:
        """Read a number that is not remembered; raises ``NumberError`` if it is none."""
        text = number(lexeme)
        if text.startswith("-"):
            raise NumberError(f"expected a price or an amount, was {text!r}")
        if is_zero(text):
            text = ""
        if len(self) >= _KEPT:
            self.clear()
        self[lexeme] = text
        return text


def levels(units: Iterable[UnitLike], texts: LevelTexts) -> tuple[list[Level], list[Level]]:
    """Return bids and asks of a book's units; thin sides are padded with zeros, which are dropped.

    Raises:
        NumberError: a price or an amount is no number, or negative.
    """
    bids = []
    asks = []
    for unit in units:
        # bytes(): a Raw has no hash, and it is a view of the frame
        price = texts[bytes(unit.bid_price)]
        amount = texts[bytes(unit.bid_size)]
        if price and amount:
            bids.append((price, amount))
        price = texts[bytes(unit.ask_price)]
        amount = texts[bytes(unit.ask_size)]
        if price and amount:
            asks.append((price, amount))
    return bids, asks


def number(raw: bytes) -> str:
    """Return a JSON number's exact text.

    Raises:
        NumberError: not a number, or more digits than any price or amount has.
    """
    try:
        return exact(str(raw, "ascii"))
    except UnicodeDecodeError:
        raise NumberError(f"expected a number, was {bytes(raw)[:64]!r}") from None


class OpenTimes(dict[str, int]):
    """Open times in microseconds by their text, ``2025-01-02T04:28:05``, which is UTC."""

    def __missing__(self, text: str) -> int:
        """Read a time that is not remembered; raises ``FrameError`` if it is none."""
        wrong = f"expected a time such as 2025-01-02T04:28:05, was {text[:64]!r}"
        if not _DATE_TIME(text):
            raise FrameError(wrong)
        try:
            moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            raise FrameError(wrong) from None
        if len(self) >= _TIMES:
            self.clear()
        time = self[text] = int(moment.timestamp()) * 1_000_000
        return time
