"""OKX's payloads, field for field (docs-v5, Order Book Trading / Market Data).

Numbers are texts without zeros at their end, times are milliseconds as texts.
"""

from __future__ import annotations

from typing import Final

from collector_core.events import Side
from collector_core.intervals import open_time
from collector_testkit.dialects.symbol_frames import SymbolWriter
from collector_testkit.market import Candle, SymbolMarket, Trade

__all__ = ["BookView", "SymbolFrames"]

_DEPTH: Final = 400
_HONG_KONG: Final = 8 * 3600 * 1_000_000
_FIRST: Final = 3_000_000
"""Numbers of the books begin somewhere."""

Levels = list[tuple[int, int]]


class BookView:
    """The best 400 levels of a book as they were sent last, and the number they have.

    Args:
        market: the symbol's market.
    """

    def __init__(self, market: SymbolMarket) -> None:
        self._market = market
        # what the numbers of the market's updates begin from
        self._base = -_FIRST
        self.number = 0
        # time of the last push, in microseconds
        self.pushed = 0
        # somebody listens: what is shown follows the market
        self.live = False
        # price -> total as shown, by side, and whether that is the whole side
        self._shown: dict[Side, dict[int, int]] = {"buy": {}, "sell": {}}
        self._whole: dict[Side, bool] = {"buy": True, "sell": True}
        # prices that changed since
        self.touched: dict[Side, dict[int, int]] = {"buy": {}, "sell": {}}

    @property
    def current(self) -> int:
        """Number of the book as it stands, which may be ahead of what was sent."""
        return self._market.update - self._base

    def start(self, now: int) -> None:
        """Show the book as it stands."""
        self.live = True
        self.number = self.current
        self.pushed = now
        for side in self._shown:
            self._show(side)
            self.touched[side].clear()

    def restart(self) -> None:
        """Begin the numbers anew; what was sent keeps the old one, which the next link names."""
        self._base = self._market.update - 3

    def levels(self, side: Side) -> Levels:
        """Return what is shown, best first."""
        return sorted(self._shown[side].items(), reverse=side == "buy")

    def changes(self, now: int) -> tuple[Levels, Levels, int]:
        """Return bids and asks that differ from what was sent, best first, and its number."""
        bids, asks = self._changed("buy"), self._changed("sell")
        before, self.number = self.number, self.current
        self.pushed = now
        return sorted(bids, reverse=True), sorted(asks), before

    def _changed(self, side: Side) -> Levels:
        touched, shown = self.touched[side], self._shown[side]
        if self._whole[side] and self._market.engine.orders(side) <= _DEPTH:
            # no level is beyond the depth, so none comes in or falls out unseen
            found = [(p, total) for p, total in touched.items() if shown.get(p, 0) != total]
            for price, total in found:
                if total:
                    shown[price] = total
                else:
                    del shown[price]
        else:
            self._show(side)
            now = self._shown[side]
            found = [level for level in now.items() if shown.get(level[0]) != level[1]]
            found += [(price, 0) for price in shown if price not in now]
        touched.clear()
        return found

    def _show(self, side: Side) -> None:
        engine = self._market.engine
        self._shown[side] = dict(engine.levels(side, _DEPTH))
        self._whole[side] = engine.orders(side) <= _DEPTH


