"""Bithumb's frames, field for field, in both formats.

Prices and amounts of trades are plain decimals without zeros at their end, and have an exponent
below a millionth (``2.7E-7``); sizes of books have just four decimals, the rest is cut off.

https://apidocs.bithumb.com/reference (현재가-ticker, 체결-trade, 호가-orderbook)
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

from collector_testkit.dialects.digits import fixed, trimmed
from collector_testkit.dialects.ticket_frames import (
    AHEAD,
    TicketFrames,
    Unit,
    both,
    change,
    moment,
)
from collector_testkit.market import Candle, Trade

__all__ = ["SymbolFrames", "plain", "rest_id"]

_SINCE: Final = 1_757_948_401_000
"""Millisecond from which the upper bits of the stream's ids count, judged by ids seen in 2026."""
_LOW_BITS: Final = 25
_SPREAD: Final = 0x9E_3779
"""An odd factor: ids that follow each other within a millisecond are not in order."""


_TRADE_NAMES: Final = (
    *(("type", "ty"), ("code", "cd"), ("trade_price", "tp"), ("trade_volume", "tv")),
    *(("ask_bid", "ab"), ("prev_closing_price", "pcp"), ("change", "c"), ("change_price", "cp")),
    *(("trade_date", "tdt"), ("trade_time", "ttm"), ("trade_timestamp", "ttms")),
    *(("sequential_id", "sid"), ("timestamp", "tms"), ("stream_type", "st")),
)
_TICKER_NAMES: Final = (
    *(("type", "ty"), ("code", "cd"), ("opening_price", "op"), ("high_price", "hp")),
    *(("low_price", "lp"), ("trade_price", "tp"), ("prev_closing_price", "pcp")),
    *(("change", "c"), ("change_price", "cp"), ("signed_change_price", "scp")),
    *(("change_rate", "cr"), ("signed_change_rate", "scr"), ("trade_volume", "tv")),
    *(("acc_trade_volume", "atv"), ("acc_trade_volume_24h", "atv24h")),
    *(("acc_trade_price", "atp"), ("acc_trade_price_24h", "atp24h")),
    *(("trade_date", "tdt"), ("trade_time", "ttm"), ("trade_timestamp", "ttms")),
    *(("ask_bid", "ab"), ("acc_ask_volume", "aav"), ("acc_bid_volume", "abv")),
    *(("highest_52_week_price", "h52wp"), ("highest_52_week_date", "h52wdt")),
    *(("lowest_52_week_price", "l52wp"), ("lowest_52_week_date", "l52wdt")),
    *(("market_state", "ms"), ("is_trading_suspended", "its"), ("delisting_date", "dd")),
    *(("market_warning", "mw"), ("timestamp", "tms"), ("stream_type", "st")),
)
_BOOK_NAMES: Final = (
    *(("type", "ty"), ("code", "cd"), ("total_ask_size", "tas"), ("total_bid_size", "tbs")),
    *(("orderbook_units", "obu"), ("level", "lv"), ("timestamp", "tms"), ("stream_type", "st")),
)
_UNIT_NAMES: Final = (
    *(("ask_price", "ap"), ("bid_price", "bp"), ("ask_size", "as"), ("bid_size", "bs")),
)
# the formats by whether they are short
_TRADE = both(_TRADE_NAMES)
_TICKER = both(_TICKER_NAMES)
_BOOK = both(_BOOK_NAMES)
_UNIT = both(_UNIT_NAMES)


@lru_cache(maxsize=65536)
def plain(units: int) -> str:
    """Return units of 10**-8 as the exchange writes them: ``116208000``, ``0.0009``, ``2.7E-7``."""
    digits = str(abs(units))
    power = len(digits) - 1 - 8
    if not units or power >= -6:
        return trimmed(units, 8)
    digits = digits.rstrip("0")
    rest = f".{digits[1:]}" if digits[1:] else ""
    return f"{'-' if units < 0 else ''}{digits[0]}{rest}E{power}"


def rest_id(trade: Trade) -> int:
    """Return the id that REST gives a trade: the millisecond times 10,000, plus a count."""
    return trade.time // 1000 * 10_000 + trade.nth


