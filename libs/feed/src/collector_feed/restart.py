"""Noticing that an exchange began the numbers of a book anew where its sequence rule cannot.

To the rules an update with a small number is a double. If the exchange restarted its numbers, every
update from then on looks like one, and the book would stand still without a word, or go wrong once
the numbers have caught up.
"""

from __future__ import annotations

from typing import Final

from collector_feed.outputs import BookDelta

__all__ = ["NumberWatch"]

_TOO_YOUNG: Final = 10_000_000
"""Microseconds past what the book holds after which an update cannot be a double."""


class NumberWatch:
    """Watches the numbers of one book's updates; times are in microseconds."""

    __slots__ = ("_ahead", "_last", "_sure", "_time")

    def __init__(self) -> None:
        # number and time of the newest update
        self._last = 0
        self._time = 0
        # the exchange's clock less ours, by the update that travelled fastest; None before any
        self._ahead: int | None = None
        # time of ours up to which the book is known to hold everything, 0 for none
        self._sure = 0

    def began_anew(self, delta: BookDelta, receive_time: int | None) -> bool:
        """Take an update as it comes; tell whether numbers went back though time went on.

        What comes twice has the same time, what comes late has an earlier one.
        """
        time = delta.exchange_time or 0
        if time <= self._time:
            return False
        if receive_time is not None and (self._ahead is None or time - receive_time > self._ahead):
            self._ahead = time - receive_time
        anew = delta.last < self._last
        self._time, self._last = time, delta.last
        return anew

    def stands_still(self, delta: BookDelta) -> bool:
        """Take an update that is passed over; tell whether it is too young to be in the book.

        A stream that lags behind the snapshots of REST passes over updates for as long as it lags;
        those are older than the snapshot. A clock that jumps can only make the answer no.
        """
        if not self._sure or self._ahead is None:
            return False
        return (delta.exchange_time or 0) - self._ahead >= self._sure + _TOO_YOUNG

    def applied(self, receive_time: int | None) -> None:
        """The book holds everything up to an update or an answer that came at ``receive_time``."""
        self._sure = receive_time or 0

    def forget(self) -> None:
        """The connection is gone, but not what is known of the clocks."""
        self._last = self._time = self._sure = 0
