"""Binance's candles have no holes: an interval without trades stands at the last price."""

from __future__ import annotations

from collector_core.intervals import close_time, open_time
from collector_testkit.market import Candle, SymbolMarket

__all__ = ["INTERVALS", "candle_at", "candles"]

INTERVALS = (
    *("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h"),
    *("1d", "3d", "1w", "1M"),
)


def candle_at(market: SymbolMarket, interval: str, opened: int) -> Candle:
    """Return the candle that opens at ``opened``, an empty one where there was no trade."""
    end = close_time(interval, opened)
    found = market.tape.candles.range(interval, opened, end)
    if found:
        return found[0]
    before = market.tape.candles.last_before(interval, opened)
    price = market.listing.price_ticks if before is None else before.close
    return Candle(opened, end, price, price, price, price, 0, 0, 0, 0, 0, 0, 0, opened)


def candles(
    market: SymbolMarket, interval: str, start: int | None, end: int, limit: int
) -> list[Candle]:
    """Return at most ``limit`` candles that open in [start, end], oldest first.

    From ``start`` on if there is one, else the newest. Before the first trade there are none.
    """
    known = market.tape.candles.range(interval, None, end + 1)
    if not known:
        return []
    opened = known[0].open_time
    if start is not None and start > opened:
        opened = open_time(interval, start)
        if opened < start:
            opened = close_time(interval, opened)
    found = {candle.open_time: candle for candle in known}
    before = market.tape.candles.last_before(interval, opened)
    price = market.listing.price_ticks if before is None else before.close
    rows: list[Candle] = []
    while opened <= end and (start is None or len(rows) < limit):
        close = close_time(interval, opened)
        candle = found.get(opened)
        if candle is None:
            candle = Candle(opened, close, price, price, price, price, 0, 0, 0, 0, 0, 0, 0, opened)
        price = candle.close
        rows.append(candle)
        opened = close
    return rows[-limit:]
