"""What a connection hears that is to take another one's place, kept until it does.

The successor is subscribed while its predecessor still publishes. Nothing that it hears is
published, all of it is kept in order; at the change it is put through the predecessor's own
streams, which know what is on the bus already and so drop what came twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from collector_core.events import Candle, Ticker, Trade
from collector_feed.book_stream import BookStream
from collector_feed.outputs import BookDelta, BookSnapshot, Decoded
from collector_feed.spec import Spec
from collector_feed.trade_stream import TradeStream

__all__ = ["Overheard"]

_MOST: Final = 500_000
"""Items kept; a successor that hears more without taking over is given up."""


class Overheard:
    """Items of one successor, in order of arrival.

    Args:
        spec: the exchange, whose book rule says what a book needs.
    """

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._items: list[tuple[Decoded, int | None]] = []
        # symbols whose book was sent whole
        self.snapshots: set[str] = set()
        # by symbol the number that a book, or the id that trades, must have reached to go on here
        self._books: dict[str, int] = {}
        self._trades: dict[str, int] = {}
        # more was heard than is kept
        self.full = False

    def add(self, item: Decoded, receive_time: int | None) -> None:
        """Keep an item; of a ticker only the next one is of use."""
        match item:
            case Ticker():
                return
            case Trade() if item.id is not None and item.id.isdecimal():
                self._trades.setdefault(item.symbol, int(item.id))
            case BookDelta():
                before = item.first if self._spec.book_rule == "link" else item.first - 1
                self._books.setdefault(item.symbol, before)
            case BookSnapshot():
                self.snapshots.add(item.symbol)
        if len(self._items) < _MOST:
            self._items.append((item, receive_time))
        else:
            self.full = True

    def joins(
        self, trades: Iterator[tuple[str, TradeStream]], books: Iterator[tuple[str, BookStream]]
    ) -> bool:
        """Tell whether all that was heard goes on where the predecessor's streams stand."""
        if self._spec.trade_ids == "contiguous":
            for symbol, stream in trades:
                first = self._trades.get(symbol)
                if first is not None and 0 <= stream.next_id < first:
                    return False
        if self._spec.book_by_rest:
            for symbol, book in books:
                needed = self._books.get(symbol)
                reached = book.book.sequence
                if needed is not None and reached is not None and reached < needed:
                    return False
        return True

    def replay(self, is_published: Callable[[Trade], bool]) -> Iterator[tuple[Decoded, int | None]]:
        """Yield the items that may be new; of the rows of one candle only the last.

        Trades come in order, so all before one that is on the bus are there as well, however few
        of them are remembered.
        """
        known = {
            item.symbol: index
            for index, (item, _) in enumerate(self._items)
            if isinstance(item, Trade) and is_published(item)
        }
        last = {
            (item.symbol, item.interval, item.open_time): index
            for index, (item, _) in enumerate(self._items)
            if isinstance(item, Candle)
        }
        for index, (item, receive_time) in enumerate(self._items):
            if isinstance(item, Trade) and index <= known.get(item.symbol, -1):
                continue
            if isinstance(item, Candle):
                series = item.symbol, item.interval, item.open_time
                if last[series] != index:
                    continue
            yield item, receive_time
