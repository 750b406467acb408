"""The life of a book: join, gaps, whole books, and what is said of each."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector_core.book import OrderBook
from collector_core.events import Book, Event, Level, Status
from collector_feed import book_stream
from collector_feed.book_stream import BookStream
from collector_feed.outputs import BookDelta, BookSnapshot

Rule = Literal["range", "link", "counter", "whole"]
BIDS: list[Level] = [("10", "1"), ("9", "2")]
ASKS: list[Level] = [("11", "1"), ("12", "2")]


def stream(rule: Rule = "range", *, by_rest: bool = True, levels: int = 1000) -> BookStream:
    return BookStream("x", "A/B", rule, by_rest=by_rest, levels=levels)


def delta(
    first: int, last: int, bids: list[Level] | None = None, asks: list[Level] | None = None
) -> BookDelta:
    return BookDelta(
        "A/B", last * 10, first, last, [("1", "1")] if bids is None else bids, asks or []
    )


def snapshot(
    last: int | None, bids: list[Level] | None = None, asks: list[Level] | None = None, at: int = 7
) -> BookSnapshot:
    return BookSnapshot(
        "A/B", at, last, BIDS if bids is None else bids, ASKS if asks is None else asks
    )


def said(rows: list[Event]) -> list[str]:
    """Return what the rows say, in order: states, and kinds with the venue's sequence."""
    return [
        row.state
        if isinstance(row, Status)
        else f"{row.kind} {row.venue_sequence}"
        if isinstance(row, Book)
        else "?"
        for row in rows
    ]


def live(at: int = 100, rule: Rule = "range") -> BookStream:
    found = stream(rule, by_rest=rule == "range")
    out: list[Event] = []
    found.start(1, out)
    found.on_snapshot(snapshot(at), 1, out, fetched=rule == "range")
    assert said(out) == ["resyncing", "synced", f"snapshot {at}"]
    return found


# --- joining a snapshot ----------------------------------------------------------------------


def test_deltas_wait_for_the_snapshot_and_join_it() -> None:
    found, out = stream(), list[Event]()
    found.start(1, out)
    assert found.wants_snapshot
    # older than the snapshot, overlapping it, and past it
    for item in (delta(90, 95), delta(96, 102, [("10", "5")]), delta(103, 104, [("8", "1")])):
        found.on_delta(item, 2, out)
    assert said(out) == ["resyncing"]
    found.on_snapshot(snapshot(100), 3, out, fetched=True)
    assert said(out) == ["resyncing", "synced", "snapshot 100", "delta 102", "delta 104"]
    assert found.outdated == 1
    assert not found.wants_snapshot
    assert found.book.depth(9) == ([("10", "5"), ("9", "2"), ("8", "1")], ASKS)


def test_a_buffered_delta_keeps_the_time_at_which_it_came() -> None:
    found, out = stream(), list[Event]()
    found.start(1, out)
    found.on_delta(delta(101, 101), 22, out)
    found.on_snapshot(snapshot(100), 33, out, fetched=True)
    assert [(row.exchange_time, row.receive_time) for row in out[1:]] == [
        (None, 33),
        (7, 33),
        (1010, 22),
    ]


def test_a_snapshot_older_than_the_first_delta_is_asked_for_again() -> None:
    found, out = stream(), list[Event]()
    found.start(1, out)
    found.on_delta(delta(105, 106), 2, out)
    found.on_snapshot(snapshot(103), 3, out, fetched=True)
    assert said(out) == ["resyncing", "resyncing"]
    assert isinstance(out[1], Status)
    assert out[1].reason == "snapshot 103 is older than 104"
    assert found.wants_snapshot
    found.on_snapshot(snapshot(104), 4, out, fetched=True)
    assert said(out[2:]) == ["synced", "snapshot 104", "delta 106"]