class SymbolFrames(TicketFrames):
    """Writes the frames of one symbol.

    Args:
        market: the symbol's market.
        code: the exchange's spelling.
    """

    ahead = AHEAD
    # the longest candles that end at midnight in Korea
    closing_interval = "1h"

    def sequential_id(self, trade: Trade) -> int:
        """Return the stream's id: unique, of 18 or 19 digits, in no order within a millisecond."""
        low = trade.id * _SPREAD & (1 << _LOW_BITS) - 1
        return (trade.time // 1000 - _SINCE << _LOW_BITS | low) & (1 << 63) - 1

    def trade(self, trade: Trade, stream: str, *, short: bool) -> str:
        """``trade``."""
        second, milli = trade.time // 1_000_000, trade.time // 1000
        before = self.previous_close(trade.time)
        return _TRADE[short] % (
            '"trade"',
            f'"{self.code}"',
            plain(self.price(trade.price)),
            plain(self.size(trade.amount)),
            '"BID"' if trade.side == "buy" else '"ASK"',
            plain(self.price(before)),
            change(trade.price - before),
            plain(self.price(abs(trade.price - before))),
            moment(second, '"%Y-%m-%d"', korea=True),
            moment(second, '"%H:%M:%S"', korea=True),
            milli,
            self.sequential_id(trade),
            milli,
            f'"{stream}"',
        )

    def units(self, count: int) -> list[Unit]:
        """Return the best levels beside each other; the side with fewer is filled up with zeros."""
        asks = self.market.engine.levels("sell", count)
        bids = self.market.engine.levels("buy", count)
        longer = max(len(asks), len(bids))
        asks += [(0, 0)] * (longer - len(asks))
        bids += [(0, 0)] * (longer - len(bids))
        return [
            (self.price(ap), self.price(bp), self.size(a) // 10_000, self.size(b) // 10_000)
            for (ap, a), (bp, b) in zip(asks, bids, strict=True)
        ]

    def book(self, units: list[Unit], stream: str, *, short: bool) -> str:
        """``orderbook`` of the levels that ``units`` returned; its time is in microseconds."""
        rows = ",".join(
            [_UNIT[short] % (plain(ap), plain(bp), _four(a), _four(b)) for ap, bp, a, b in units]
        )
        return _BOOK[short] % (
            '"orderbook"',
            f'"{self.code}"',
            _four(sum(unit[2] for unit in units)),
            _four(sum(unit[3] for unit in units)),
            f"[{rows}]",
            1,
            self.market.changed,
            f'"{stream}"',
        )

    def ticker(self, trade: Trade, stream: str, *, short: bool) -> str:
        """``ticker`` as of the last trade: this day (in Korea) and the last 24 hours."""
        tape = self.market.tape
        hours = tape.candles.range("1h", self.midnight(trade.time))
        window = tape.day(trade.time)
        if window is None:
            raise ValueError(f"expected a trade of {self.symbol} before its ticker, was none")
        day = msgspec.structs.replace(hours[0])
        for hour in hours[1:]:
            day.merge(hour)
        before = self.previous_close(trade.time)
        difference = trade.price - before
        rate = difference * 10**8 // before
        days = tape.candles.range("1d")
        top, low = max(days, key=_high), min(days, key=_low)
        second = trade.time // 1_000_000
        return _TICKER[short] % (
            '"ticker"',
            f'"{self.code}"',
            *(plain(self.price(p)) for p in (day.open, day.high, day.low, trade.price)),
            plain(self.price(before)),
            change(difference),
            plain(self.price(abs(difference))),
            plain(self.price(difference)),
            plain(abs(rate)),
            plain(rate),
            plain(self.size(trade.amount)),
            plain(self.size(day.volume)),
            plain(self.size(window.volume)),
            trimmed(self.value(day.quote), 16),
            trimmed(self.value(window.quote), 16),
            moment(second, '"%Y%m%d"', korea=True),
            moment(second, '"%H%M%S"', korea=True),
            trade.time // 1000,
            '"BID"' if trade.side == "buy" else '"ASK"',
            plain(self.size(day.volume - day.buy_volume)),
            plain(self.size(day.buy_volume)),
            plain(self.price(top.high)),
            moment(top.open_time // 1_000_000, '"%Y-%m-%d"', korea=True),
            plain(self.price(low.low)),
            moment(low.open_time // 1_000_000, '"%Y-%m-%d"', korea=True),
            '"ACTIVE"',
            "false",
            '""',
            '"NONE"',
            trade.time // 1000,
            f'"{stream}"',
        )


@lru_cache(maxsize=65536)
def _four(units: int) -> str:
    return fixed(units, 4)


def _high(candle: Candle) -> int:
    return candle.high


def _low(candle: Candle) -> int:
    return candle.low