class SymbolFrames(SymbolWriter):
    """Writes the payloads of one symbol.

    Args:
        market: the symbol's market.
        instrument: the exchange's spelling.
    """

    def __init__(self, market: SymbolMarket, venue_symbol: str) -> None:
        super().__init__(market, venue_symbol)
        self.book = BookView(market)

    def push(self, channel: str, data: str, action: str = "") -> bytes:
        """Return the frame of a stream."""
        kind = f'"action":"{action}",' if action else ""
        arg = f'"arg":{{"channel":"{channel}","instId":"{self.venue}"}}'
        return f'{{{arg},{kind}"data":[{data}]}}'.encode()

    def trade(self, trade: Trade) -> str:
        """An item of ``trades-all``."""
        return (
            f'{{"instId":"{self.venue}","tradeId":"{trade.id}",'
            f'"px":"{self.price(trade.price)}","sz":"{self.amount(trade.amount)}",'
            f'"side":"{trade.side}","source":"0","ts":"{trade.time // 1000}"}}'
        )

    def rest_trade(self, trade: Trade) -> str:
        """An item of both REST lists."""
        return (
            f'{{"instId":"{self.venue}","side":"{trade.side}",'
            f'"sz":"{self.amount(trade.amount)}","px":"{self.price(trade.price)}",'
            f'"source":"0","tradeId":"{trade.id}","ts":"{trade.time // 1000}"}}'
        )

    def levels(self, side: Side, levels: Levels) -> str:
        """Return levels with their numbers of orders; one that is gone or too deep has none."""
        queue = self.market.engine.queue
        return ",".join(
            [
                f'["{self.price(p)}","{self.amount(a)}","0","{len(queue(side, p)) if a else 0}"]'
                for p, a in levels
            ]
        )

    def snapshot(self, now: int) -> str:
        """The item of ``books`` that opens a subscription."""
        bids, asks = self.book.levels("buy"), self.book.levels("sell")
        return self._book(bids, asks, now, self.book.number, -1)

    def update(self, now: int) -> str:
        """The item of ``books`` with what changed since the last one."""
        bids, asks, before = self.book.changes(now)
        return self._book(bids, asks, now, self.book.number, before)

    def _book(self, bids: Levels, asks: Levels, now: int, number: int, before: int) -> str:
        return (
            f'{{"asks":[{self.levels("sell", asks)}],"bids":[{self.levels("buy", bids)}],'
            f'"ts":"{now // 1000}","checksum":0,"seqId":{number},"prevSeqId":{before}}}'
        )

    def rest_book(self, depth: int, now: int) -> str:
        """The item of ``GET /api/v5/market/books``, as the book stands."""
        engine = self.market.engine
        bids, asks = engine.levels("buy", depth), engine.levels("sell", depth)
        return (
            f'{{"asks":[{self.levels("sell", asks)}],"bids":[{self.levels("buy", bids)}],'
            f'"ts":"{now // 1000}","seqId":{self.book.current}}}'
        )

    def told(self) -> tuple[int, ...]:
        """Return what a ticker is about: the touch, and the last trade's id or zero."""
        last = self.market.tape.last
        return *self.touch(), 0 if last is None else last.id

    def ticker(self, now: int) -> str:
        """The item of ``tickers``; what there is not is an empty text."""
        bid, bids, ask, asks = self.touch()
        last, day = self.market.tape.last, self.market.tape.day(now)
        prices = ["", "", ""] if day is None else map(self.price, (day.open, day.high, day.low))
        opened, high, low = prices
        return (
            f'{{"instType":"SPOT","instId":"{self.venue}",'
            f'"last":"{"" if last is None else self.price(last.price)}",'
            f'"lastSz":"{"0" if last is None else self.amount(last.amount)}",'
            f'"askPx":"{self.price(ask) if ask else ""}","askSz":"{self.amount(asks)}",'
            f'"bidPx":"{self.price(bid) if bid else ""}","bidSz":"{self.amount(bids)}",'
            f'"open24h":"{opened}","high24h":"{high}","low24h":"{low}",'
            f'"volCcy24h":"{"0" if day is None else self.value(day.quote)}",'
            f'"vol24h":"{"0" if day is None else self.amount(day.volume)}",'
            f'"sodUtc0":"{self._day_open(now, 0)}","sodUtc8":"{self._day_open(now, _HONG_KONG)}",'
            f'"ts":"{now // 1000}"}}'
        )

    def _day_open(self, now: int, ahead: int) -> str:
        start = open_time("1d", now + ahead) - ahead
        hours = self.market.tape.candles.range("1h", start)
        return self.price(hours[0].open) if hours else ""

    def candle(self, candle: Candle, now: int) -> str:
        """A row of ``candle<bar>`` and of both REST lists."""
        quote = self.value(candle.quote)
        return (
            f'["{candle.open_time // 1000}","{self.price(candle.open)}",'
            f'"{self.price(candle.high)}","{self.price(candle.low)}",'
            f'"{self.price(candle.close)}","{self.amount(candle.volume)}","{quote}","{quote}",'
            f'"{1 if candle.end <= now else 0}"]'
        )
