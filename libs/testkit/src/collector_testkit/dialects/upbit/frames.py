"""Upbit's frames, field for field, in both formats, with the number spellings of each.

| number | DEFAULT | SIMPLE |
|---|---|---|
| prices of trades and candles | ``100473000.00000000`` | ``100473000.0`` |
| prices of the book | ``1.16539E8`` | ``116606000`` |
| prices of the ticker | ``31883000`` | ``31883000.0`` |
| sizes | ``0.00077720`` | ``7.772E-4`` |

https://docs.upbit.com/kr/reference/websocket-trade, -orderbook, -ticker, -candle
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from collector_testkit.dialects.digits import as_double, fixed, trimmed
from collector_testkit.dialects.ticket_frames import TicketFrames, Unit, both, change, moment
from collector_testkit.market import Candle, Trade

__all__ = ["SymbolFrames"]


_TRADE_NAMES: Final = (
    *(("type", "ty"), ("code", "cd"), ("timestamp", "tms"), ("trade_date", "td")),
    *(("trade_time", "ttm"), ("trade_timestamp", "ttms"), ("trade_price", "tp")),
    *(("trade_volume", "tv"), ("ask_bid", "ab"), ("prev_closing_price", "pcp")),
    *(("change", "c"), ("change_price", "cp"), ("sequential_id", "sid")),
    *(("best_ask_price", "bap"), ("best_ask_size", "bas"), ("best_bid_price", "bbp")),
    *(("best_bid_size", "bbs"), ("stream_type", "st")),
)
_TICKER_NAMES: Final = (
    *(("type", "ty"), ("code", "cd"), ("opening_price", "op"), ("high_price", "hp")),
    *(("low_price", "lp"), ("trade_price", "tp"), ("prev_closing_price", "pcp")),
    *(("acc_trade_price", "atp"), ("change", "c"), ("change_price", "cp")),
    *(("signed_change_price", "scp"), ("change_rate", "cr"), ("signed_change_rate", "scr")),
    *(("ask_bid", "ab"), ("trade_volume", "tv"), ("acc_trade_volume", "atv")),
    *(("trade_date", "tdt"), ("trade_time", "ttm"), ("trade_timestamp", "ttms")),
    *(("acc_ask_volume", "aav"), ("acc_bid_volume", "abv")),
    *(("highest_52_week_price", "h52wp"), ("highest_52_week_date", "h52wdt")),
    *(("lowest_52_week_price", "l52wp"), ("lowest_52_week_date", "l52wdt")),
    *(("market_state", "ms"), ("is_trading_suspended", "its"), ("delisting_date", "dd")),
    *(("market_warning", "mw"), ("timestamp", "tms"), ("acc_trade_price_24h", "atp24h")),
    *(("acc_trade_volume_24h", "atv24h"), ("stream_type", "st")),
)
_CANDLE_NAMES: Final = (
    *(("type", "ty"), ("code", "cd"), ("candle_date_time_utc", "cdttmu")),
    *(("candle_date_time_kst", "cdttmk"), ("opening_price", "op"), ("high_price", "hp")),
    *(("low_price", "lp"), ("trade_price", "tp"), ("candle_acc_trade_volume", "catv")),
    *(("candle_acc_trade_price", "catp"), ("timestamp", "tms"), ("stream_type", "st")),
)
_BOOK_NAMES: Final = (
    *(("type", "ty"), ("code", "cd"), ("timestamp", "tms"), ("total_ask_size", "tas")),
    *(("total_bid_size", "tbs"), ("orderbook_units", "obu"), ("stream_type", "st")),
    ("level", "lv"),
)
_UNIT_NAMES: Final = (
    *(("ask_price", "ap"), ("bid_price", "bp"), ("ask_size", "as"), ("bid_size", "bs")),
)
# the formats by whether they are short
_TRADE = both(_TRADE_NAMES)
_TICKER = both(_TICKER_NAMES)
_CANDLE = both(_CANDLE_NAMES)
_BOOK = both(_BOOK_NAMES)
_UNIT = both(_UNIT_NAMES)


def _pointed(units: int) -> str:
    text = trimmed(units, 8)
    return text if "." in text else f"{text}.0"


class SymbolFrames(TicketFrames):
    """Writes the frames of one symbol.

    Args:
        market: the symbol's market.
        code: the exchange's spelling.
    """

    def sequential_id(self, trade: Trade) -> int:
        """Return the exchange's id: the millisecond times 10,000, plus a count within it."""
        return trade.time // 1000 * 10_000 + trade.nth

    def trade(self, trade: Trade, stream: str, *, short: bool) -> str:
        """``trade``; the touch in it is that of the book now."""
        second, milli = trade.time // 1_000_000, trade.time // 1000
        before = self.previous_close(trade.time)
        engine = self.market.engine
        bid, ask = engine.best_bid() or 0, engine.best_ask() or 0
        price, size = (_pointed, _double) if short else (_fixed, _fixed)
        return _TRADE[short] % (
            '"trade"',
            f'"{self.code}"',
            milli,
            moment(second, '"%Y-%m-%d"'),
            moment(second, '"%H:%M:%S"'),
            milli,
            price(self.price(trade.price)),
            size(self.size(trade.amount)),
            '"BID"' if trade.side == "buy" else '"ASK"',
            price(self.price(before)),
            change(trade.price - before),
            price(self.price(abs(trade.price - before))),
            self.sequential_id(trade),
            trimmed(self.price(ask), 8),
            size(self.size(engine.total("sell", ask))),
            trimmed(self.price(bid), 8),
            size(self.size(engine.total("buy", bid))),
            f'"{stream}"',
        )

    def units(self, count: int) -> list[Unit]:
        """Return the best levels: ask and bid price, ask and bid size, in units of 10**-8.

        A side that has fewer levels is filled up with zeros.
        """
        asks = self.market.engine.levels("sell", count)
        bids = self.market.engine.levels("buy", count)
        asks += [(0, 0)] * (count - len(asks))
        bids += [(0, 0)] * (count - len(bids))
        return [
            (self.price(ap), self.price(bp), self.size(a), self.size(b))
            for (ap, a), (bp, b) in zip(asks, bids, strict=True)
        ]

    def book(self, units: list[Unit], stream: str, *, short: bool) -> str:
        """``orderbook`` of the levels that ``units`` returned."""
        price, size = (_plain, _double) if short else (_double, _fixed)
        rows = ",".join(
            [_UNIT[short] % (price(ap), price(bp), size(a), size(b)) for ap, bp, a, b in units]
        )
        return _BOOK[short] % (
            '"orderbook"',
            f'"{self.code}"',
            self.market.changed // 1000,
            size(sum(unit[2] for unit in units)),
            size(sum(unit[3] for unit in units)),
            f"[{rows}]",
            f'"{stream}"',
            0,
        )

    def ticker(self, trade: Trade, stream: str, *, short: bool) -> str:
        """``ticker`` as of the last trade: this day (UTC) and the last 24 hours."""
        tape = self.market.tape
        days = tape.candles.range("1d")
        day, window = days[-1], tape.day(trade.time)
        if window is None:
            raise ValueError(f"expected a trade of {self.symbol} before its ticker, was none")
        before = self.previous_close(trade.time)
        difference = trade.price - before
        rate = difference * 10**10 // before
        top, low = max(days, key=_high), min(days, key=_low)
        second = trade.time // 1_000_000
        price, exact, size = (_pointed, _pointed, _double) if short else (_plain, _fixed, _fixed)
        return _TICKER[short] % (
            '"ticker"',
            f'"{self.code}"',
            *(price(self.price(p)) for p in (day.open, day.high, day.low, trade.price)),
            exact(self.price(before)),
            size(self.value(day.quote) // 10**8),
            change(difference),
            exact(self.price(abs(difference))),
            exact(self.price(difference)),
            fixed(abs(rate), 10),
            fixed(rate, 10),
            '"BID"' if trade.side == "buy" else '"ASK"',
            size(self.size(trade.amount)),
            size(self.size(day.volume)),
            moment(second, '"%Y%m%d"'),
            moment(second, '"%H%M%S"'),
            trade.time // 1000,
            size(self.size(day.volume - day.buy_volume)),
            size(self.size(day.buy_volume)),
            price(self.price(top.high)),
            moment(top.open_time // 1_000_000, '"%Y-%m-%d"'),
            price(self.price(low.low)),
            moment(low.open_time // 1_000_000, '"%Y-%m-%d"'),
            '"ACTIVE"',
            "false",
            "null",
            '"NONE"',
            trade.time // 1000,
            size(self.value(window.quote) // 10**8),
            size(self.size(window.volume)),
            f'"{stream}"',
        )

    def candle(self, kind: str, candle: Candle, stream: str, *, short: bool) -> str:
        """``candle.<unit>``."""
        second = candle.open_time // 1_000_000
        price, size = (_pointed, _double) if short else (_fixed, _fixed)
        value = self.value(candle.quote)
        prices = (candle.open, candle.high, candle.low, candle.close)
        return _CANDLE[short] % (
            f'"{kind}"',
            f'"{self.code}"',
            moment(second, '"%Y-%m-%dT%H:%M:%S"'),
            moment(second, '"%Y-%m-%dT%H:%M:%S"', korea=True),
            *(price(self.price(p)) for p in prices),
            size(self.size(candle.volume)),
            trimmed(value, 16) if short else fixed(value, 16),
            candle.last_time // 1000,
            f'"{stream}"',
        )


@lru_cache(maxsize=65536)
def _fixed(units: int) -> str:
    return fixed(units, 8)


@lru_cache(maxsize=65536)
def _double(units: int) -> str:
    return as_double(units, 8)


@lru_cache(maxsize=65536)
def _plain(units: int) -> str:
    return trimmed(units, 8)


def _high(candle: Candle) -> int:
    return candle.high


def _low(candle: Candle) -> int:
    return candle.low
