"""OKX REST as data: requests and the parsers of their answers.

https://www.okx.com/docs-v5/en/ (Public Data, Order Book Trading / Market Data)
"""

from __future__ import annotations

from typing import Final, TypeVar

from collector_core.errors import Throttled
from collector_core.events import Candle, Instrument, Trade
from collector_exchanges.okx import rows, wire
from collector_exchanges.okx.spec import BARS, BUDGET, SPEC
from collector_feed.candle_rows import CandleSpan, kept
from collector_feed.outputs import BookSnapshot, Mark, Page, Request
from collector_feed.rest_api import Listing, RestApi

__all__ = ["book", "candles", "instruments", "trades"]

_API: Final = RestApi(SPEC)
_MARKET: Final = "/api/v5/market/"
_RATE_REFUSALS: Final = frozenset({"50011", "50040", "50061"})
_NEWEST_TRADES: Final = 500
_OLDER_TRADES: Final = 100
_CANDLES: Final = 300
_RECENT: Final = 1_400
"""Candles that ``candles`` reaches back: 1,440, less what may have closed since it was asked."""
_Data = TypeVar("_Data")


def _weight(requests: int) -> int:
    # of an endpoint that takes so many requests in 2 seconds
    return BUDGET // requests


def _read(body: bytes, kind: type[_Data]) -> _Data:
    """Return what an answer holds; an error comes with HTTP status 200 as well.

    Raises:
        FrameError: no answer, an answer of another shape, or an error.
        Throttled: the exchange asks for a pause.
    """
    answer = _API.read(body, wire.Answer)
    if answer.code != "0":
        refusal = _API.refused(f"{answer.code} {answer.msg}")
        if answer.code in _RATE_REFUSALS:
            raise Throttled(str(refusal))
        raise refusal
    return _API.read(answer.data, kind, strict=wire.LAX)


def instruments() -> Request[list[Instrument]]:
    """Everything that is listed for spot, with its steps."""

    def parse(body: bytes, receive_time: int | None) -> list[Instrument]:
        return _API.listed(map(_listing, _read(body, list[wire.Info])), receive_time)

    path = "/api/v5/public/instruments"
    return _API.get(path, (("instType", "SPOT"),), parse, _weight(20))


def _listing(info: wire.Info) -> Listing:
    return Listing(
        *(info.instId, info.baseCcy, info.quoteCcy, info.tickSz, info.lotSz, info.minSz),
        state="trading" if info.state == "live" else "halted",
    )


def book(symbol: str, venue_symbol: str) -> Request[BookSnapshot]:
    """A snapshot of 400 levels a side, with the number of the stream."""

    def parse(body: bytes, _receive_time: int | None) -> BookSnapshot:
        (item,) = _read(body, tuple[wire.RestBook])
        bids, asks = rows.levels(item.bids), rows.levels(item.asks)
        return BookSnapshot(symbol, item.ts * 1000, item.seqId, bids, asks)

    query = (("instId", venue_symbol), ("sz", "400"))
    return _API.get(_MARKET + "books", query, parse, _weight(40))


def trades(
    symbol: str, venue_symbol: str, after: Mark | None, before: Mark | None
) -> Request[Page[Trade]]:
    """The newest 500 trades, or 100 older than ``before``; pages go back to ``after``."""
    older = _cursor(before)
    limit = _NEWEST_TRADES if older is None else _OLDER_TRADES

    def parse(body: bytes, receive_time: int | None) -> Page[Trade]:
        # newest first
        items = _read(body, list[wire.Trade])
        found = [rows.trade(symbol, item, receive_time, backfilled=True) for item in items]
        found.reverse()
        if after is None or len(items) < limit or _reaches(items[-1], after):
            return Page(found)
        oldest = Mark(str(items[-1].tradeId), None)
        return Page(found, trades(symbol, venue_symbol, after, oldest))

    query = [("instId", venue_symbol), ("limit", str(limit))]
    if older is None:
        return _API.get(_MARKET + "trades", query, parse, _weight(100))
    # what OKX calls "after" is older
    query[1:1] = older
    return _API.get(_MARKET + "history-trades", query, parse, _weight(20))


def _cursor(before: Mark | None) -> list[tuple[str, str]] | None:
    if before is None:
        return None
    if before.id is not None and before.id.isdecimal():
        return [("type", "1"), ("after", before.id)]
    if before.time is not None:
        # exclusive, and others may have been within the same millisecond
        return [("type", "2"), ("after", str(before.time // 1000 + 1))]
    return None


def _reaches(oldest: wire.Trade, after: Mark) -> bool:
    if after.id is not None and after.id.isdecimal():
        return oldest.tradeId <= int(after.id) + 1
    return after.time is not None and oldest.ts * 1000 < after.time


def candles(
    symbol: str, venue_symbol: str, interval: str, start: int | None, end: int | None
) -> Request[Page[Candle]]:
    """Up to 300 closed candles of [start, end); without a start, the newest before ``end``.

    Pages go on by time. The endpoint of the newest 1,440 candles is asked first, for only the
    answer's time tells how old ``start`` is.
    """
    return _candles(symbol, venue_symbol, interval, start, end, recent=True)


def _candles(
    symbol: str,
    venue_symbol: str,
    interval: str,
    start: int | None,
    end: int | None,
    *,
    recent: bool,
) -> Request[Page[Candle]]:
    bar = kept(BARS, interval)
    span = CandleSpan(interval, start, end, _CANDLES)

    def further(begin: int, now: int | None) -> Request[Page[Candle]]:
        newest = now is None or begin >= now - _RECENT * span.length
        return _candles(symbol, venue_symbol, interval, begin, end, recent=newest)

    def parse(body: bytes, now: int | None) -> Page[Candle]:
        # newest first
        items = reversed(_read(body, list[wire.Candle]))
        found = [rows.candle(symbol, interval, item, now, backfilled=True) for item in items]
        if recent and start is not None and now is not None and start < now - _RECENT * span.length:
            # too old for this endpoint
            return Page([], further(start, now))
        more = span.following(now)
        closed = [row for row in found if row.closed]
        return Page(closed, None if more is None else further(more, now))

    query = [("instId", venue_symbol), ("bar", bar), ("limit", str(_CANDLES))]
    if start is not None:
        # "before" is newer and "after" is older, both exclusive
        query.append(("before", str(start // 1000 - 1)))
    if span.until is not None:
        query.append(("after", str(-(-span.until // 1000))))
    path = "candles" if recent else "history-candles"
    return _API.get(_MARKET + path, query, parse, _weight(40 if recent else 20))
