"""Which times a stream's rows are missing of, as its ``gap`` and ``backfilled`` rows tell.

A gap is pending until the first live row after it: what is fetched afterwards stands in between
(design section 3), and a ``backfilled`` row says what was filled. The times of a gap in ids are
those of the rows around it.
"""

from __future__ import annotations

from typing import Final

import msgspec

from collector_core.events import Status

__all__ = ["Gap", "Gaps"]

_MOST: Final = 64
"""Gaps kept apart; beyond, the two oldest become one that covers both."""
_MOST_DIGITS: Final = 18
"""A longer number is no time and no id that counts."""


class Gap(msgspec.Struct):
    """Rows that are missing; times in microseconds, both inclusive."""

    start: int
    end: int | None
    """None while no live row came since."""
    unit: str | None = None
    missing: list[tuple[int, int | None]] | None = None
    """Ranges still missing, in ``unit``; None when they are not known."""
    first_filled: int | None = None
    """Times of the first and the last row that was fetched since."""
    last_filled: int | None = None


class Gaps:
    """The gaps of one stream that can still touch a bar."""

    __slots__ = ("known", "pending")

    def __init__(self) -> None:
        # gaps since the last live row
        self.pending: list[Gap] = []
        # gaps before it
        self.known: list[Gap] = []

    def open(self, status: Status, seen_until: int) -> None:
        """Take a ``gap`` row; ``seen_until`` is the time up to which nothing is missing."""
        first, last = _number(status.from_), _number(status.to)
        if any(_covers(gap, status.unit, first, last) for gap in self.pending):
            # says again what of a gap stays unfilled
            return
        gap = Gap(seen_until, None, status.unit)
        if first is not None:
            gap.missing = [(first, last)]
        if status.unit == "time":
            gap.start, gap.end = seen_until if first is None else first, last
        self.pending.append(gap)

    def row_filled(self, time: int) -> None:
        """Take the time of a row that was fetched while a gap is pending."""
        for gap in self.pending:
            gap.first_filled = time if gap.first_filled is None else min(gap.first_filled, time)
            gap.last_filled = time if gap.last_filled is None else max(gap.last_filled, time)

    def fill(self, status: Status) -> None:
        """Take a ``backfilled`` row: forget what it filled."""
        first, last = _number(status.from_), _number(status.to)
        if first is None or last is None:
            return
        for gaps in (self.pending, self.known):
            for gap in gaps:
                if gap.missing and gap.unit == status.unit:
                    _take_out(gap, first, last)
            gaps[:] = [gap for gap in gaps if gap.missing != []]

    def resolve(self, time: int) -> None:
        """Take the time of a live row: pending gaps end there at the latest."""
        for gap in self.pending:
            gap.end = max(gap.start, time) if gap.end is None else gap.end
        self.known += self.pending
        self.pending = []
        while len(self.known) > _MOST:
            one, two = self.known[:2]
            ends = [end for end in (one.end, two.end) if end is not None]
            self.known[:2] = [Gap(min(one.start, two.start), max(ends))]

    def forget(self, before: int) -> None:
        """Drop the gaps that ended before a time that no bar to come reaches back to."""
        self.known = [gap for gap in self.known if gap.end is None or gap.end >= before]

    def adopt(self, other: Gaps) -> None:
        """Take in the gaps of one that read the same rows and had to keep more of them."""
        self.known += [gap for gap in other.known if gap not in self.known]
        self.known.sort(key=lambda gap: gap.start)

    def touch(self, start: int, end: int) -> int | None:
        """Return the last missing time within [start, end), or None if nothing is missing there."""
        last = None
        for gap in (*self.known, *self.pending):
            if gap.start < end and (gap.end is None or gap.end >= start):
                until = end - 1 if gap.end is None else min(gap.end, end - 1)
                last = until if last is None else max(last, until)
        return last


def _number(text: str | None) -> int | None:
    fits = text is not None and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if text is not None and fits else None


def _covers(gap: Gap, unit: str | None, first: int | None, last: int | None) -> bool:
    if gap.unit != unit or first is None or last is None:
        return False
    return any(a <= first and (b is None or last <= b) for a, b in gap.missing or ())


def _take_out(gap: Gap, first: int, last: int) -> None:
    """Take [first, last] out of what is missing, and narrow the times as far as that says."""
    missing = gap.missing or []
    whole = missing[0][0], missing[-1][1]
    left: list[tuple[int, int | None]] = []
    for start, end in missing:
        if last < start or (end is not None and first > end):
            left.append((start, end))
            continue
        if start < first:
            left.append((start, first - 1))
        if end is not None and last < end:
            # an end that was not known is where the live rows begin, to where one fetches
            left.append((last + 1, end))
    gap.missing = left
    if not left:
        return
    if gap.unit == "time":
        gap.start, gap.end = left[0][0], left[-1][1]
    elif gap.first_filled is not None and gap.last_filled is not None:
        # fetched rows come in order, so those before or after them are what is missing
        if whole[1] is None or last >= whole[1]:
            gap.end = gap.first_filled
        elif first <= whole[0]:
            gap.start = gap.last_filled
