"""Bybit's topics, field for field (bybit-exchange.github.io/docs/v5/websocket/public).

Numbers have no zeros at their end and times are milliseconds, as the spot market sends them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from collector_testkit.dialects.bybit.books import BookState
from collector_testkit.dialects.digits import trimmed
from collector_testkit.dialects.symbol_frames import SymbolWriter
from collector_testkit.market import Candle, Trade
from collector_testkit.market.tape import WindowFigures

__all__ = ["SIDES", "SymbolFrames"]

SIDES: Final = {"buy": "Buy", "sell": "Sell"}
_IDS: Final = 2_290_000_000_000_000_000
_SEQUENCE: Final = 112_000_000_000


class SymbolFrames(SymbolWriter):
    """Writes the frames of one symbol.

    Args:
        market: the symbol's market.
        venue_symbol: the exchange's spelling.
    """

    def trade_id(self, trade: Trade) -> str:
        """Return the id: a number that counts up with holes."""
        return str(_IDS + trade.id + trade.group)

    def sequence(self) -> int:
        """Return the cross sequence, which books and trades share."""
        return _SEQUENCE + self.market.update

    def trades(self, trades: Sequence[Trade]) -> str:
        """``publicTrade.{symbol}``: the fills of one moment in one frame."""
        items = ",".join(
            f'{{"i":"{self.trade_id(trade)}","T":{trade.time // 1000},'
            f'"p":"{self.price(trade.price)}","v":"{self.amount(trade.amount)}",'
            f'"S":"{SIDES[trade.side]}","seq":{self.sequence()},"s":"{self.venue}",'
            f'"BT":false,"RPI":false}}'
            for trade in trades
        )
        time = trades[-1].time // 1000
        return (
            f'{{"topic":"publicTrade.{self.venue}","ts":{time},"type":"snapshot","data":[{items}]}}'
        )

    def levels(self, levels: list[tuple[int, int]]) -> str:
        """Return levels as an array of pairs."""
        price, amount = self.price, self.amount
        return "[" + ",".join([f'["{price(p)}","{amount(a)}"]' for p, a in levels]) + "]"

    def book(self, depth: int, kind: str, state: BookState, now: int) -> str:
        """``orderbook.{depth}.{symbol}``, ``snapshot`` or ``delta``."""
        return (
            f'{{"topic":"orderbook.{depth}.{self.venue}","ts":{now // 1000},"type":"{kind}",'
            f'"data":{{"s":"{self.venue}","b":{self.levels(state.bids)},'
            f'"a":{self.levels(state.asks)},"u":{state.update},"seq":{self.sequence()}}},'
            f'"cts":{state.time // 1000}}}'
        )

    def ticker(self, day: WindowFigures, now: int) -> str:
        """``tickers.{symbol}``: the last 24 hours."""
        # a ratio with four decimals
        ratio = trimmed((day.close - day.open) * 10_000 // day.open, 4)
        return (
            f'{{"topic":"tickers.{self.venue}","ts":{now // 1000},"type":"snapshot",'
            f'"cs":{self.sequence()},"data":{{"symbol":"{self.venue}",'
            f'"lastPrice":"{self.price(day.close)}","highPrice24h":"{self.price(day.high)}",'
            f'"lowPrice24h":"{self.price(day.low)}","prevPrice24h":"{self.price(day.open)}",'
            f'"volume24h":"{self.amount(day.volume)}","turnover24h":"{self.value(day.quote)}",'
            f'"price24hPcnt":"{ratio}","usdIndexPrice":"{self.price(day.close)}"}}}}'
        )

    def kline(self, code: str, candle: Candle, now: int) -> str:
        """``kline.{interval}.{symbol}``."""
        time = candle.last_time // 1000
        closed = "true" if candle.end <= now else "false"
        return (
            f'{{"type":"snapshot","topic":"kline.{code}.{self.venue}","data":[{{'
            f'"start":{candle.open_time // 1000},"end":{candle.end // 1000 - 1},'
            f'"interval":"{code}","open":"{self.price(candle.open)}",'
            f'"close":"{self.price(candle.close)}","high":"{self.price(candle.high)}",'
            f'"low":"{self.price(candle.low)}","volume":"{self.amount(candle.volume)}",'
            f'"turnover":"{self.value(candle.quote)}","confirm":{closed},"timestamp":{time}}}],'
            f'"ts":{time}}}'
        )
