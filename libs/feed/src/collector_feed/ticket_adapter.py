"""Connections to which each message gives the whole list of wanted streams, behind a ticket."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar
from uuid import UUID

from collector_core.events import Level, Ticker, Trade
from collector_core.symbols import SymbolTable
from collector_feed import ticket_wire as wire
from collector_feed.adapter import Adapter
from collector_feed.json_numbers import UnitBooks, number
from collector_feed.outputs import BookSnapshot, Decoded, Send, Subscription
from collector_feed.ticket_wire import MOST_MILLIS, SIDES

__all__ = ["TicketAdapter"]


class TicketAdapter(Adapter):
    """Base of the adapters of two Korean exchanges, in the format DEFAULT."""

    types: ClassVar[Mapping[tuple[str, str], str]]
    """Our channel and interval -> the exchange's ``type``."""

    def __init__(self, symbols: SymbolTable) -> None:
        super().__init__(symbols)
        self._exchange = self.spec.exchange
        self._books = UnitBooks(wire.Unit)

    def change(
        self,
        held: Collection[Subscription],
        add: Sequence[Subscription],
        remove: Sequence[Subscription],
    ) -> list[tuple[Send, tuple[Subscription, ...]]]:
        """Return one message with everything that is wanted: it replaces what was.

        There is no way to want nothing; when nothing is left, the last stream goes on unheard.
        """
        gone = frozenset(remove)
        wanted = [s for s in dict.fromkeys((*held, *add)) if s not in gone]
        if not wanted:
            return []
        codes: dict[str, list[str]] = {}
        for subscription in wanted:
            code = self.symbols.to_venue(subscription.symbol)
            codes.setdefault(self._pushed(self.types, subscription), []).append(code)
        message = [
            {"ticket": str(UUID(int=next(self._ids)))},
            *({"type": kind, "codes": listed} for kind, listed in codes.items()),
            {"format": "DEFAULT"},
        ]
        return [(self._send(message), tuple(add))]

    def _output(
        self, message: wire.Trade | wire.Orderbook | wire.Ticker, receive_time: int | None
    ) -> Decoded:
        """Return what is pushed as ours; raises ``NumberError`` or ``SymbolError``."""
        match message:
            case wire.Trade():
                # positional, and the table looked into before a call: this runs for each trade
                return Trade(
                    self._exchange,
                    self._ours.get(message.code) or self._symbol(message.code),
                    message.trade_timestamp * 1000,
                    receive_time,
                    0,
                    0,
                    str(message.sequential_id),
                    number(message.trade_price),
                    number(message.trade_volume),
                    SIDES[message.ask_bid],
                )
            case wire.Orderbook():
                bids, asks = self._sides(message)
                time = message.timestamp
                return BookSnapshot(
                    self._ours.get(message.code) or self._symbol(message.code),
                    time if time > MOST_MILLIS else time * 1000,
                    None,
                    bids,
                    asks,
                )
            case wire.Ticker():
                return Ticker(
                    *self._head(message.code, message.timestamp * 1000, receive_time),
                    last=number(message.trade_price),
                    # open, high, low and change are of the day, not of 24 hours
                    volume=number(message.acc_trade_volume_24h),
                    quote_volume=number(message.acc_trade_price_24h),
                )

    def _sides(self, message: wire.Orderbook) -> tuple[list[Level], list[Level]]:
        """Return bids and asks of a pushed book."""
        return self._books.read(message.orderbook_units)