def test_a_hole_among_the_buffered_deltas_is_a_gap() -> None:
    found, out = stream(), list[Event]()
    found.start(1, out)
    found.on_delta(delta(101, 101), 2, out)
    found.on_delta(delta(105, 106), 2, out)
    found.on_snapshot(snapshot(100), 3, out, fetched=True)
    assert said(out[1:]) == ["synced", "snapshot 100", "delta 101", "gap", "resyncing"]
    assert found.wants_snapshot
    found.on_snapshot(snapshot(110), 4, out, fetched=True)
    assert said(out[6:]) == ["synced", "snapshot 110"]


def test_a_delta_before_anything_asks_for_the_snapshot() -> None:
    found, out = stream(), list[Event]()
    found.on_delta(delta(5, 6), 2, out)
    assert said(out) == ["resyncing"]
    assert found.wants_snapshot


def test_the_buffer_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_stream, "BUFFER", 5)
    found, out = stream(), list[Event]()
    found.start(1, out)
    for number in range(1, 8):
        found.on_delta(delta(number, number), 2, out)
    assert said(out) == ["resyncing", "resyncing"]
    assert isinstance(out[1], Status)
    assert out[1].reason == "no snapshot within 5 updates"
    # what was thrown away must not look like a whole chain
    found.on_snapshot(snapshot(3), 3, out, fetched=True)
    assert said(out[2:]) == ["resyncing"]
    found.on_snapshot(snapshot(5), 4, out, fetched=True)
    assert said(out[3:]) == ["synced", "snapshot 5", "delta 6", "delta 7"]


def test_a_crossed_snapshot_is_never_published() -> None:
    found, out = stream(), list[Event]()
    found.start(1, out)
    found.on_snapshot(snapshot(100, [("12", "1")], [("11", "1")]), 3, out, fetched=True)
    assert said(out) == ["resyncing", "book_invalid", "resyncing"]
    assert (found.state, found.wants_snapshot) == ("syncing", True)


def test_a_snapshot_that_is_no_number_is_never_published() -> None:
    found, out = stream(), list[Event]()
    found.start(1, out)
    found.on_snapshot(snapshot(100, [("x", "1")]), 3, out, fetched=True)
    assert said(out) == ["resyncing", "book_invalid", "resyncing"]


def test_a_snapshot_that_failed_is_said() -> None:
    found, out = stream(), list[Event]()
    found.start(1, out)
    found.snapshot_failed("the exchange said 503", 2, out)
    assert said(out) == ["resyncing", "resyncing"]
    assert found.wants_snapshot


# --- live ------------------------------------------------------------------------------------


def test_a_gap_is_said_before_the_resync_and_nothing_is_published_until_synced() -> None:
    found, out = live(), list[Event]()
    found.on_delta(delta(101, 103), 2, out)
    found.on_delta(delta(107, 108), 2, out)
    found.on_delta(delta(109, 110), 2, out)
    assert said(out) == ["delta 103", "gap", "resyncing"]
    gap = out[1]
    assert isinstance(gap, Status)
    assert (gap.from_, gap.to, gap.count, gap.unit) == ("104", "106", 3, "sequence")
    assert (found.gaps, found.resyncs) == (1, 1)
    found.on_snapshot(snapshot(108), 3, out, fetched=True)
    assert said(out[3:]) == ["synced", "snapshot 108", "delta 110"]


def test_a_delta_that_crosses_the_book_invalidates_it() -> None:
    found, out = live(), list[Event]()
    found.on_delta(delta(101, 101, [("11.5", "1")]), 2, out)
    assert said(out) == ["book_invalid", "resyncing"]
    assert isinstance(out[0], Status)
    assert out[0].reason == "expected bid below ask, was bid 11.5 and ask 11"
    assert found.wants_snapshot
    assert found.resyncs == 1


def test_a_delta_that_is_no_number_invalidates_the_book() -> None:
    found, out = live(), list[Event]()
    found.on_delta(delta(101, 101, [("1e", "1")]), 2, out)
    assert said(out) == ["book_invalid", "resyncing"]


