"""A bar in the making: exact, and the same whatever the order in which its parts are merged."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, localcontext
from operator import mul
from typing import Final

import msgspec

from collector_core.errors import NumberError
from collector_core.events import Trade
from collector_indicators.ohlcv import Ohlcv, of_texts

__all__ = ["EXACT", "PartialBar", "bad_number", "time_of"]

EXACT: Final = Context(prec=1000, traps=[Inexact, InvalidOperation])
"""Adds and multiplies without rounding: a number has at most 80 digits a side, so a sum of a
billion products has less than 400 digits; more would raise and never round."""
_NOTHING: Final = Decimal(0)


def time_of(trade: Trade) -> int | None:
    """Return the time by which a trade is put into a bar: the exchange's, else our receive time."""
    return trade.receive_time if trade.exchange_time is None else trade.exchange_time


class PartialBar(msgspec.Struct):
    """Trades of one bar, or of a part of it; decimals are exact and keep the digits they came with.

    Sums have as many decimals as the trade that has the most, so that a bar's texts depend on
    its own trades alone. Open and close go by time, and among equal times by arrival.
    """

    first_time: int
    last_time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    buy_volume: Decimal
    trade_count: int

    @classmethod
    def of(cls, trades: Sequence[Trade], first_time: int, last_time: int) -> PartialBar:
        """Return the part that these trades make, which are in order of time.

        Raises:
            NumberError: a price or amount is not a finite decimal number.
        """
        try:
            if len(trades) == 1:
                return cls._of_one(trades[0], first_time)
            with localcontext(EXACT):
                prices = [Decimal(trade.price) for trade in trades]
                amounts = [Decimal(trade.amount) for trade in trades]
                bought = [
                    amount
                    for trade, amount in zip(trades, amounts, strict=True)
                    if trade.side == "buy"
                ]
                part = cls(
                    first_time,
                    last_time,
                    prices[0],
                    max(prices),
                    min(prices),
                    prices[-1],
                    sum(amounts, _NOTHING),
                    sum(map(mul, prices, amounts), _NOTHING),
                    sum(bought, _NOTHING),
                    len(trades),
                )
        except DecimalException:
            raise bad_number(trades) from None
        # what is not finite stays so in the sum of products
        if not part.quote_volume.is_finite():
            raise bad_number(trades)
        return part

    @classmethod
    def _of_one(cls, trade: Trade, time: int) -> PartialBar:
        price, amount = Decimal(trade.price), Decimal(trade.amount)
        value = EXACT.multiply(price, amount)
        if not value.is_finite():
            raise bad_number((trade,))
        bought = amount if trade.side == "buy" else _NOTHING
        return cls(time, time, price, price, price, price, amount, value, bought, 1)

    def merge(self, later: PartialBar) -> None:
        """Take in a part whose trades all arrived after those of this one."""
        if later.first_time < self.first_time:
            self.first_time, self.open = later.first_time, later.open
        if later.last_time >= self.last_time:
            self.last_time, self.close = later.last_time, later.close
        if later.high > self.high:
            self.high = later.high
        if later.low < self.low:
            self.low = later.low
        add = EXACT.add
        self.volume = add(self.volume, later.volume)
        self.quote_volume = add(self.quote_volume, later.quote_volume)
        self.buy_volume = add(self.buy_volume, later.buy_volume)
        self.trade_count += later.trade_count

    def copy(self) -> PartialBar:
        """Return a part that can be merged into without changing this one."""
        return msgspec.structs.replace(self)

    def ohlcv(self, open_time: int) -> Ohlcv:
        """Return the numbers as doubles, each the nearest.

        Raises:
            NumberError: one of them is too large (``collector_indicators.ohlcv.LIMIT``).
        """
        numbers = (self.open, self.high, self.low, self.close, self.volume)
        first, high, low, last, volume = map(str, numbers)
        turnover, bought = str(self.quote_volume), str(self.buy_volume)
        return of_texts(open_time, (first, high, low, last, volume), turnover, bought)


def bad_number(trades: Sequence[Trade]) -> NumberError:
    """Return the error that names the first of these trades whose numbers are none."""
    for trade in trades:
        for text in (trade.price, trade.amount):
            try:
                if Decimal(text).is_finite():
                    continue
            except DecimalException:
                pass
            return NumberError(
                f"expected a decimal price and amount, was {text[:64]!r} in trade {trade.id}"
            )
    return NumberError("expected numbers of at most 80 digits a side, was a sum beyond 1000 digits")
