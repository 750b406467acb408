"""What the frames of two Korean exchanges have in common: formats, dates, figures of a symbol."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import ClassVar, Final, TypeAlias

from collector_core.intervals import open_time
from collector_testkit.market import SymbolMarket, Trade

__all__ = ["AHEAD", "TicketFrames", "Unit", "both", "change", "moment"]

AHEAD: Final = 9 * 3_600_000_000
"""Microseconds by which Korea's clock is ahead of UTC."""
_KST: Final = timezone(timedelta(hours=9))

Unit: TypeAlias = tuple[int, int, int, int]
"""Ask and bid price, ask and bid size."""


def both(names: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Return the templates of an object with long and with short keys."""
    long, short = (
        "{" + ",".join(f'"{name[place]}":%s' for name in names) + "}" for place in (0, 1)
    )
    return long, short


@lru_cache(maxsize=8192)
def moment(second: int, pattern: str, *, korea: bool = False) -> str:
    """Return a second since the epoch as a text, in UTC or in Korea's time."""
    return datetime.fromtimestamp(second, _KST if korea else UTC).strftime(pattern)


def change(difference: int) -> str:
    """Return the word for a rise or a fall since the day before."""
    return '"RISE"' if difference > 0 else '"FALL"' if difference < 0 else '"EVEN"'


class TicketFrames(ABC):
    """Writes the frames of one symbol.

    Args:
        market: the symbol's market.
        code: the exchange's spelling.
    """

    ahead: ClassVar[int] = 0
    """Microseconds by which the exchange's midnight is before that of UTC."""
    closing_interval: ClassVar[str] = "1d"
    """Longest candles that end at the exchange's midnight."""

    def __init__(self, market: SymbolMarket, code: str) -> None:
        self.market = market
        self.symbol = market.listing.symbol
        self.code = code
        self._tick = market.listing.tick_units
        self._step = market.listing.step_units
        # start of the day whose previous close is held, and that close in ticks
        self._closing = (-1, 0)

    def price(self, ticks: int) -> int:
        """Return a price in units of 10**-8."""
        return ticks * self._tick

    def size(self, lots: int) -> int:
        """Return an amount in units of 10**-8."""
        return lots * self._step

    def value(self, product: int) -> int:
        """Return a sum of ticks times lots in units of 10**-16."""
        return product * self._tick * self._step

    def midnight(self, time: int) -> int:
        """Return when the exchange's day began that holds ``time``."""
        return open_time("1d", time + self.ahead) - self.ahead

    def previous_close(self, time: int) -> int:
        """Return the close of the day before ``time``'s, in ticks."""
        day = self.midnight(time)
        if self._closing[0] != day:
            before = self.market.tape.candles.last_before(self.closing_interval, day)
            ticks = self.market.listing.price_ticks if before is None else before.close
            self._closing = day, ticks
        return self._closing[1]

    @abstractmethod
    def sequential_id(self, trade: Trade) -> int:
        """Return the stream's id of a trade."""

    @abstractmethod
    def units(self, count: int) -> list[Unit]:
        """Return the best levels beside each other; what a side lacks is filled with zeros."""

    @abstractmethod
    def trade(self, trade: Trade, stream: str, *, short: bool) -> str:
        """``trade``."""

    @abstractmethod
    def ticker(self, trade: Trade, stream: str, *, short: bool) -> str:
        """``ticker`` as of the last trade."""

    @abstractmethod
    def book(self, units: list[Unit], stream: str, *, short: bool) -> str:
        """``orderbook`` of the levels that ``units`` returned."""
