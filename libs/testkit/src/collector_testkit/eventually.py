"""Waiting for something that another process does: polled, with a bounded deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["eventually"]

_T = TypeVar("_T")


def eventually(
    probe: Callable[[], _T | None], what: str, *, timeout: float = 60.0, pause: float = 0.05
) -> _T:
    """Return the first answer of ``probe`` that is neither None nor False.

    Args:
        probe: asked again and again; errors of it are the test's.
        what: completes "expected …" in the failure's text.
        timeout: seconds to go on for.
        pause: seconds between two questions.

    Raises:
        AssertionError: no such answer came in time.
    """
    deadline = time.monotonic() + timeout
    while True:
        answer = probe()
        if answer is not None and answer is not False:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"expected {what} within {timeout:g} s, was {answer!r}")
        time.sleep(pause)
