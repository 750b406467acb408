"""The four sequence rules, case by case."""

from __future__ import annotations

from typing import Literal

import pytest

from collector_core.errors import SequenceGap
from collector_feed.outputs import BookDelta
from collector_feed.sequence import RULES

Rule = Literal["range", "link", "counter", "whole"]


def delta(first: int, last: int) -> BookDelta:
    return BookDelta("A/B", None, first, last, [], [])


@pytest.mark.parametrize(
    ("rule", "held", "first", "last", "applies"),
    [
        # range: the next, an overlap, an overlap that starts long before, doubles
        ("range", 100, 101, 105, True),
        ("range", 100, 101, 101, True),
        ("range", 100, 99, 101, True),
        ("range", 100, 1, 105, True),
        ("range", 100, 96, 100, False),
        ("range", 100, 90, 95, False),
        ("range", 100, 100, 100, False),
        # link: numbers may leap, the link must hold; a restart keeps the link and counts anew
        ("link", 100, 100, 105, True),
        ("link", 100, 100, 3, True),
        ("link", 100, 100, 100, True),
        ("link", 100, 95, 100, False),
        ("link", 100, 90, 95, False),
        # counter
        ("counter", 100, 101, 101, True),
        ("counter", 100, 100, 100, False),
        ("counter", 100, 1, 1, False),
    ],
)
def test_an_update_that_is_applied_or_known(
    rule: Rule, held: int, first: int, last: int, *, applies: bool
) -> None:
    assert RULES[rule](held, delta(first, last)) is applies


@pytest.mark.parametrize(
    ("rule", "held", "first", "last", "expected", "received"),
    [
        ("range", 100, 102, 110, 101, 102),
        ("range", 0, 5, 6, 1, 5),
        ("link", 100, 101, 105, 100, 101),
        # older link but a newer number: an update between is missing
        ("link", 100, 99, 105, 100, 99),
        ("counter", 100, 102, 102, 101, 102),
        ("whole", 100, 101, 101, 100, 101),
    ],
)
def test_an_update_behind_a_gap(
    rule: Rule, held: int, first: int, last: int, expected: int, received: int
) -> None:
    with pytest.raises(SequenceGap) as gap:
        RULES[rule](held, delta(first, last))
    assert (gap.value.expected, gap.value.received) == (expected, received)
