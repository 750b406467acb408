"""From OKX's structs to ours; pushed and fetched ones are alike."""

from __future__ import annotations

from collector_core.errors import FrameError
from collector_core.events import Candle, Level, Ticker, Trade
from collector_core.numbers import exact, exact_price
from collector_exchanges.okx import wire
from collector_feed.candle_rows import Figures
from collector_feed.candle_rows import candle as row_of
from collector_feed.fields import level_texts
from collector_feed.given import given
from collector_feed.outputs import BookDelta, BookSnapshot

__all__ = ["book", "candle", "levels", "ticker", "trade"]


def trade(
    symbol: str, item: wire.Trade, receive_time: int | None, *, backfilled: bool = False
) -> Trade:
    """Return a trade; fills put together get an id that no trade has."""
    # positional: this runs for each trade
    return Trade(
        "okx",
        symbol,
        item.ts * 1000,
        receive_time,
        0,
        0,
        # theirs is the id of the last fill: it must never pass for the trade of that id
        str(item.tradeId) if item.count is None else f"agg-{item.tradeId}",
        exact_price(item.px),
        exact(item.sz),
        item.side,
        backfilled,
    )


def levels(rows: list[wire.Level]) -> list[Level]:
    """Return levels, each number checked; raises ``NumberError``."""
    return level_texts([(row.px, row.sz) for row in rows])


def book(
    symbol: str, action: str, item: wire.Book | wire.OldBook, previous: int, last: int | None
) -> BookDelta | BookSnapshot:
    """Return a push of a book, with its number and the one that links it to the push before."""
    bids, asks = levels(item.bids), levels(item.asks)
    if action == "update":
        return BookDelta(symbol, item.ts * 1000, previous, last or 0, bids, asks)
    if action == "snapshot":
        return BookSnapshot(symbol, item.ts * 1000, last, bids, asks)
    raise FrameError(f"expected a snapshot or an update, was {action[:64]!r}")


def ticker(symbol: str, item: wire.Ticker, receive_time: int | None) -> Ticker:
    """Return a ticker."""
    return Ticker(
        *("okx", symbol, item.ts * 1000, receive_time, 0, 0),
        last=given(item.last),
        open=given(item.open24h),
        high=given(item.high24h),
        low=given(item.low24h),
        volume=given(item.vol24h),
        quote_volume=given(item.volCcy24h),
        bid=given(item.bidPx),
        bid_amount=given(item.bidSz),
        ask=given(item.askPx),
        ask_amount=given(item.askSz),
    )


def candle(
    symbol: str,
    interval: str,
    row: wire.Candle,
    receive_time: int | None,
    *,
    backfilled: bool = False,
) -> Candle:
    """Return a candle; no time of its making is given, only when it opened."""
    figures = Figures(
        *(row.ts * 1000, row.o, row.h, row.l, row.c, row.vol),
        # the column before it is the same for spot, and another currency for all else
        quote_volume=row.volCcyQuote,
    )
    closed = row.confirm == "1"
    return row_of(
        "okx", symbol, interval, figures, receive_time, closed=closed, backfilled=backfilled
    )
