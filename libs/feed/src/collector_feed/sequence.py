"""The sequence rules by which exchanges let us prove that a book misses no update.

| rule       | what an update carries                  | exchanges                     |
|------------|-----------------------------------------|-------------------------------|
| range      | first and last update number in it      | contiguous ranges             |
| link       | its number and that of the one before   | linked updates                |
| counter    | its number, one more than the last      | counters, reset by a snapshot |
| unnumbered | none of its symbol's (``last`` may be 0) | checksum, or ``Lost``        |
| whole      | the whole book, with a time or a number | nothing to chain              |

Each rule answers one question: given the number of the last update applied, is the next update to
be applied (True), to be passed over because the book has it already (False), or is something
missing (``SequenceGap``)? A checksum, where an exchange sends one, is checked on the book that
results (``Adapter.checksum``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from collector_core.errors import SequenceGap
from collector_feed.outputs import BookDelta, BookSnapshot
from collector_feed.spec import BookRule

__all__ = ["RULES", "Rule", "counter", "link", "older", "range_", "unnumbered", "whole"]

Rule = Callable[[int, BookDelta], bool]


def range_(last: int, delta: BookDelta) -> bool:
    """Contiguous ranges: ``delta.first`` is at most one past ``last``.

    Ranges may overlap what is applied already, for amounts are absolute.
    """
    if delta.last <= last:
        return False
    if delta.first > last + 1:
        raise SequenceGap(last + 1, delta.first)
    return True


def link(last: int, delta: BookDelta) -> bool:
    """Links: ``delta.first`` names the update before, which must be ``last``.

    An exchange may restart its numbers; then the link still names the old one, and the new number
    is smaller. A delta whose number is not past ``last`` and whose link is older is a double.
    """
    if delta.first == last:
        return True
    if delta.last <= last and delta.first < last:
        return False
    raise SequenceGap(last, delta.first)


def counter(last: int, delta: BookDelta) -> bool:
    """Counters: each number is one past the last; a restart comes as a snapshot, not a delta."""
    if delta.last == last + 1:
        return True
    if delta.last <= last:
        return False
    raise SequenceGap(last + 1, delta.last)


def unnumbered(_last: int, _delta: BookDelta) -> bool:
    """Updates without a number of their own: each is applied, and proven in another way."""
    return True


def whole(last: int, delta: BookDelta) -> bool:
    """Whole books have no deltas; one that comes is out of place."""
    raise SequenceGap(last, delta.first)


def older(book: BookSnapshot, last: BookSnapshot) -> bool:
    """Tell whether a whole book is of a time before another one, by its number, else its time."""
    if book.last is not None and last.last is not None:
        return book.last < last.last
    if book.exchange_time is not None and last.exchange_time is not None:
        return book.exchange_time < last.exchange_time
    return False


RULES: Final[dict[BookRule, Rule]] = {
    "range": range_,
    "link": link,
    "counter": counter,
    "unnumbered": unnumbered,
    "whole": whole,
}
