"""A test of the test: code that is broken on purpose does not pass the schedules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from collector_core.events import Event, Trade
from collector_feed.book_rows import BookRows
from collector_feed.book_stream import BookStream
from collector_feed.dialogue import Dialogue
from collector_feed.exchange_clock import ExchangeClock
from collector_feed.outputs import Undecodable
from collector_feed.pipeline import Pipeline
from collector_feed.recent_trades import RecentTrades
from collector_feed.sequence import RULES
from collector_feed.trade_fill import between
from collector_feed.trade_rows import TradeRows

from .verdict import try_seed

WITHIN = 40
"""Seeds in which a breakage must show."""
Break = Callable[[pytest.MonkeyPatch], None]


def say_no_gap(patch: pytest.MonkeyPatch) -> None:
    gap = TradeRows.gap

    def silent(rows: TradeRows, *what: Any) -> Event:  # noqa: ANN401  # whatever gap takes
        return replace(gap(rows, *what), state="stale")

    patch.setattr(TradeRows, "gap", silent)


def say_no_gap_of_books(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(BookStream, "_resync", lambda *_: None)
    patch.setattr(
        BookRows, "gap", lambda rows, _, time, **__: rows.status("stale", time, "nothing to see")
    )


def publish_doubles(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RecentTrades, "holds", lambda *_: False)


def apply_every_update(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(RULES, "range", lambda *_: True)


def follow_any_link(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(RULES, "link", lambda last, delta: delta.last > last)


def count_on(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(RULES, "counter", lambda last, delta: delta.last > last)


def trust_every_checksum(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(BookStream, "_prove", lambda *_: None)


def publish_before_the_snapshot(patch: pytest.MonkeyPatch) -> None:
    want = BookStream._want

    def go_on(book: BookStream, *what: Any) -> None:  # noqa: ANN401  # whatever _want takes
        want(book, *what)
        book.state = "live"

    patch.setattr(BookStream, "_want", go_on)


def subscribe_only_once(patch: pytest.MonkeyPatch) -> None:
    say_all = Dialogue.say_all
    # kept alive, so that none can be taken for one that was at its address before
    said: dict[int, Dialogue] = {}

    def once(dialogue: Dialogue) -> None:
        if id(dialogue) not in said:
            said[id(dialogue)] = dialogue
            say_all(dialogue)

    patch.setattr(Dialogue, "say_all", once)


def never_renew(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Dialogue, "renew", lambda *_: [])


def leave_one_out(patch: pytest.MonkeyPatch) -> None:
    def most(*what: Any) -> tuple[list[Trade], bool]:  # noqa: ANN401  # whatever between takes
        rows, whole = between(*what)
        return rows[1:], whole

    patch.setattr("collector_feed.trade_stream.between", most)


def compute_with_floats(patch: pytest.MonkeyPatch) -> None:
    on_frame = Pipeline.on_frame

    def rounded(
        pipeline: Pipeline, frame: bytes, receive_time: int | None
    ) -> Sequence[Event | Undecodable]:
        return [
            replace(row, amount=str(float(row.amount))) if isinstance(row, Trade) else row
            for row in on_frame(pipeline, frame, receive_time)
        ]

    patch.setattr(Pipeline, "on_frame", rounded)


def promise_too_early(patch: pytest.MonkeyPatch) -> None:
    passed = ExchangeClock.passed

    def early(clock: ExchangeClock) -> int | None:
        second = passed(clock)
        return None if second is None else second + 5_000_000

    patch.setattr(ExchangeClock, "passed", early)


def bury_nothing(patch: pytest.MonkeyPatch) -> None:
    on_frame = Pipeline.on_frame

    def careless(
        pipeline: Pipeline, frame: bytes, receive_time: int | None
    ) -> Sequence[Event | Undecodable]:
        rows = on_frame(pipeline, frame, receive_time)
        return [row for row in rows if isinstance(row, Event)]

    patch.setattr(Pipeline, "on_frame", careless)


@pytest.mark.parametrize(
    ("exchange", "breakage", "complaint"),
    [
        ("binance", say_no_gap, "expected a gap row above"),
        ("bybit", say_no_gap, "trades lost without a word"),
        ("binance", say_no_gap_of_books, "expected the exchange's book"),
        ("bithumb", publish_doubles, "was a double"),
        ("coinone", publish_doubles, "was a double"),
        ("binance", apply_every_update, "expected the exchange's book"),
        ("okx", follow_any_link, "expected the exchange's book"),
        ("bybit", count_on, "expected the exchange's book"),
        ("kraken", trust_every_checksum, "expected the exchange's book"),
        ("coinbase", publish_before_the_snapshot, "expected no row of a broken book"),
        ("kraken", subscribe_only_once, "at the end"),
        ("upbit", subscribe_only_once, "at the end"),
        ("coinbase", never_renew, "at the end"),
        ("bybit", leave_one_out, "trades lost without a word"),
        ("coinbase", compute_with_floats, "expected trade"),
        ("okx", promise_too_early, "above the clock row"),
        ("bithumb", bury_nothing, "dead letters"),
    ],
)
def test_a_breakage_shows_soon(
    exchange: str, breakage: Break, complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    breakage(monkeypatch)
    found = (text for seed in range(WITHIN) for text in try_seed(exchange, seed))
    assert next((text for text in found if complaint in text), None) is not None
