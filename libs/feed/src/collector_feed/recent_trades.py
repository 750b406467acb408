"""The last trades on the bus of one symbol, for exchanges whose ids do not count."""

from __future__ import annotations

from typing import Final

import msgspec

from collector_core.events import Trade
from collector_feed.trade_fill import Key, content, numbered

__all__ = ["RecentTrades", "TradeSeed"]

_KEPT: Final = 500
"""Trades of a symbol, about 100 kB: enough to meet a page of a history or another connection."""


class TradeSeed(msgspec.Struct, frozen=True):
    """What is on the bus already of a symbol's trades: ids, oldest first, and the last time."""

    ids: tuple[str, ...]
    time: int | None
    contents: tuple[object, ...] = ()
    """``trade_fill.content`` of the same trades, for exchanges whose REST has other ids."""


class RecentTrades:
    """Remembers trades by their ids and, where REST has other ids, by what is in them.

    Args:
        same_ids: REST names trades by the ids of the stream.
    """

    __slots__ = ("_known", "_met", "_same_ids", "_twins")

    def __init__(self, *, same_ids: bool) -> None:
        self._same_ids = same_ids
        # id -> time and content, in the order of publication
        self._known: dict[str, tuple[int, object]] = {}
        # content of trades fetched under another id -> how many the stream may still bring
        self._twins: dict[object, int] = {}
        # ids of the stream of those that it has brought since, the oldest first
        self._met: dict[str, None] = {}

    def __contains__(self, ident: object) -> bool:
        return ident in self._known

    def holds(self, trade: Trade) -> bool:
        """Tell whether a trade of the stream is on the bus, be it under another id.

        Of those fetched under another id each is met once: two trades alike are two.
        """
        if trade.id in self._known or trade.id in self._met:
            return True
        if not self._twins or trade.id is None:
            return False
        what = content(trade)
        left = self._twins.pop(what, 0)
        if left > 1:
            self._twins[what] = left - 1
        if left:
            self._met[trade.id] = None
            if len(self._met) > _KEPT:
                del self._met[next(iter(self._met))]
        return left > 0

    def plant(self, seed: TradeSeed) -> None:
        """Take what is on the bus already."""
        contents = seed.contents or (None,) * len(seed.ids)
        # their times are not in the seed; none of them is later than its time
        known = [(seed.time or 0, what) for what in contents]
        self._known = dict(zip(seed.ids[-_KEPT:], known[-_KEPT:], strict=True))

    def seed(self, time: int | None) -> TradeSeed:
        """Return what a later stream has to know."""
        contents = () if self._same_ids else tuple(what for _, what in self._known.values())
        return TradeSeed(tuple(self._known), time, contents)

    def remember(self, trade: Trade) -> None:
        """Note a trade that is published; one without an id cannot be known again."""
        if trade.id is None or trade.id in self._known:
            return
        what = None if self._same_ids else content(trade)
        self._known[trade.id] = trade.exchange_time or 0, what
        if len(self._known) > _KEPT:
            del self._known[next(iter(self._known))]
        if trade.backfilled and not self._same_ids:
            self._twins[what] = self._twins.get(what, 0) + 1
            if len(self._twins) > _KEPT:
                del self._twins[next(iter(self._twins))]

    def last(self) -> str | None:
        """Return the id of the last trade."""
        return next(reversed(self._known), None)

    def published(self) -> set[Key]:
        """Return the keys by which fetched trades are known again."""
        if self._same_ids:
            return {(ident, 0) for ident in self._known}
        return set(numbered((what for _, what in self._known.values()), lambda what: what))

    def since(self) -> int:
        """Return the time from which on all that was published is known, in microseconds."""
        return next(iter(self._known.values()), (0, None))[0]
