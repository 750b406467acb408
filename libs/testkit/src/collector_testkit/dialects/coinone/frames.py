"""Coinone's data frames, field for field, in both formats.

Every number is a text without zeros at its end; turnover has four decimals at most.

https://docs.coinone.co.kr/reference (public-websocket-orderbook, -trade, -ticker, -chart)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from collector_core.symbols import split
from collector_testkit.dialects.digits import trimmed
from collector_testkit.market import BookChange, SymbolMarket, Trade

__all__ = ["SymbolFrames"]

_LEVELS: Final = 16
_STALE: Final = 10_117
"""Milliseconds by which the first frame's timestamp is behind."""

_PAIR: Final = (("quote_currency", "qc"), ("target_currency", "tc"))
_TRADE_NAMES: Final = (
    *(("id", "i"), ("timestamp", "t"), ("price", "p"), ("qty", "q"), ("is_seller_maker", "sm")),
)
_BOOK_NAMES: Final = (("timestamp", "t"), ("id", "i"), ("asks", "a"), ("bids", "b"))
_TICKER_NAMES: Final = (
    *(("timestamp", "t"), ("quote_volume", "qv"), ("target_volume", "tv"), ("high", "hi")),
    *(("low", "lo"), ("first", "fi"), ("last", "la"), ("volume_power", "vp")),
    *(("ask_best_price", "abp"), ("ask_best_qty", "abq"), ("bid_best_price", "bbp")),
    *(("bid_best_qty", "bbq"), ("id", "i"), ("yesterday_high", "yhi"), ("yesterday_low", "ylo")),
    *(("yesterday_first", "yfi"), ("yesterday_last", "yla"), ("yesterday_quote_volume", "yqv")),
    ("yesterday_target_volume", "ytv"),
)
_CHART_NAMES: Final = (
    *(("interval", "iv"), ("timestamp", "t"), ("id", "i"), ("candle_timestamp", "ct")),
    *(("high", "hi"), ("low", "lo"), ("first", "fi"), ("last", "la")),
    *(("quote_volume", "qv"), ("target_volume", "tv")),
)


def _template(channel: str, names: Sequence[tuple[str, str]], *, short: bool) -> str:
    fields = ",".join(f'"{name[short]}":%s' for name in (*_PAIR, *names))
    head = ("response_type", "channel", "data") if not short else ("r", "c", "d")
    return f'{{"{head[0]}":"DATA","{head[1]}":"{channel}","{head[2]}":{{{fields}}}}}'


# the formats by whether they are short
_TRADE = tuple(_template("TRADE", _TRADE_NAMES, short=short) for short in (False, True))
_BOOK = tuple(_template("ORDERBOOK", _BOOK_NAMES, short=short) for short in (False, True))
_TICKER = tuple(_template("TICKER", _TICKER_NAMES, short=short) for short in (False, True))
_CHART = tuple(_template("CHART", _CHART_NAMES, short=short) for short in (False, True))
_LEVEL: Final = ('{"price":%s,"qty":%s}', '{"p":%s,"q":%s}')


