"""Binance's stream payloads, field for field (web-socket-streams.md of binance-spot-api-docs).

``unit`` is the number of microseconds in the time unit of the connection: 1000, or 1 for
``timeUnit=MICROSECOND``.
"""

from __future__ import annotations

from collector_testkit.dialects.digits import fixed
from collector_testkit.dialects.symbol_frames import SymbolWriter
from collector_testkit.market import BookChange, Candle, SymbolMarket, Trade
from collector_testkit.market.tape import WindowFigures

__all__ = ["DepthWindow", "SymbolFrames"]


class DepthWindow:
    """The level changes since the last frame of a diff stream."""

    __slots__ = ("asks", "bids", "first", "last")

    def __init__(self, first: int) -> None:
        self.first = first
        self.last = first
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}

    def add(self, change: BookChange) -> None:
        """Take the changes of one order."""
        self.last = change.last
        self.bids.update(change.bids)
        self.asks.update(change.asks)


class SymbolFrames(SymbolWriter):
    """Writes the payloads of one symbol.

    Args:
        market: the symbol's market.
        venue_symbol: the exchange's spelling, upper case.
    """

    def __init__(self, market: SymbolMarket, venue_symbol: str) -> None:
        super().__init__(market, venue_symbol, fixed)

    def trade(self, trade: Trade, unit: int) -> str:
        """``<symbol>@trade``."""
        time = trade.time // unit
        maker = "false" if trade.side == "buy" else "true"
        return (
            f'{{"e":"trade","E":{time},"s":"{self.venue}","t":{trade.id},'
            f'"p":"{self.price(trade.price)}","q":"{self.amount(trade.amount)}",'
            f'"T":{time},"m":{maker},"M":true}}'
        )

    def aggregate(self, first: Trade, last: int, amount: int, unit: int) -> str:
        """``<symbol>@aggTrade``: the fills ``first.id`` to ``last`` of one taker at one price."""
        time = first.time // unit
        maker = "false" if first.side == "buy" else "true"
        return (
            f'{{"e":"aggTrade","E":{time},"s":"{self.venue}","a":{first.group},'
            f'"p":"{self.price(first.price)}","q":"{self.amount(amount)}",'
            f'"f":{first.id},"l":{last},"T":{time},"m":{maker},"M":true}}'
        )

    def book_ticker(self, touch: tuple[int, int, int, int], update: int, _unit: int) -> str:
        """``<symbol>@bookTicker``."""
        bid, bids, ask, asks = touch
        return (
            f'{{"u":{update},"s":"{self.venue}","b":"{self.price(bid)}","B":"{self.amount(bids)}",'
            f'"a":"{self.price(ask)}","A":"{self.amount(asks)}"}}'
        )

    def levels(self, levels: list[tuple[int, int]]) -> str:
        """Return levels as an array of pairs."""
        price, amount = self.price, self.amount
        return "[" + ",".join([f'["{price(p)}","{amount(a)}"]' for p, a in levels]) + "]"

    def diff(self, window: DepthWindow, now: int, unit: int) -> str:
        """``<symbol>@depth``: changed levels, best first."""
        bids = sorted(window.bids.items(), reverse=True)
        asks = sorted(window.asks.items())
        return (
            f'{{"e":"depthUpdate","E":{now // unit},"s":"{self.venue}","U":{window.first},'
            f'"u":{window.last},"b":{self.levels(bids)},"a":{self.levels(asks)}}}'
        )

    def book(self, count: int, _unit: int = 1000) -> str:
        """Partial depth stream and REST snapshot."""
        engine = self.market.engine
        return (
            f'{{"lastUpdateId":{self.market.update},'
            f'"bids":{self.levels(engine.levels("buy", count))},'
            f'"asks":{self.levels(engine.levels("sell", count))}}}'
        )

    def ticker(self, day: WindowFigures, now: int, unit: int) -> str:
        """``<symbol>@ticker``: the last 24 hours."""
        bid, bids, ask, asks = self.touch()
        last = self.market.tape.last
        amount = 0 if last is None else last.amount
        change = day.close - day.open
        # hundredths of a percent, rounded down like the exchange's three decimals
        percent = fixed(change * 100_000 // day.open, 3)
        mean = fixed(day.quote * self.market.listing.tick_units // max(1, day.volume), 8)
        return (
            f'{{"e":"24hrTicker","E":{now // unit},"s":"{self.venue}","p":"{self.price(change)}",'
            f'"P":"{percent}","w":"{mean}","x":"{self.price(day.previous)}",'
            f'"c":"{self.price(day.close)}","Q":"{self.amount(amount)}",'
            f'"b":"{self.price(bid)}","B":"{self.amount(bids)}",'
            f'"a":"{self.price(ask)}","A":"{self.amount(asks)}",'
            f'"o":"{self.price(day.open)}","h":"{self.price(day.high)}",'
            f'"l":"{self.price(day.low)}","v":"{self.amount(day.volume)}",'
            f'"q":"{self.value(day.quote)}","O":{day.start // unit},"C":{now // unit},'
            f'"F":{day.first_id},"L":{day.last_id},"n":{day.trades}}}'
        )

    def mini_ticker(self, day: WindowFigures, now: int, unit: int) -> str:
        """``<symbol>@miniTicker``."""
        return (
            f'{{"e":"24hrMiniTicker","E":{now // unit},"s":"{self.venue}",'
            f'"c":"{self.price(day.close)}","o":"{self.price(day.open)}",'
            f'"h":"{self.price(day.high)}","l":"{self.price(day.low)}",'
            f'"v":"{self.amount(day.volume)}","q":"{self.value(day.quote)}"}}'
        )

    def kline(self, interval: str, candle: Candle, now: int, unit: int) -> str:
        """``<symbol>@kline_<interval>``."""
        none = not candle.count
        return (
            f'{{"e":"kline","E":{now // unit},"s":"{self.venue}","k":{{'
            f'"t":{candle.open_time // unit},"T":{(candle.end - 1) // unit},"s":"{self.venue}",'
            f'"i":"{interval}","f":{-1 if none else candle.first_id},'
            f'"L":{-1 if none else candle.last_id},"o":"{self.price(candle.open)}",'
            f'"c":"{self.price(candle.close)}","h":"{self.price(candle.high)}",'
            f'"l":"{self.price(candle.low)}","v":"{self.amount(candle.volume)}",'
            f'"n":{candle.count},"x":{"true" if candle.end <= now else "false"},'
            f'"q":"{self.value(candle.quote)}","V":"{self.amount(candle.buy_volume)}",'
            f'"Q":"{self.value(candle.buy_quote)}","B":"0"}}}}'
        )