def test_removals_are_written_as_zero_however_the_exchange_writes_them() -> None:
    found, out = live(), list[Event]()
    found.on_delta(delta(101, 101, [("9", "0.00000000"), ("8", "0.10")], [("12", "-0")]), 2, out)
    row = out[0]
    assert isinstance(row, Book)
    assert (row.bids, row.asks) == ([("9", "0"), ("8", "0.10")], [("12", "0")])
    assert (row.kind, row.exchange_time, row.receive_time) == ("delta", 1010, 2)


def test_doubles_are_passed_over() -> None:
    found, out = live(), list[Event]()
    for first, last in ((95, 100), (101, 101), (101, 101), (99, 101)):
        found.on_delta(delta(first, last), 2, out)
    assert said(out) == ["delta 101"]
    assert found.outdated == 3


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (105, ("101", "105", None, "sequence")),
        # counted anew and missed: what was lost has no numbers to name
        (3, (None, None, None, None)),
    ],
)
def test_a_gap_of_linked_numbers_claims_no_count(
    received: int, expected: tuple[str | None, str | None, int | None, str | None]
) -> None:
    found, out = live(rule="link"), list[Event]()
    found.on_delta(delta(received, received + 900), 2, out)
    assert said(out) == ["gap", "resyncing"]
    gap = out[0]
    assert isinstance(gap, Status)
    assert (gap.from_, gap.to, gap.count, gap.unit) == expected


def test_a_counter_is_reset_by_a_streamed_snapshot() -> None:
    found, out = live(rule="counter"), list[Event]()
    found.on_delta(delta(101, 101), 2, out)
    found.on_snapshot(snapshot(1), 3, out, fetched=True)
    found.on_delta(delta(2, 2), 4, out)
    assert said(out) == ["delta 101", "synced", "snapshot 1", "delta 2"]


def test_a_lost_connection_leaves_nothing_of_the_book() -> None:
    found, out = live(), list[Event]()
    found.interrupted()
    assert (found.state, found.wants_snapshot, len(found.book)) == ("empty", False, 0)
    found.on_delta(delta(101, 101), 2, out)
    assert said(out) == ["resyncing"]


def test_a_snapshot_row_has_the_best_levels_and_says_what_it_leaves_out() -> None:
    found, out = stream(levels=1), list[Event]()
    found.start(1, out)
    found.on_snapshot(snapshot(100), 3, out, fetched=True)
    row = out[2]
    assert isinstance(row, Book)
    assert (row.bids, row.asks, row.truncated) == ([("10", "1")], [("11", "1")], True)
    assert live().row(None, 5).truncated is False


@given(
    st.lists(
        st.tuples(
            st.lists(
                st.tuples(st.sampled_from("123456789"), st.sampled_from(["0", "1", "2"])),
                max_size=3,
            ),
            st.integers(0, 4),
        ),
        max_size=40,
    )
)
def test_who_follows_the_rows_holds_the_book(steps: list[tuple[list[Level], int]]) -> None:
    """Deltas with random losses: a reader who applies every row is exact whenever synced."""
    found, out = stream(), list[Event]()
    truth: dict[str, str] = {}
    found.start(0, out)
    for number, (bids, chance) in enumerate(steps, 1):
        truth.update(dict(bids))
        held = [(price, amount) for price, amount in truth.items() if amount != "0"]
        if chance:
            found.on_delta(delta(number, number, bids), number, out)
        if chance == 1 and found.wants_snapshot:
            found.on_snapshot(snapshot(number, held, []), number, out, fetched=True)
        reader, synced = OrderBook(), False
        for row in out:
            if isinstance(row, Status):
                synced = row.state == "synced"
            elif isinstance(row, Book) and row.kind == "snapshot":
                reader.replace(row.bids, row.asks)
            elif isinstance(row, Book):
                reader.apply(row.bids, row.asks)
        assert synced == (found.state == "live")
        if synced and chance:
            assert reader.depth(99)[0] == sorted(held, reverse=True)


