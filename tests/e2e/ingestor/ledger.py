"""Compares the rows of a trade topic with what happened on the simulated market.

Three questions: is every row a trade that happened, once and digit for digit; which trades between
the first row and the last have none; and do the gap rows that were not taken back name just these.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from collector_core.events import Row, Status, Trade
from collector_testkit.services import Exchange
from collector_testkit.truth import TruthTrade, read_truth

__all__ = [
    "Account",
    "account",
    "described",
    "gaps",
    "same_order",
    "states",
    "story",
    "stream_whole",
    "truth_of",
    "unexplained",
    "unmissed",
]

Content: TypeAlias = tuple[int | None, Decimal, Decimal, str | None]


class Account(NamedTuple):
    """What a topic has of the market's trades."""

    places: list[int]
    """Of each trade row, in their order, which trade of the truth it is."""
    missing: list[TruthTrade]
    """Trades between the first and the last of them that no row has, in order."""
    before_filled: list[TruthTrade]
    """Those of them whose next trade in a row is one that was fetched."""


class Hole(NamedTuple):
    """What a gap row names, both ends inclusive, in ids or in microseconds."""

    unit: str | None
    first: int
    last: int


def truth_of(exchange: Exchange, symbol: str) -> list[TruthTrade]:
    """Return what was traded, in order."""
    return [
        record
        for record in read_truth(exchange.truth)
        if isinstance(record, TruthTrade)
        and (record.exchange, record.symbol) == (exchange.name, symbol)
    ]


def described(trade: Trade | TruthTrade) -> tuple[str | None, str, str, str | None, int | None]:
    """Return what must be equal, digit for digit."""
    return trade.id, trade.price, trade.amount, trade.side, trade.exchange_time


def account(rows: Iterable[Row], truth: Sequence[TruthTrade], *, rest_ids: bool = True) -> Account:
    """Find each trade row in the truth; assert that none is invented, altered or there twice.

    Live rows are known by their ids and equal digit for digit. REST may write a number with
    other zeros at its end; without ``rest_ids`` it names trades otherwise, so that backfilled
    rows are known by their content: of several alike each stands for one.
    """
    trades = [row for row in rows if isinstance(row, Trade)]
    by_id = {trade.id: place for place, trade in enumerate(truth)}
    found: dict[int, int] = {}
    for number, row in enumerate(trades):
        if rest_ids or not row.backfilled:
            place = by_id[row.id or ""]
            same = _content(row) == _content(truth[place])
            assert same if row.backfilled else described(row) == described(truth[place]), row
            found[number] = place
    taken = set(found.values())
    alike: defaultdict[Content, deque[int]] = defaultdict(deque)
    for place, trade in enumerate(truth):
        if place not in taken:
            alike[_content(trade)].append(place)
    for number, row in enumerate(trades):
        if number not in found:
            assert alike[_content(row)], f"expected a trade of the market not told yet, was {row}"
            found[number] = alike[_content(row)].popleft()
    places = [found[number] for number in range(len(trades))]
    assert len(places) == len(set(places)), "expected each trade once, were doubles"
    had = {place: trades[number].backfilled for number, place in found.items()}
    missing, before_filled, filled = [], [], False
    for place in range(max(places, default=-1), min(places, default=0) - 1, -1):
        filled = had.get(place, filled)
        if place not in had:
            missing.append(truth[place])
            before_filled += [truth[place]] if filled else []
    return Account(places, missing[::-1], before_filled[::-1])


def same_order(told: Account) -> None:
    """Assert that the rows stand in the order in which the market traded."""
    assert told.places == sorted(told.places)


def unexplained(rows: Iterable[Row], missing: Iterable[TruthTrade]) -> list[TruthTrade]:
    """Return the missing trades that no gap row names which was not taken back."""
    holes = _holes(rows)
    return [trade for trade in missing if not any(_in(trade, hole) for hole in holes)]


def unmissed(rows: Iterable[Row], missing: Iterable[TruthTrade]) -> set[int]:
    """Return the ids that gap rows still name although the topic has their trades."""
    named = {
        ident
        for hole in _holes(rows)
        if hole.unit == "id"
        for ident in range(hole.first, hole.last + 1)
    }
    return named - {int(trade.id) for trade in missing if trade.id.isdecimal()}


def gaps(rows: Iterable[Row]) -> list[Status]:
    """Return the gap rows."""
    return [row for row in rows if isinstance(row, Status) and row.state == "gap"]


def states(rows: Iterable[Row]) -> list[str]:
    """Return the states of the status rows, in order."""
    return [row.state for row in rows if isinstance(row, Status)]


def story(rows: Iterable[Row]) -> str:
    """Return what the status rows say, a line each, for the text of a failure."""
    return "\n".join(
        f"{row.seq} {row.state} {row.from_}..{row.to} ({row.count}): {row.reason}"
        for row in rows
        if isinstance(row, Status)
    )


def stream_whole(rows: Iterable[Row]) -> None:
    """Assert that each epoch begins with ``started`` and counts up by one, without a hole."""
    epochs: dict[int, list[Row]] = {}
    for row in rows:
        epochs.setdefault(row.epoch, []).append(row)
    before: Row | None = None
    for epoch in epochs.values():
        first = epoch[0]
        assert isinstance(first, Status)
        assert first.state == "started"
        assert (first.previous_epoch, first.previous_seq) == (
            (None, None) if before is None else (before.epoch, before.seq)
        )
        assert [row.seq for row in epoch] == list(range(1, len(epoch) + 1))
        before = epoch[-1]


def _content(trade: Trade | TruthTrade) -> Content:
    return trade.exchange_time, Decimal(trade.price), Decimal(trade.amount), trade.side


def _holes(rows: Iterable[Row]) -> list[Hole]:
    """Return what the gap rows name less what the ``backfilled`` rows behind them take back."""
    holes: list[Hole] = []
    for row in rows:
        if not isinstance(row, Status) or row.state not in {"gap", "backfilled"}:
            continue
        assert row.from_ is not None, f"expected a gap with a beginning, was {row}"
        assert row.to is not None, f"expected a gap with an end, was {row}"
        told = Hole(row.unit, int(row.from_), int(row.to))
        if row.state == "gap":
            holes.append(told)
        else:
            holes = [part for hole in holes for part in _less(hole, told)]
    return holes


def _less(hole: Hole, filled: Hole) -> list[Hole]:
    if hole.unit != filled.unit or filled.last < hole.first or hole.last < filled.first:
        return [hole]
    parts = [
        hole._replace(last=filled.first - 1),
        hole._replace(first=filled.last + 1),
    ]
    return [part for part in parts if part.first <= part.last]


def _in(trade: TruthTrade, hole: Hole) -> bool:
    if hole.unit == "id":
        return trade.id.isdecimal() and hole.first <= int(trade.id) <= hole.last
    return hole.first <= trade.exchange_time <= hole.last
