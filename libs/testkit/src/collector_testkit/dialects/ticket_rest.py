"""REST of two Korean exchanges: the same paths, and answers that differ in their spelling."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Final, Generic, TypeVar

import msgspec

from collector_core.intervals import open_time
from collector_core.symbols import split
from collector_testkit.dialects.budget import Budget
from collector_testkit.dialects.digits import trimmed
from collector_testkit.dialects.messages import Reply, Request
from collector_testkit.dialects.ticket_frames import TicketFrames, moment
from collector_testkit.market import Candle, Trade

__all__ = ["DAY", "JSON", "MICRO", "Failed", "TicketRest", "error", "rows_of"]

JSON: Final = ("Content-Type", "application/json;charset=UTF-8")
MICRO: Final = 1_000_000
DAY: Final = 86_400 * MICRO
_TRADES: Final = 500
_CANDLES: Final = 200
_DAYS: Final = 7
Frames = TypeVar("Frames", bound=TicketFrames)


class Failed(Exception):
    """The request cannot be served; ``reply`` says why."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply.body))
        self.reply = reply


def error(status: int, name: str | int, message: str) -> Reply:
    """Return the answer that says what is wrong."""
    body = msgspec.json.encode({"error": {"name": name, "message": message}})
    return Reply(status, body, (JSON,))


