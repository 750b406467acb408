"""The base and the changes of a kept book: small, and together the whole book."""

from __future__ import annotations

from hypothesis import given

from collector_core.events import Book, Event
from collector_indicators.kept_book import BookBase, KeptBook

from .book_rows import book_logs, delta, snapshot


def kept(*rows: Event) -> KeptBook:
    book = KeptBook()
    for row in rows:
        assert isinstance(row, Book)
        book.take(row)
    return book


def again(book: KeptBook) -> KeptBook:
    """Return a book that goes on from the state of one."""
    other = KeptBook()
    other.restore(book.base(), book.changes())
    return other


@given(book_logs())
def test_base_and_changes_are_the_book(log: list[Event]) -> None:
    book = kept(*(row for row in log if isinstance(row, Book)))
    other = again(book)
    assert other.sound == book.sound
    if book.sound:
        assert other.book.depth(99) == book.book.depth(99)
        assert other.changes() == book.changes()


def test_one_price_that_is_written_in_two_ways_is_one_level() -> None:
    book = kept(snapshot(0), delta(1, [("97", "5")]), delta(2, [("97.0", "0")]))
    assert again(book).book.depth(9)[0] == [("99", "3"), ("98", "1")]
    book.take(delta(3, [("97", "4")]))
    assert again(book).book.depth(9)[0] == [("99", "3"), ("98", "1"), ("97", "4")]


def test_changes_that_grow_large_become_the_base() -> None:
    book = kept(snapshot(0))
    for i in range(4_097):
        book.take(delta(1, [(f"50.{i:04d}", "1")]))
    assert (book.rebased, len(book.changes().bids), len(book.base().bids)) == (2, 0, 4_099)
    assert again(book).book.depth(9_999) == book.book.depth(9_999)


def test_a_doubted_book_has_no_changes_to_keep() -> None:
    book = kept(snapshot(0), delta(1, [("97", "5")]), delta(2, [("101", "1")]))
    assert (book.sound, book.changes().bids) == (False, [])
    assert again(book).base() == BookBase([("99", "3"), ("98", "1")], [("101", "1"), ("102", "1")])
