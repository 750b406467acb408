"""Numbers of a book that begin anew, where the sequence rule alone would take them for doubles."""

from __future__ import annotations

import pytest

from collector_core.events import Book, Event, Level, Status
from collector_feed.book_stream import BookStream
from collector_feed.outputs import BookDelta, BookSnapshot
from collector_feed.spec import BookRule

BTC = "BTC/USDT"
BIDS: list[Level] = [("10", "1")]
ASKS: list[Level] = [("11", "1")]
SECOND = 1_000_000


def delta(first: int, last: int, time: float, amount: str = "1") -> BookDelta:
    return BookDelta(BTC, round(time * SECOND), first, last, [("9", amount)], [])


def snapshot(last: int) -> BookSnapshot:
    return BookSnapshot(BTC, None, last, BIDS, ASKS)


def live(rule: BookRule) -> tuple[BookStream, list[Event]]:
    """Return a book that stands at number 102, of the time 1.1."""
    stream, out = BookStream("x", BTC, rule, by_rest=True), list[Event]()
    stream.start(1, out)
    stream.on_snapshot(snapshot(100), 1, out, fetched=True)
    link = rule == "link"
    stream.on_delta(delta(101 - link, 101, 1.0), 1, out)
    stream.on_delta(delta(102 - link, 102, 1.1), 1, out)
    out.clear()
    return stream, out


def said(rows: list[Event]) -> list[str]:
    found = []
    for row in rows:
        if isinstance(row, Status):
            found.append(row.state)
        elif isinstance(row, Book):
            found.append(f"{row.kind} {row.venue_sequence}")
    return found


@pytest.mark.parametrize("rule", ["range", "counter", "link"])
def test_numbers_that_go_back_while_time_goes_on_are_a_gap(rule: BookRule) -> None:
    stream, out = live(rule)
    # a link is to the number before it, which was not received
    first = 4 if rule == "link" else 5
    stream.on_delta(delta(first, 5, 1.2), 2, out)
    assert said(out) == ["gap", "resyncing"]
    assert isinstance(out[0], Status)
    assert out[0].reason == "book updates are missing, and their numbers began anew"
    stream.on_snapshot(snapshot(5), 3, out, fetched=True)
    stream.on_delta(delta(5 if rule == "link" else 6, 6, 1.3), 4, out)
    assert said(out[2:]) == ["synced", "snapshot 5", "delta 6"]


@pytest.mark.parametrize("rule", ["range", "counter", "link"])
def test_what_comes_twice_or_late_is_no_restart(rule: BookRule) -> None:
    stream, out = live(rule)
    link = rule == "link"
    stream.on_delta(delta(102 - link, 102, 1.1), 2, out)
    stream.on_delta(delta(101 - link, 101, 1.0), 2, out)
    stream.on_delta(delta(103 - link, 103, 1.2), 2, out)
    assert said(out) == ["delta 103"]
    assert stream.outdated == 2


def test_a_snapshot_that_was_awaited_when_numbers_began_anew_is_not_trusted() -> None:
    stream, out = BookStream("x", BTC, "range", by_rest=True), list[Event]()
    stream.start(1, out)
    stream.on_delta(delta(101, 102, 1.0), 1, out)
    stream.on_delta(delta(1, 3, 1.1), 1, out)
    stream.on_snapshot(snapshot(102), 2, out, fetched=True)
    assert said(out) == ["resyncing", "resyncing"]
    assert stream.wants_snapshot
    stream.on_snapshot(snapshot(2), 3, out, fetched=True)
    assert said(out[2:]) == ["synced", "snapshot 2", "delta 3"]


def test_a_book_that_only_passes_updates_over_starts_anew_in_the_end() -> None:
    stream, out = BookStream("x", BTC, "range", by_rest=True), list[Event]()
    stream.start(1, out)
    # an answer out of a cache, of the numbers before
    stream.on_snapshot(snapshot(500), 20_000_000, out, fetched=True)
    out.clear()
    for second in range(12):
        came = (20 + second) * SECOND + 10
        stream.on_delta(delta(second + 1, second + 1, 20.0 + second), came, out)
    assert said(out) == ["gap", "resyncing"]
    stream.on_snapshot(snapshot(12), 32_000_000, out, fetched=True)
    assert said(out[2:]) == ["synced", "snapshot 12"]


def test_updates_that_a_snapshot_overtook_are_passed_over_in_peace() -> None:
    stream, out = live("range")
    stream.on_snapshot(snapshot(110), 2, out)
    out.clear()
    for number in range(103, 112):
        stream.on_delta(delta(number, number, 1.2 + (number - 103) / 10), 3, out)
    assert said(out) == ["delta 111"]


@pytest.mark.parametrize("hour", [-3_600 * SECOND, 3_600 * SECOND])
def test_a_clock_that_jumps_is_no_restart(hour: int) -> None:
    for ours, theirs in ((hour, 0), (0, hour / SECOND)):
        stream, out = live("range")
        stream.on_snapshot(snapshot(200), 5_000 * SECOND + ours, out, fetched=True)
        out.clear()
        # on their way when the snapshot was taken
        for number in range(103, 110):
            time = 5_000 - (110 - number) / 10
            came = round(time * SECOND) + ours + 10
            stream.on_delta(delta(number, number, time + theirs), came, out)
        assert said(out) == []


def test_a_new_connection_may_have_other_numbers() -> None:
    stream, out = live("counter")
    stream.interrupted()
    stream.start(2, out)
    stream.on_snapshot(snapshot(1), 2, out)
    stream.on_delta(delta(2, 2, 1.2), 2, out)
    assert said(out) == ["resyncing", "synced", "snapshot 1", "delta 2"]