class TicketRest(ABC, Generic[Frames]):
    """Answers requests.

    Args:
        symbols: the symbols by the exchange's spelling.
        limit: requests that a second admits, for each group of endpoints.
        ban: seconds for which an address is refused that goes on over the limit.
    """

    DAYS_AGO: ClassVar[str]
    """Parameter that chooses a day of trades."""
    details: ClassVar[tuple[str, str, object]]
    """Parameter that asks for more of each market, and what that is."""

    def __init__(self, symbols: Mapping[str, Frames], limit: int, ban: float = 120.0) -> None:
        self._symbols = symbols
        self._limit = limit
        self._budget = Budget(limit, 1.0, ban=ban)

    # --- in the exchange's words ---------------------------------------------------------------

    @abstractmethod
    def wrong(self, text: str) -> Failed:
        """Return the failure of a parameter that cannot be read."""

    @abstractmethod
    def known(self, code: str) -> Frames:
        """Return the symbol of a code; raises ``Failed``."""

    @abstractmethod
    def small(self, units: int) -> str:
        """Return an amount of a trade, in units of 10**-8."""

    @abstractmethod
    def book_size(self, units: int) -> str:
        """Return an amount of a book."""

    def plain(self, units: int) -> str:
        """Return a price or a volume, in units of 10**-8."""
        return trimmed(units, 8)

    def ident(self, frames: Frames, trade: Trade) -> int:
        """Return the id that REST gives a trade."""
        return frames.sequential_id(trade)

    # --- answers -------------------------------------------------------------------------------

    def _markets(self, request: Request, _now: int) -> Reply:
        parameter, name, more = self.details
        rows = []
        for code, symbol in self._symbols.items():
            base = split(symbol.symbol)[0]
            row: dict[str, object] = {"market": code, "korean_name": base, "english_name": base}
            if request.query.get(parameter, "false") == "true":
                row[name] = more
            rows.append(row)
        return Reply(200, msgspec.json.encode(rows), (JSON,), "instrument")

    def _trades(self, request: Request, now: int) -> Reply:
        symbol = self.known(request.query.get("market", ""))
        count = min(_TRADES, self.number(request, "count", 1))
        days = self.number(request, self.DAYS_AGO, 0, least=0)
        if days > _DAYS:
            raise self.wrong(f"{self.DAYS_AGO}: 1-{_DAYS}")
        day = open_time("1d", now) - days * DAY
        trades = symbol.market.tape.between(day, self.day_end(request, day, now))
        if "cursor" in request.query:
            cursor = self.number(request, "cursor", 0, least=0)
            trades = [trade for trade in trades if self.ident(symbol, trade) < cursor]
        return rows_of(
            [self._trade(symbol, trade) for trade in reversed(trades[-count:])], "trade", symbol
        )

    def day_end(self, _request: Request, day: int, now: int) -> int:
        """Return where the wanted part of a day ends."""
        return min(day + DAY, now + 1)

    def _candle_rows(
        self, request: Request, now: int, interval: str, end: int | None
    ) -> tuple[Frames, list[Candle]]:
        symbol = self.known(request.query.get("market", ""))
        count = min(_CANDLES, self.number(request, "count", 1))
        last = now + 1 if end is None else end
        candles = symbol.market.tape.candles.range(interval, None, last)[-count:]
        return symbol, candles[::-1]

    def number(self, request: Request, name: str, default: int, least: int = 1) -> int:
        """Return a whole number out of the query."""
        text = request.query.get(name, str(default))
        if not (text.isascii() and text.isdecimal() and len(text) <= 20 and int(text) >= least):
            raise self.wrong(f"{name}: {text}")
        return int(text)

    # --- rows ----------------------------------------------------------------------------------

    def book_row(self, symbol: Frames, count: int, more: str = "") -> str:
        """Return the book of a market."""
        units, size, plain = symbol.units(count), self.book_size, self.plain
        rows = ",".join(
            f'{{"ask_price":{plain(ap)},"bid_price":{plain(bp)},'
            f'"ask_size":{size(a)},"bid_size":{size(b)}}}'
            for ap, bp, a, b in units
        )
        return (
            f'{{"market":"{symbol.code}","timestamp":{symbol.market.changed // 1000},'
            f'"total_ask_size":{self.total(sum(unit[2] for unit in units))},'
            f'"total_bid_size":{self.total(sum(unit[3] for unit in units))},'
            f'"orderbook_units":[{rows}]{more}}}'
        )

    def total(self, units: int) -> str:
        """Return the sum of the amounts of a book."""
        return self.book_size(units)

    def _trade(self, symbol: Frames, trade: Trade) -> str:
        second, plain = trade.time // MICRO, self.plain
        before = symbol.previous_close(trade.time)
        return (
            f'{{"market":"{symbol.code}","trade_date_utc":"{moment(second, "%Y-%m-%d")}",'
            f'"trade_time_utc":"{moment(second, "%H:%M:%S")}","timestamp":{trade.time // 1000},'
            f'"trade_price":{plain(symbol.price(trade.price))},'
            f'"trade_volume":{self.small(symbol.size(trade.amount))},'
            f'"prev_closing_price":{plain(symbol.price(before))},'
            f'"change_price":{plain(symbol.price(trade.price - before))},'
            f'"ask_bid":"{"BID" if trade.side == "buy" else "ASK"}",'
            f'"sequential_id":{self.ident(symbol, trade)}}}'
        )

    def candle_row(self, symbol: Frames, candle: Candle, more: str = "") -> str:
        """Return a candle."""
        second, plain = candle.open_time // MICRO, self.plain
        pattern = "%Y-%m-%dT%H:%M:%S"
        return (
            f'{{"market":"{symbol.code}","candle_date_time_utc":"{moment(second, pattern)}",'
            f'"candle_date_time_kst":"{moment(second, pattern, korea=True)}",'
            f'"opening_price":{plain(symbol.price(candle.open))},'
            f'"high_price":{plain(symbol.price(candle.high))},'
            f'"low_price":{plain(symbol.price(candle.low))},'
            f'"trade_price":{plain(symbol.price(candle.close))},'
            f'"timestamp":{candle.last_time // 1000},'
            f'"candle_acc_trade_price":{trimmed(symbol.value(candle.quote), 16)},'
            f'"candle_acc_trade_volume":{plain(symbol.size(candle.volume))}{more}}}'
        )


def rows_of(rows: list[str], channel: str, symbol: TicketFrames | None) -> Reply:
    """Return an answer that is a list."""
    body = f"[{','.join(rows)}]".encode()
    return Reply(200, body, (JSON,), channel, "" if symbol is None else symbol.symbol)
