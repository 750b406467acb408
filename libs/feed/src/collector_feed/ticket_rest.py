"""REST of the exchanges of ``ticket_adapter``: the same paths, answers and pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar, Final, TypeVar

from collector_core.errors import FrameError
from collector_core.events import Candle, Instrument, Trade
from collector_feed import ticket_wire as wire
from collector_feed.candle_rows import CandleSpan, Figures, kept
from collector_feed.json_numbers import LevelTexts, levels, number
from collector_feed.outputs import BookSnapshot, Mark, Page, Request
from collector_feed.rest_api import Listing, RestApi, expect_about
from collector_feed.spec import Spec
from collector_feed.ticket_wire import MOST_MILLIS, SIDES
from collector_feed.times import DateTimes

__all__ = ["TicketRest", "figures"]

_TRADES: Final = 500
_CANDLES: Final = 200
_SECOND: Final = 1_000_000
_DAY: Final = 86_400 * _SECOND
_DAYS: Final = 7
"""How many days REST goes back for trades."""
_Kind = TypeVar("_Kind")


class TicketRest(RestApi):
    """REST as data; each request costs one of its group's limit a second.

    Args:
        spec: of the exchange.
        intervals: our name of an interval and its path below ``/v1/candles``.
    """

    DAYS: ClassVar[str] = "days_ago"
    """Name of the parameter that chooses a day of trades."""
    WHY: ClassVar[str] = ""
    """Why there are no other candles."""
    BOOK: ClassVar[tuple[tuple[str, str], ...]] = ()
    """What makes a book 30 levels deep."""

    def __init__(self, spec: Spec, intervals: Mapping[str, str]) -> None:
        super().__init__(spec)
        self._intervals = intervals
        self._same_ids = spec.rest_trade_ids

    # --- what differs --------------------------------------------------------------------------

    def answer(self, body: bytes, kind: type[_Kind]) -> _Kind:
        """Return what a body holds; where refusals come with HTTP status 200, they are raised."""
        return self.read(body, kind)

    def moment(self, seconds: int) -> str:
        """Return a time, seconds since the epoch, as candles are asked for by it."""
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    # --- the four calls ------------------------------------------------------------------------

    def instruments(self) -> Request[list[Instrument]]:
        """Everything listed (``market/all``); it names no steps, and what is listed is traded."""

        def parse(body: bytes, receive_time: int | None) -> list[Instrument]:
            markets = [item.market for item in self.answer(body, list[wire.Market])]
            parts = ((market, *market.partition("-")) for market in markets)
            listed = (Listing(market, base, quote) for market, quote, _, base in parts)
            return self.listed(listed, receive_time)

        return self.get("/v1/market/all", (), parse)

    def book(self, symbol: str, venue_symbol: str) -> Request[BookSnapshot]:
        """The 30 best levels a side (``orderbook``)."""

        def parse(body: bytes, _receive_time: int | None) -> BookSnapshot:
            answer = self.answer(body, list[wire.RestOrderbook])
            if len(answer) != 1:
                raise FrameError(f"expected the book of {venue_symbol}, was {len(answer)} books")
            item = answer[0]
            expect_about(item.market, venue_symbol)
            bids, asks = levels(item.orderbook_units, LevelTexts())
            time = item.timestamp if item.timestamp > MOST_MILLIS else item.timestamp * 1000
            return BookSnapshot(symbol, time, None, bids, asks)

        return self.get("/v1/orderbook", (("markets", venue_symbol), *self.BOOK), parse)

    def trades(
        self, symbol: str, venue_symbol: str, after: Mark | None, before: Mark | None
    ) -> Request[Page[Trade]]:
        """Up to 500 trades, oldest first: the newest, or those before a known one.

        Pages go back to ``after`` over seven days. Where REST has other ids than the stream,
        ``before`` cannot be addressed.
        """
        cursor = before.id if before is not None and self._same_ids else None
        return self._ticks(symbol, venue_symbol, after, cursor, 0)

    def _ticks(
        self, symbol: str, venue_symbol: str, after: Mark | None, cursor: str | None, days: int
    ) -> Request[Page[Trade]]:
        def parse(body: bytes, receive_time: int | None) -> Page[Trade]:
            items = self.answer(body, list[wire.RestTrade])
            # the newest comes first
            rows = [self._tick(symbol, venue_symbol, i, receive_time) for i in reversed(items)]
            return Page(rows, more(items, receive_time))

        def more(items: list[wire.RestTrade], now: int | None) -> Request[Page[Trade]] | None:
            if after is None or after.time is None:
                return None
            if items and items[-1].timestamp * 1000 < after.time:
                return None
            if len(items) == _TRADES:
                oldest = str(items[-1].sequential_id)
                return self._ticks(symbol, venue_symbol, after, oldest, days)
            # this day has no more, the day before may, whoever's midnight parts them
            back = 0 if now is None else -(-(now - after.time) // _DAY)
            if days >= min(back, _DAYS):
                return None
            return self._ticks(symbol, venue_symbol, after, None, days + 1)

        query = [("market", venue_symbol), ("count", str(_TRADES))]
        if cursor is not None:
            query.append(("cursor", cursor))
        if days:
            query.append((self.DAYS, str(days)))
        return self.get("/v1/trades/ticks", query, parse)

    def _tick(
        self, symbol: str, venue_symbol: str, item: wire.RestTrade, receive_time: int | None
    ) -> Trade:
        expect_about(item.market, venue_symbol)
        # marked where the stream names the same trade by an id of another scheme
        ident = f"{'' if self._same_ids else 'rest-'}{item.sequential_id}"
        price, amount = number(item.trade_price), number(item.trade_volume)
        time, side = item.timestamp * 1000, SIDES[item.ask_bid]
        return self.trade(symbol, ident, time, receive_time, price, amount, side)

    def candles(
        self, symbol: str, venue_symbol: str, interval: str, start: int | None, end: int | None
    ) -> Request[Page[Candle]]:
        """The closed candles of up to 200 intervals of [start, end), oldest first.

        Without a trade there is no candle: a page may have fewer rows, or none, and more follow.
        """
        path = kept(self._intervals, interval, self.WHY)
        # pages count back from their end, so the one that begins at start has to be reached by it
        span = CandleSpan(interval, start, end, _CANDLES)

        def parse(body: bytes, receive_time: int | None) -> Page[Candle]:
            times = DateTimes()
            items = self.answer(body, list[wire.RestCandle])
            for item in items:
                expect_about(item.market, venue_symbol)
            found = (figures(item, times) for item in reversed(items))
            rows = span.rows(self.exchange, symbol, found, receive_time)
            more = span.following(receive_time)
            if more is None:
                return Page(rows)
            return Page(rows, self.candles(symbol, venue_symbol, interval, more, end))

        query = [("market", venue_symbol), ("count", str(_CANDLES))]
        if span.until is not None:
            # exclusive, in whole seconds: a part of a second more lets the candle of it in
            query.append(("to", self.moment(-(-span.until // _SECOND))))
        return self.get(f"/v1/candles/{path}", query, parse)


def figures(item: wire.CandleFigures, times: DateTimes) -> Figures:
    """Return what a candle says; raises ``FrameError`` or ``NumberError``."""
    return Figures(
        times[item.candle_date_time_utc],
        *(number(item.opening_price), number(item.high_price), number(item.low_price)),
        close=number(item.trade_price),
        volume=number(item.candle_acc_trade_volume),
        quote_volume=number(item.candle_acc_trade_price),
        exchange_time=item.timestamp * 1000,
    )
