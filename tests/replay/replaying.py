"""Recorded connections through the pipeline of the live path, and books kept without it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec

from collector_core.events import Book, Event, Level, Status
from collector_core.symbols import SymbolTable
from collector_exchanges.discovery import adapter, replay_adapter
from collector_feed.outputs import Undecodable
from collector_feed.pipeline import Pipeline
from collector_testkit.captures import Answer, Session, tree

ALL: Final = 1_000_000
"""More levels than any recorded book has."""


class Step(NamedTuple):
    """A frame, or an answer that had been asked for, and the rows that followed."""

    frame: Any
    """Its JSON with numbers as texts; None for an answer."""
    answer: Answer | None
    symbol: str | None
    """Of an answer."""
    rows: list[Event | Undecodable]


def pipeline_of(exchange: str, catalogue: bytes | None = None) -> Pipeline:
    """Return a pipeline that lets every symbol through; with a catalogue, only those in it."""
    if catalogue is None:
        return Pipeline(replay_adapter(exchange), accept_any=True, book_levels=ALL)
    kind = adapter(exchange)
    listed = kind(SymbolTable()).instruments().parse(catalogue, None)
    table = SymbolTable((row.symbol, row.venue_symbol) for row in listed)
    return Pipeline(kind(table), accept_any=True, book_levels=ALL)


def steps(pipeline: Pipeline, session: Session) -> Iterator[Step]:
    """Replay a session, each answer after as many frames as in the recording."""
    answers = list(session.snapshots)
    for count, frame in enumerate(session.frames, 1):
        rows = pipeline.on_frame(frame.data, frame.receive_time)
        yield Step(tree(frame.data), None, None, rows)
        while answers and answers[0].after == count:
            answer = answers.pop(0)
            code = parse_qs(urlsplit(answer.url).query)["symbol"][0]
            symbol = pipeline.adapter.symbols.from_venue(code)
            assert pipeline.wants_snapshot(symbol)
            snapshot = pipeline.adapter.book(symbol).parse(answer.body, answer.receive_time)
            assert snapshot.symbol == symbol
            found = pipeline.on_snapshot(snapshot, answer.receive_time)
            yield Step(None, answer, symbol, [*found])
    assert answers == []


class NaiveBook:
    """A book as two plain dicts from price text to amount text."""

    def __init__(self) -> None:
        self.sides: tuple[dict[str, str], dict[str, str]] = {}, {}

    def replace(self, bids: list[Any], asks: list[Any]) -> None:
        """Take a whole book."""
        self.sides = {}, {}
        self.apply(bids, asks)

    def apply(self, bids: list[Any], asks: list[Any]) -> None:
        """Take changed levels."""
        for side, levels in zip(self.sides, (bids, asks), strict=True):
            for price, amount in levels:
                if Decimal(amount):
                    side[price] = amount
                else:
                    side.pop(price, None)

    def take(self, row: Book) -> None:
        """Take a published row, as a consumer does."""
        if row.kind == "snapshot":
            assert not row.truncated
            self.replace(row.bids, row.asks)
        else:
            self.apply(row.bids, row.asks)

    def levels(self) -> tuple[list[Level], list[Level]]:
        """Return bids and asks, best first."""
        bids = sorted(self.sides[0].items(), key=lambda level: -Decimal(level[0]))
        asks = sorted(self.sides[1].items(), key=lambda level: Decimal(level[0]))
        return bids, asks

    def crossed(self) -> bool:
        """Tell whether the best bid is at or above the best ask."""
        bids, asks = self.levels()
        return bool(bids and asks) and Decimal(bids[0][0]) >= Decimal(asks[0][0])


def statuses(rows: list[Event | Undecodable]) -> list[tuple[str, str]]:
    """Return channel and state of the status rows."""
    return [(row.channel, row.state) for row in rows if isinstance(row, Status)]


def values(row: object, *names: str) -> tuple[Any, ...]:
    """Return fields of a row."""
    assert isinstance(row, msgspec.Struct)
    return tuple(getattr(row, name) for name in names)