class SymbolFrames:
    """Writes the frames of one symbol.

    Args:
        market: the symbol's market.
    """

    def __init__(self, market: SymbolMarket) -> None:
        self.market = market
        self.symbol = market.listing.symbol
        self.base, self.quote = split(self.symbol)
        self.pair = f"{self.quote}-{self.base}"
        self._both = f'"{self.quote}"', f'"{self.base}"'
        self._tick = market.listing.tick_units
        self._step = market.listing.step_units
        # millisecond of the last change of the book, and how many there were in it
        self._changed = (0, 0)

    def price(self, ticks: int) -> int:
        """Return a price in units of 10**-8."""
        return ticks * self._tick

    def size(self, lots: int) -> int:
        """Return an amount in units of 10**-8."""
        return lots * self._step

    def value(self, product: int) -> int:
        """Return a sum of ticks times lots in units of 10**-4."""
        return product * self._tick * self._step // 10**12

    def trade_id(self, trade: Trade) -> str:
        """Return the millisecond and the count within it."""
        return f"{trade.time // 1000}{trade.nth + 1:03d}"

    def note(self, change: BookChange) -> None:
        """Count a change of the book: each gives it a new id, seen or not."""
        milli = change.time // 1000
        held, count = self._changed
        self._changed = (milli, count + 1 if held == milli else 1)

    def book_id(self) -> str:
        """Return the id of the book as it is now; over REST it is the same."""
        milli, count = self._changed
        if not count:
            milli, count = self.market.changed // 1000, 1
        return f"{milli}{count:03d}"

    def levels(self, count: int = _LEVELS) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return the best bids and asks as prices and amounts in units of 10**-8, best first."""
        engine = self.market.engine
        bids, asks = (
            [(self.price(price), self.size(amount)) for price, amount in engine.levels(side, count)]
            for side in ("buy", "sell")
        )
        return bids, asks

    def trade(self, trade: Trade, *, short: bool) -> str:
        """``TRADE``."""
        return _TRADE[short] % (
            *self._both,
            f'"{self.trade_id(trade)}"',
            trade.time // 1000,
            _text(self.price(trade.price)),
            _text(self.size(trade.amount)),
            # the maker sold where the taker bought
            "true" if trade.side == "buy" else "false",
        )

    def book(self, now: int | None, *, short: bool) -> str:
        """``ORDERBOOK``; ``now`` for the first one of a subscription, whose timestamp is stale."""
        ident = self.book_id()
        bids, asks = self.levels()
        level = _LEVEL[short]
        rows = [
            ",".join([level % (_text(price), _text(amount)) for price, amount in side])
            # the worst ask comes first
            for side in (asks[::-1], bids)
        ]
        milli = ident[:-3] if now is None else now // 1000 - _STALE
        return _BOOK[short] % (*self._both, milli, f'"{ident}"', f"[{rows[0]}]", f"[{rows[1]}]")

    def ticker(self, trade: Trade, *, short: bool) -> str:
        """``TICKER`` as of a trade: this day (UTC), the day before, and volumes of 24 hours."""
        tape = self.market.tape
        days = tape.candles.range("1d")[-2:]
        today, window = days[-1], tape.day(trade.time)
        if window is None:
            raise ValueError(f"expected a trade of {self.symbol} before its ticker, was none")
        before = days[0] if len(days) > 1 else None
        opening = self.market.listing.price_ticks
        yesterday = (opening,) * 4
        if before is not None:
            yesterday = (before.high, before.low, before.open, before.close)
        bids, asks = self.levels(1)
        touch = (side[0] if side else None for side in (asks, bids))
        sold = max(1, today.volume - today.buy_volume)
        return _TICKER[short] % (
            *self._both,
            trade.time // 1000,
            _turnover(self.value(window.quote)),
            _text(self.size(window.volume)),
            *(_text(self.price(p)) for p in (today.high, today.low, today.open, trade.price)),
            f'"{min(500, today.buy_volume * 100 // sold)}"',
            *(("null" if s is None else _text(s[part])) for s in touch for part in (0, 1)),
            f'"{self.trade_id(trade)}"',
            *(_text(self.price(p)) for p in yesterday),
            _turnover(0 if before is None else self.value(before.quote)),
            _text(0 if before is None else self.size(before.volume)),
        )

    def chart(self, interval: str, trade: Trade, *, short: bool) -> str:
        """``CHART`` as of a trade."""
        candle = self.market.tape.candles.latest(interval)
        if candle is None:
            raise ValueError(f"expected a trade of {self.symbol} before its chart, was none")
        prices = (candle.high, candle.low, candle.open, candle.close)
        return _CHART[short] % (
            *self._both,
            f'"{interval}"',
            trade.time // 1000,
            f'"{self.trade_id(trade)}"',
            candle.open_time // 1000,
            *(_text(self.price(p)) for p in prices),
            _turnover(self.value(candle.quote)),
            _text(self.size(candle.volume)),
        )


@lru_cache(maxsize=65536)
def _text(units: int) -> str:
    return f'"{trimmed(units, 8)}"'


def _turnover(units: int) -> str:
    return f'"{trimmed(units, 4)}"'
