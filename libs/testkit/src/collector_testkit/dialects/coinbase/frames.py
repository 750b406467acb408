"""Coinbase's frames, field for field, in the order and the spelling of August 2026.

Numbers are texts with no more decimals than they need, and so are the parts of a second.
https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from collector_testkit.dialects.digits import trimmed
from collector_testkit.dialects.symbol_frames import SymbolWriter
from collector_testkit.market import Candle, Trade

__all__ = ["NOTHING", "LevelWindow", "SymbolFrames", "envelope", "heartbeat", "moment"]

NOTHING = (
    '{"type":"snapshot","tickers":[{"type":"ticker","product_id":"","price":"","volume_24_h":"",'
    '"low_24_h":"","high_24_h":"","low_52_w":"","high_52_w":"","price_percent_chg_24_h":"",'
    '"best_bid":"","best_ask":"","best_bid_quantity":"","best_ask_quantity":""}]}'
)
"""The ticker of a product that was never traded."""


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def moment(time: int) -> str:
    """Return microseconds as the exchange writes a time: ``2026-08-09T21:05:38.50436Z``."""
    second, part = divmod(time, 1_000_000)
    fraction = f".{part:06d}".rstrip("0") if part else ""
    return f"{_second(second)}{fraction}Z"


def envelope(channel: str, now: int, number: int, event: str) -> bytes:
    """Return a frame with one event."""
    return (
        f'{{"channel":"{channel}","timestamp":"{moment(now)}","sequence_num":{number},'
        f'"events":[{event}]}}'
    ).encode()


def heartbeat(now: int, count: int) -> str:
    """Return the event of a heartbeat; its time is in the spelling of the language Go."""
    second, part = divmod(now, 1_000_000)
    text = f"{_second(second).replace('T', ' ')}.{part:06d}000 +0000 UTC"
    return f'{{"current_time":"{text} m=+{count}.{part:06d}000","heartbeat_counter":{count}}}'


class LevelWindow:
    """The levels of a book that changed since its last frame."""

    __slots__ = ("asks", "bids", "time")

    def __init__(self) -> None:
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        # of the last change
        self.time = 0


class SymbolFrames(SymbolWriter):
    """Writes the events of one product.

    Args:
        market: the symbol's market.
        product: the exchange's spelling.
    """

    def trade(self, trade: Trade) -> str:
        """Return a trade as it stands in the stream and, with more behind it, over REST."""
        # the side of the resting order
        side = "SELL" if trade.side == "buy" else "BUY"
        return (
            f'{{"product_id":"{self.venue}","trade_id":"{trade.id}",'
            f'"price":"{self.price(trade.price)}","size":"{self.amount(trade.amount)}",'
            f'"time":"{moment(trade.time)}","side":"{side}"}}'
        )

    def trades(self, kind: str, trades: Sequence[Trade]) -> str:
        """Return an event of ``market_trades``, the newest first."""
        rows = ",".join([self.trade(trade) for trade in reversed(trades)])
        return f'{{"type":"{kind}","trades":[{rows}]}}'

    def ticker(self, kind: str, now: int) -> str | None:
        """Return an event of ``ticker``, or None before the first trade."""
        tape = self.market.tape
        day = tape.day(now)
        if day is None:
            return None
        year = tape.candles.range("1d")
        low, high = min(c.low for c in year), max(c.high for c in year)
        bid, bids, ask, asks = self.touch()
        percent = trimmed((day.close - day.open) * 10**16 // day.open, 14)
        return (
            f'{{"type":"{kind}","tickers":[{{"type":"ticker","product_id":"{self.venue}",'
            f'"price":"{self.price(day.close)}","volume_24_h":"{self.amount(day.volume)}",'
            f'"low_24_h":"{self.price(day.low)}","high_24_h":"{self.price(day.high)}",'
            f'"low_52_w":"{self.price(low)}","high_52_w":"{self.price(high)}",'
            f'"price_percent_chg_24_h":"{percent}",'
            f'"best_bid":"{self.price(bid)}","best_ask":"{self.price(ask)}",'
            f'"best_bid_quantity":"{self.amount(bids)}",'
            f'"best_ask_quantity":"{self.amount(asks)}"}}]}}'
        )

    def _levels(self, side: str, time: str, levels: Iterable[tuple[int, int]]) -> list[str]:
        price, amount = self.price, self.amount
        return [
            f'{{"side":"{side}","event_time":"{time}","price_level":"{price(p)}",'
            f'"new_quantity":"{amount(a)}"}}'
            for p, a in levels
        ]

    def _book(
        self, kind: str, time: int, bids: Iterable[tuple[int, int]], asks: Iterable[tuple[int, int]]
    ) -> str:
        text = moment(time)
        rows = ",".join([*self._levels("bid", text, bids), *self._levels("offer", text, asks)])
        return f'{{"type":"{kind}","product_id":"{self.venue}","updates":[{rows}]}}'

    def snapshot(self) -> str:
        """Return the event of ``l2_data`` with every level, best first."""
        engine = self.market.engine
        bids, asks = engine.levels("buy"), engine.levels("sell")
        return self._book("snapshot", self.market.changed, bids, asks)

    def update(self, window: LevelWindow) -> str:
        """Return the event of ``l2_data`` with the levels of a window, best first."""
        bids = sorted(window.bids.items(), reverse=True)
        return self._book("update", window.time, bids, sorted(window.asks.items()))

    def candle(self, candle: Candle) -> str:
        """Return a candle of the stream."""
        return (
            f'{{"start":"{candle.open_time // 1_000_000}","high":"{self.price(candle.high)}",'
            f'"low":"{self.price(candle.low)}","open":"{self.price(candle.open)}",'
            f'"close":"{self.price(candle.close)}","volume":"{self.amount(candle.volume)}",'
            f'"product_id":"{self.venue}"}}'
        )

    def rest_candle(self, candle: Candle) -> str:
        """Return a candle as REST gives it."""
        return (
            f'{{"start":"{candle.open_time // 1_000_000}","low":"{self.price(candle.low)}",'
            f'"high":"{self.price(candle.high)}","open":"{self.price(candle.open)}",'
            f'"close":"{self.price(candle.close)}","volume":"{self.amount(candle.volume)}"}}'
        )
