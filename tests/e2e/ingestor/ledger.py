"""Compares the rows of a trade topic with what happened on the simulated market."""

from __future__ import annotations

from collector_core.events import Row, Status, Trade
from collector_testkit.services import Exchange
from collector_testkit.truth import TruthTrade, read_truth

__all__ = ["described", "gaps", "missing", "same_order", "stream_whole", "truth_of"]


def truth_of(exchange: Exchange, symbol: str) -> list[TruthTrade]:
    """Return what was traded, in order."""
    return [
        record
        for record in read_truth(exchange.truth)
        if isinstance(record, TruthTrade) and record.symbol == symbol
    ]


def described(trade: Trade | TruthTrade) -> tuple[str | None, str, str, str | None, int | None]:
    """Return what must be equal, digit for digit."""
    return trade.id, trade.price, trade.amount, trade.side, trade.exchange_time


def missing(rows: list[Row], truth: list[TruthTrade]) -> list[TruthTrade]:
    """Return the trades between the first and the last row that no row has."""
    ids = {row.id for row in rows if isinstance(row, Trade)}
    places = [place for place, trade in enumerate(truth) if trade.id in ids]
    return [trade for trade in truth[places[0] : places[-1] + 1] if trade.id not in ids]


def gaps(rows: list[Row]) -> list[Status]:
    """Return the gap rows."""
    return [row for row in rows if isinstance(row, Status) and row.state == "gap"]


def inside(trade: TruthTrade, gap: Status) -> bool:
    """Tell whether a gap row names a trade."""
    assert gap.from_ is not None
    assert gap.to is not None
    place = int(trade.id) if gap.unit == "id" else trade.exchange_time
    return int(gap.from_) <= place <= int(gap.to)


def same_order(rows: list[Row], truth: list[TruthTrade]) -> None:
    """Assert that the rows are the truth's trades, each once, in its order, digit for digit."""
    published = [row for row in rows if isinstance(row, Trade)]
    known = {trade.id: trade for trade in truth}
    assert [described(known[row.id or ""]) for row in published] == [
        described(row) for row in published
    ]
    order = {trade.id: place for place, trade in enumerate(truth)}
    places = [order[row.id or ""] for row in published]
    assert places == sorted(set(places))


def stream_whole(rows: list[Row]) -> None:
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
