"""Candles without holes: an interval without trades stands at the last price."""

from __future__ import annotations

from collections.abc import Iterator

from collector_core.intervals import close_time, open_time
from collector_testkit.market import Candle, SymbolMarket

__all__ = ["candle_at", "whole_candles"]


def candle_at(market: SymbolMarket, interval: str, opened: int) -> Candle:
    """Return the candle that opens at ``opened``, an empty one where there was no trade."""
    end = close_time(interval, opened)
    found = market.tape.candles.range(interval, opened, end)
    return found[0] if found else _empty(opened, end, _price_before(market, interval, opened))


def whole_candles(
    market: SymbolMarket, interval: str, start: int | None, end: int
) -> Iterator[Candle]:
    """Yield the candles that open in [start, end], oldest first; none before the first trade."""
    known = {c.open_time: c for c in market.tape.candles.range(interval, None, end + 1)}
    if not known:
        return
    opened = max(min(known), start or 0)
    if open_time(interval, opened) < opened:
        opened = close_time(interval, open_time(interval, opened))
    price = _price_before(market, interval, opened)
    while opened <= end:
        close = close_time(interval, opened)
        candle = known.get(opened) or _empty(opened, close, price)
        price = candle.close
        yield candle
        opened = close


def _price_before(market: SymbolMarket, interval: str, opened: int) -> int:
    before = market.tape.candles.last_before(interval, opened)
    return market.listing.price_ticks if before is None else before.close


def _empty(opened: int, end: int, price: int) -> Candle:
    return Candle(opened, end, price, price, price, price, 0, 0, 0, 0, 0, 0, 0, opened)
