"""What the rows of a trade topic must be, judged by the truth log alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from collector_core.events import Clock, Event, Status, Trade
from collector_exchanges.discovery import adapter
from collector_testkit.truth import TruthFault, TruthRecord, TruthTrade

__all__ = ["TradeJudge", "judge_trades"]

_REST_MARK: Final = "rest-"
_MILLISECOND: Final = 1_000


def judge_trades(
    exchange: str, symbol: str, rows: Sequence[Event], truth: Sequence[TruthRecord]
) -> list[str]:
    """Return what is wrong with the rows of one trade topic, in their order."""
    judge = TradeJudge(exchange, symbol, truth)
    for row in rows:
        judge.take(row)
    return judge.verdict()


class TradeJudge:
    """Reads a trade topic as any consumer may, row by row, beside the truth log.

    Args:
        exchange, symbol: whose topic it is.
        truth: the truth log.
    """

    def __init__(self, exchange: str, symbol: str, truth: Sequence[TruthRecord]) -> None:
        spec = adapter(exchange).spec
        self._counted = spec.trade_ids == "contiguous"
        self._facts = [r for r in truth if isinstance(r, TruthTrade) and r.symbol == symbol]
        self._places = {fact.id: place for place, fact in enumerate(self._facts)}
        self._alike: dict[object, list[int]] = {}
        if not spec.rest_trade_ids:
            for place, fact in enumerate(self._facts):
                self._alike.setdefault(_content(fact), []).append(place)
        faults = [r for r in truth if isinstance(r, TruthFault) and r.symbol in {"", symbol}]
        # trades that the exchange kept from a client who was there, and those it sent out of order
        self._lost = self._struck(f for f in faults if f.lost)
        self._disordered = self._struck(f for f in faults if f.kind == "reorder")
        self.wrong: list[str] = []
        # places of the trades that stand in the rows, and of those that rows say are missing
        self._seen: set[int] = set()
        self._said: set[int] = set()
        self._ever_said: set[int] = set()
        self._first: int | None = None
        self._highest = -1
        # time up to which a clock row says that all is above it
        self._complete = 0
        self._ended = False

    def _struck(self, faults: Iterator[TruthFault]) -> set[int]:
        return {self._places[i] for f in faults for i in f.trades if i in self._places}

    def take(self, row: Event) -> None:
        """Take the next row."""
        if isinstance(row, Status):
            self._take_status(row)
        elif isinstance(row, Clock):
            self._complete = max(self._complete, row.time)
        elif isinstance(row, Trade):
            self._take_trade(row)

    def _take_status(self, row: Status) -> None:
        match row.state:
            case "gap":
                named = set(self._named(row))
                self._said |= named
                self._ever_said |= named
            case "backfilled":
                named = set(self._named(row))
                self._said -= named
                if named & self._seen - self._ever_said:
                    self.wrong.append(f"expected a gap row above what {row.from_} to {row.to} fill")
            case "rejected":
                self._ended = True
            case "subscribed":
                self._ended = False

    def _named(self, row: Status) -> Iterator[int]:
        start = None if row.from_ is None else int(row.from_)
        end = None if row.to is None else int(row.to)
        for place, fact in enumerate(self._facts):
            value = int(fact.id) if row.unit == "id" else fact.exchange_time
            if (start is None or start <= value) and (end is None or value <= end):
                yield place

    def _take_trade(self, row: Trade) -> None:
        place = self._place(row)
        if place is None:
            self.wrong.append(f"expected a trade of the market, was {row}")
            return
        fact = self._facts[place]
        if place in self._seen:
            self.wrong.append(f"expected trade {row.id} once, was a double")
        if self._first is None:
            self._first = place
        self._seen.add(place)
        self._compare(row, fact)
        self._judge_order(row, place, fact)
        self._highest = max(self._highest, place)

    def _place(self, row: Trade) -> int | None:
        if row.id is None:
            return None
        if not row.id.startswith(_REST_MARK):
            return self._places.get(row.id)
        places = self._alike.get(_content(row), [])
        return next((p for p in places if p not in self._seen), places[0] if places else None)

    def _compare(self, row: Trade, fact: TruthTrade) -> None:
        told = row.price, row.amount, row.side, row.exchange_time
        true = fact.price, fact.amount, fact.side, fact.exchange_time
        if row.backfilled:
            # REST may write other zeros, and cut the time to the millisecond
            same = (
                (Decimal(row.price), Decimal(row.amount))
                == (Decimal(fact.price), Decimal(fact.amount))
                and row.side == fact.side
                and abs((row.exchange_time or 0) - fact.exchange_time) < _MILLISECOND
            )
        else:
            same = told == true
        if not same:
            self.wrong.append(f"expected trade {fact.id} to be {true}, was {told}")

    def _judge_order(self, row: Trade, place: int, fact: TruthTrade) -> None:
        if row.backfilled and place in self._said:
            # a gap row above says that it was missing
            return
        if place in self._disordered:
            # the exchange itself sent it late; what counts is put in order all the same
            if self._counted and place < self._highest:
                self.wrong.append(f"expected trade {row.id} in the order of its number, was late")
        elif place < self._highest:
            self.wrong.append(f"expected trade {row.id} in the order of the market, was late")
        elif fact.exchange_time <= self._complete:
            self.wrong.append(f"expected trade {row.id} above the clock row {self._complete}")

    def verdict(self) -> list[str]:
        """Return all that was wrong, once the last row was taken."""
        if self._first is None:
            if not self._ended and self._facts:
                self.wrong.append("expected trades, was none at all")
            return self.wrong
        end = self._highest + 1 if self._ended else len(self._facts)
        missing = set(range(self._first, end)) - self._seen
        said = {p for p in self._said - self._seen if self._first <= p < end}
        if self._counted:
            self._name("lost without a word", missing - said)
            self._name("said to be missing though it is not", said - missing)
        else:
            self._name("lost without a word", missing - said - self._lost)
        return self.wrong

    def _name(self, what: str, places: set[int]) -> None:
        if places:
            facts = [self._facts[place] for place in sorted(places)]
            named = ", ".join(f"{fact.id} at {fact.exchange_time}" for fact in facts[:3])
            self.wrong.append(f"{len(places)} trades {what}: {named}")


def _content(trade: Trade | TruthTrade) -> object:
    return trade.exchange_time, Decimal(trade.price), Decimal(trade.amount), trade.side
