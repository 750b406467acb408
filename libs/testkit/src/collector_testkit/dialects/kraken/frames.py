"""Kraken's frames, field for field, with the numbers as they stood on the wire in 2026.

Prices have just the decimals of their pair and amounts eight, zeros at their end among them; only
the channel ``instrument`` writes small numbers with an exponent.

https://docs.kraken.com/api/docs/websocket-v2/book, /trade, /ticker, /ohlc, /instrument
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from zlib import crc32

from collector_core.events import Side
from collector_testkit.dialects.digits import fixed, shortest
from collector_testkit.dialects.symbol_frames import SymbolWriter
from collector_testkit.market import Candle, SymbolMarket, Trade

__all__ = ["BookView", "SymbolFrames", "moment", "order_type"]

_QTY: Final = 8
_CHECKED: Final = 10
Levels = Sequence[tuple[int, int]]


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def moment(time: int) -> str:
    """Return microseconds since the epoch as ``2026-09-23T03:39:01.745044Z``."""
    second, part = divmod(time, 1_000_000)
    return f"{_second(second)}.{part:06d}Z"


class BookView:
    """The best levels of a book, as a subscriber of one depth holds them.

    Args:
        market: the symbol's market.
        depth: levels a side.
    """

    def __init__(self, market: SymbolMarket, depth: int) -> None:
        self._market = market
        self._depth = depth
        self.shown: dict[Side, dict[int, int]] = {side: self._now(side) for side in ("buy", "sell")}

    def _now(self, side: Side) -> dict[int, int]:
        return dict(self._market.engine.levels(side, self._depth))

    def changes(self, side: Side) -> list[tuple[int, int]]:
        """Return what a subscriber has to be told of a side; zero removes a level.

        A level that only fell out of the depth is not told: the subscriber cuts his book himself.
        """
        before, after = self.shown[side], self._now(side)
        self.shown[side] = after
        engine = self._market.engine
        gone = [(p, 0) for p in before if p not in after and not engine.total(side, p)]
        return gone + [(p, total) for p, total in after.items() if before.get(p) != total]


class SymbolFrames(SymbolWriter):
    """Writes the frames of one symbol.

    Args:
        market: the symbol's market.
        venue_symbol: the exchange's spelling.
    """

    def __init__(self, market: SymbolMarket, venue_symbol: str) -> None:
        super().__init__(market, venue_symbol, fixed)
        # decimals of a price
        self.precision = len(market.listing.tick.partition(".")[2])
        self._tick = market.listing.tick_units // 10 ** (8 - self.precision)
        self._step = market.listing.step_units
        self.price = lru_cache(maxsize=65536)(lambda t: fixed(t * self._tick, self.precision))
        self.amount = lru_cache(maxsize=65536)(lambda lots: fixed(lots * self._step, _QTY))

    def mean(self, quote: int, volume: int) -> str:
        """Return the mean price of a volume, or 0 of none."""
        units = quote * self._tick // volume if volume else 0
        return fixed(units, self.precision)

    # --- books -------------------------------------------------------------------------------

    def checksum(self) -> int:
        """Return the CRC32 of the ten best levels; in whole units no point or zero is to strip."""
        engine = self.market.engine
        levels = engine.levels("sell", _CHECKED) + engine.levels("buy", _CHECKED)
        digits = [f"{price * self._tick}{total * self._step}" for price, total in levels]
        return crc32("".join(digits).encode())

    def _levels(self, levels: Iterable[tuple[int, int]]) -> str:
        price, amount = self.price, self.amount
        return ",".join([f'{{"price":{price(p)},"qty":{amount(a)}}}' for p, a in levels])

    def book(self, kind: str, bids: Levels, asks: Levels, time: int) -> str:
        """``book``."""
        return (
            f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{self.venue}",'
            f'"bids":[{self._levels(bids)}],"asks":[{self._levels(asks)}],'
            f'"checksum":{self.checksum()},"timestamp":"{moment(time)}"}}]}}'
        )

    # --- trades and what follows from them ---------------------------------------------------

    def trades(self, kind: str, trades: Sequence[Trade]) -> str:
        """``trade``: what one taker order did."""
        rows = ",".join(
            f'{{"symbol":"{self.venue}","side":"{trade.side}","price":{self.price(trade.price)},'
            f'"qty":{self.amount(trade.amount)},"ord_type":"{order_type(trade)}",'
            f'"trade_id":{trade.id},"timestamp":"{moment(trade.time)}"}}'
            for trade in trades
        )
        return f'{{"channel":"trade","type":"{kind}","data":[{rows}]}}'

    def ticker(self, kind: str, time: int) -> str | None:
        """``ticker``: 24 hours and the touch; None before the first trade."""
        day = self.market.tape.day(time)
        if day is None:
            return None
        engine = self.market.engine
        bid, ask = engine.best_bid() or 0, engine.best_ask() or 0
        change = day.close - day.open
        percent = fixed(change * 10_000 // day.open, 2)
        return (
            f'{{"channel":"ticker","type":"{kind}","data":[{{"symbol":"{self.venue}",'
            f'"bid":{self.price(bid)},"bid_qty":{self.amount(engine.total("buy", bid))},'
            f'"ask":{self.price(ask)},"ask_qty":{self.amount(engine.total("sell", ask))},'
            f'"last":{self.price(day.close)},"volume":{self.amount(day.volume)},'
            f'"vwap":{self.mean(day.quote, day.volume)},"low":{self.price(day.low)},'
            f'"high":{self.price(day.high)},"change":{self.price(change)},"change_pct":{percent},'
            f'"timestamp":"{moment(time)}"}}]}}'
        )

    def candles(self, kind: str, minutes: int, candles: Sequence[Candle], time: int) -> str:
        """``ohlc``; the time outside has nanoseconds."""
        rows = ",".join(
            f'{{"symbol":"{self.venue}","open":{self.price(c.open)},"high":{self.price(c.high)},'
            f'"low":{self.price(c.low)},"close":{self.price(c.close)},"trades":{c.count},'
            f'"volume":{self.amount(c.volume)},"vwap":{self.mean(c.quote, c.volume)},'
            f'"interval_begin":"{moment(c.open_time)[:-1]}000Z","interval":{minutes},'
            f'"timestamp":"{moment(c.end)}"}}'
            for c in candles
        )
        return (
            f'{{"channel":"ohlc","type":"{kind}","timestamp":"{moment(time)[:-1]}000Z",'
            f'"data":[{rows}]}}'
        )

    # --- instruments -------------------------------------------------------------------------

    def pair(self, status: str = "online") -> str:
        """An element of the pairs of ``instrument``."""
        listing = self.market.listing
        tick = shortest(listing.tick_units, 8)
        return (
            f'{{"symbol":"{self.venue}","base":"{listing.base}","quote":"{listing.quote}",'
            f'"status":"{status}","qty_precision":{_QTY},"qty_increment":1e-08,'
            f'"price_precision":{self.precision},"cost_precision":5,"marginable":false,'
            f'"has_index":true,"cost_min":{listing.min_notional},"tick_size":{tick},'
            f'"price_increment":{tick},"qty_min":5e-05}}'
        )


def order_type(trade: Trade) -> str:
    """Return what a taker's order may have been; every third one was a limit order."""
    return "market" if trade.group % 3 else "limit"
