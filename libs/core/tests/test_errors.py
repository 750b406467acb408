"""The error tree: printed as it is."""

from __future__ import annotations

import re

import pytest

from collector_core import errors
from collector_core.errors import (
    CollectorError,
    NumberError,
    SequenceGap,
    Throttled,
    TransportError,
)


def printed() -> dict[str, str]:
    """Return child to parent, as the docstring draws the tree."""
    parents: dict[str, str] = {}
    above = {0: "CollectorError"}
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"([│ ]*)[├└]── (\w+)", line)
        if match:
            depth = len(match[1]) // 4 + 1
            parents[match[2]] = above[depth - 1]
            above[depth] = match[2]
    return parents


def test_the_printed_tree_is_the_classes() -> None:
    classes = {
        name: value.__mro__[1].__name__
        for name, value in vars(errors).items()
        if isinstance(value, type) and value is not CollectorError and issubclass(value, Exception)
    }
    assert printed() == classes
    assert sorted([*classes, "CollectorError"]) == errors.__all__


@pytest.mark.parametrize("name", errors.__all__)
def test_no_error_is_both_worth_a_retry_and_the_end(name: str) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, CollectorError)
    assert not (kind.retry and kind.terminal)


def test_errors_that_would_lose_rows_end_the_process() -> None:
    terminal = {name for name in errors.__all__ if getattr(errors, name).terminal}
    assert terminal == {"SettingsError", "DeliveryError", "StateError"}


def test_errors_carry_what_their_handler_needs() -> None:
    gap = SequenceGap(5, 9)
    assert (str(gap), gap.expected, gap.received) == ("expected sequence 5, was 9", 5, 9)
    throttled = Throttled("slow down", 429, 1.5)
    assert (throttled.status, throttled.retry_after, throttled.retry) == (429, 1.5, True)
    lost = TransportError("gone", 503, 2.0)
    assert (lost.status, lost.retry_after) == (503, 2.0)


def test_a_number_error_is_a_value_error_too() -> None:
    assert issubclass(NumberError, ValueError)