# --- without a snapshot (replay) -------------------------------------------------------------


def test_a_replay_without_a_snapshot_says_so_and_goes_on() -> None:
    found, out = stream(), list[Event]()
    found.on_delta(delta(50, 51, [("5", "1")]), 2, out)
    found.without_snapshot("no snapshot was given", 3, out)
    found.on_delta(delta(52, 53, [("5", "0")]), 4, out)
    assert said(out) == ["resyncing", "resyncing", "delta 51", "delta 53"]
    assert not found.wants_snapshot


def test_a_replay_of_linked_numbers_goes_on_as_well() -> None:
    found, out = stream("link"), list[Event]()
    found.on_delta(delta(50, 51), 2, out)
    found.without_snapshot("no snapshot was given", 3, out)
    assert said(out) == ["resyncing", "resyncing", "delta 51"]


def test_a_replay_that_begins_before_its_first_delta_knows_no_gap() -> None:
    found, out = stream(), list[Event]()
    found.start(1, out)
    found.without_snapshot("no snapshot was given", 2, out)
    found.on_delta(delta(500, 501), 3, out)
    found.on_delta(delta(503, 504), 3, out)
    assert said(out) == ["resyncing", "resyncing", "delta 501", "gap", "resyncing"]


# --- whole books -----------------------------------------------------------------------------


def whole(*books: BookSnapshot, to: BookStream | None = None) -> list[str]:
    found, out = to or stream("whole", by_rest=False), list[Event]()
    for number, book in enumerate(books):
        found.on_whole(book, number, out)
    return said(out)


def test_each_changed_whole_book_is_a_row() -> None:
    other: list[Level] = [("10", "9")]
    assert whole(snapshot(1), snapshot(2), snapshot(3, other), snapshot(4)) == [
        "synced",
        "snapshot 1",
        "snapshot 3",
        "snapshot 4",
    ]


def test_an_older_whole_book_is_passed_over() -> None:
    other: list[Level] = [("10", "9")]
    found = stream("whole", by_rest=False)
    assert whole(snapshot(5), snapshot(4, other), to=found) == ["synced", "snapshot 5"]
    assert found.outdated == 1
    found = stream("whole", by_rest=False)
    assert whole(snapshot(None, at=50), snapshot(None, other, at=49), to=found) == [
        "synced",
        "snapshot None",
    ]
    assert whole(snapshot(None), BookSnapshot("A/B", None, None, other, ASKS)) == [
        "synced",
        "snapshot None",
        "snapshot None",
    ]


def test_a_crossed_whole_book_is_said_once_and_never_published() -> None:
    crossed = snapshot(2, [("12", "1")], [("11", "1")])
    worse = snapshot(3, [("13", "1")], [("11", "1")])
    assert whole(snapshot(1), crossed, worse, snapshot(4), snapshot(5)) == [
        "synced",
        "snapshot 1",
        "book_invalid",
        "synced",
        "snapshot 4",
    ]


def test_a_whole_book_that_is_crossed_on_each_connection_is_said_on_each() -> None:
    found = stream("whole", by_rest=False)
    crossed = snapshot(2, [("12", "1")], [("11", "1")])
    assert whole(crossed, to=found) == ["book_invalid"]
    found.interrupted()
    assert whole(crossed, to=found) == ["book_invalid"]


def test_a_whole_book_is_published_with_all_its_levels() -> None:
    found, out = stream("whole", by_rest=False, levels=1), list[Event]()
    found.on_whole(snapshot(1), 4, out)
    row = out[1]
    assert isinstance(row, Book)
    assert (row.bids, row.asks, row.exchange_time, row.receive_time) == (BIDS, ASKS, 7, 4)
