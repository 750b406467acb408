"""What the REST of all exchanges has in common: strict parsers, and rows of the past."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeAlias, TypeVar

import msgspec

from collector_core.errors import FrameError, SymbolError
from collector_core.events import Instrument, Side, Trade
from collector_core.numbers import exact
from collector_core.symbols import join
from collector_feed.given import given
from collector_feed.outputs import Request
from collector_feed.spec import Spec
from collector_feed.unreadable import UNREADABLE, unreadable

__all__ = ["Listing", "RestApi", "State", "expect_about"]

State: TypeAlias = Literal["trading", "halted", "delisted"]
_Answer = TypeVar("_Answer")
_Kind = TypeVar("_Kind")


class Listing(msgspec.Struct, frozen=True):
    """A line of an exchange's list of symbols; numbers as it writes them, empty for none."""

    venue_symbol: str
    base: str
    quote: str
    price_tick: str | None = None
    amount_step: str | None = None
    min_amount: str | None = None
    min_notional: str | None = None
    state: State = "trading"


class RestApi:
    """Makes an exchange's requests, and the rows of their answers.

    Args:
        spec: of the exchange.
    """

    def __init__(self, spec: Spec) -> None:
        self.exchange = spec.exchange
        self.title = spec.title

    def get(
        self,
        path: str,
        query: Sequence[tuple[str, str]],
        parse: Callable[[bytes, int | None], _Answer],
        weight: int = 1,
    ) -> Request[_Answer]:
        """Return a request; whatever ``parse`` cannot read is a ``FrameError``."""

        def strict(body: bytes, receive_time: int | None) -> _Answer:
            try:
                return parse(body, receive_time)
            except UNREADABLE as error:
                raise unreadable(f"an answer of {self.title}", body, error) from error

        return Request("GET", path, tuple(query), weight, strict)

    def read(self, body: bytes, kind: type[_Kind], *, strict: bool = True) -> _Kind:
        """Return a body of JSON as ``kind``; not strict, numbers are read out of texts.

        Raises:
            MsgspecError, UnicodeDecodeError, RecursionError: it is none.
        """
        return msgspec.json.decode(body, type=kind, strict=strict)

    def refused(self, words: str) -> FrameError:
        """Return the error for an answer that says what is wrong, whatever its HTTP status."""
        return FrameError(f"expected an answer of {self.title}, was its error {words[:200]}")

    def listed(self, listings: Iterable[Listing], receive_time: int | None) -> list[Instrument]:
        """Return the rows of a list of symbols.

        A line whose currencies nobody can spell is left out, for one odd code must not hide the
        others; asked for by name, it is "not listed".
        """
        rows = []
        for line in listings:
            try:
                symbol = join(line.base, line.quote)
            except SymbolError:
                continue
            rows.append(
                Instrument(
                    *(self.exchange, symbol, None, receive_time, 0, 0),
                    venue_symbol=line.venue_symbol,
                    base=line.base,
                    quote=line.quote,
                    price_tick=given(line.price_tick),
                    amount_step=given(line.amount_step),
                    min_amount=given(line.min_amount),
                    min_notional=given(line.min_notional),
                    state=line.state,
                )
            )
        return rows

    def trade(
        self,
        symbol: str,
        ident: str | None,
        time: int,
        receive_time: int | None,
        price: str,
        amount: str,
        side: Side,
    ) -> Trade:
        """Return a trade of the past; ``time`` in microseconds, numbers as the exchange has them.

        Raises:
            NumberError: a price or an amount is no number.
        """
        head = (self.exchange, symbol, time, receive_time, 0, 0, ident)
        return Trade(*head, exact(price), exact(amount), side, backfilled=True)


def expect_about(found: str, venue_symbol: str) -> None:
    """Check that an answer is about the symbol that was asked for.

    Raises:
        FrameError: it is about another one.
    """
    if found != venue_symbol:
        raise FrameError(f"expected an answer about {venue_symbol}, was {found[:64]!r}")
