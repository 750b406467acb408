"""Books that an exchange keeps to a depth, proves by a checksum, or breaks by losing frames."""

from __future__ import annotations

from collector_core.events import Book, Event, Status
from collector_feed.book_stream import BookStream
from collector_feed.outputs import BookDelta, BookSnapshot

from .test_book_stream import ASKS, BIDS, delta, live, said, snapshot, stream


def test_levels_beyond_the_kept_depth_leave_as_removals() -> None:
    found, out = BookStream("x", "A/B", "unnumbered", by_rest=False, depth=2), list[Event]()
    found.on_snapshot(BookSnapshot("A/B", 1, None, [("9", "1"), ("8", "1")], [("11", "1")]), 1, out)
    found.on_delta(BookDelta("A/B", 2, 0, 0, [("9.5", "1")], []), 2, out)
    row = out[-1]
    assert isinstance(row, Book)
    assert (row.bids, row.asks, row.venue_sequence) == ([("9.5", "1"), ("8", "0")], [], None)
    assert found.book.depth(5) == ([("9.5", "1"), ("9", "1")], [("11", "1")])


def test_a_checksum_that_differs_breaks_the_book_and_one_unknown_proves_nothing() -> None:
    answers: list[int | None] = [7, 7, None, 8]
    found = BookStream(
        "x", "A/B", "unnumbered", by_rest=False, checksum=(lambda *_: answers.pop(0), 10)
    )
    out: list[Event] = []
    found.on_snapshot(BookSnapshot("A/B", 1, None, BIDS, ASKS, 7), 1, out)
    for _ in range(3):
        found.on_delta(BookDelta("A/B", 2, 0, 0, [("9", "4")], [], 7), 2, out)
    assert said(out) == [
        *("synced", "snapshot None", "delta None", "delta None", "book_invalid", "resyncing")
    ]
    assert isinstance(out[-2], Status)
    assert out[-2].reason == "expected a book with checksum 7, was 8"


def test_lost_frames_break_a_live_book_once() -> None:
    found, out = live(100, "counter"), list[Event]()
    found.lost(5, 8, 3, out)
    found.lost(9, 12, 3, out)
    assert said(out) == ["gap", "resyncing"]


def timed(second: float, last: int) -> BookDelta:
    return BookDelta("A/B", round(second * 1e6), last, last, [("9", str(last))], [])


def test_a_stream_that_lags_behind_a_fetched_snapshot_is_no_new_numbering() -> None:
    found, out = BookStream("x", "A/B", "range", by_rest=True), list[Event]()
    found.start(1, out)
    # asked for at second 60, when the stream stood at second 20 for it is read late
    found.on_snapshot(BookSnapshot("A/B", None, 600, BIDS, ASKS), 60_000_000, out, fetched=True)
    for second in range(20, 60):
        found.on_delta(timed(second, second * 10), 61_000_000, out)
    found.on_delta(timed(60.2, 601), 61_000_000, out)
    assert said(out) == ["resyncing", "synced", "snapshot 600", "delta 601"]


def test_numbers_that_stay_behind_a_young_snapshot_are_new_ones() -> None:
    found, out = BookStream("x", "A/B", "range", by_rest=True), list[Event]()
    found.start(1, out)
    found.on_snapshot(BookSnapshot("A/B", None, 600, BIDS, ASKS), 60_000_000, out, fetched=True)
    for second in range(60, 72):
        found.on_delta(timed(second, second - 50), second * 1_000_000 + 10, out)
    assert said(out)[3:5] == ["gap", "resyncing"]


def test_the_first_update_after_a_fetched_snapshot_may_begin_before_it() -> None:
    found, out = stream("link"), list[Event]()
    found.start(1, out)
    found.on_snapshot(snapshot(100), 1, out, fetched=True)
    # linked to 95, yet the snapshot stands at 100: it was taken in the middle
    found.on_delta(delta(90, 95), 2, out)
    found.on_delta(delta(95, 103), 2, out)
    found.on_delta(delta(103, 104), 2, out)
    assert said(out)[-2:] == ["delta 103", "delta 104"]
    # only the first one: from here on each has to link to the last
    found.on_delta(delta(100, 110), 2, out)
    assert said(out)[-2:] == ["gap", "resyncing"]
