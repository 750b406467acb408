"""The books that an exchange told over REST, for a time when it tells old ones."""

from __future__ import annotations

from collections import deque
from typing import Final

from collector_testkit.dialects.messages import Request

__all__ = ["Archive"]

_MAX_BYTES: Final = 16_000_000
_PERIOD: Final = 200_000
"""Least microseconds between two answers to one request that are kept."""


class Archive:
    """Answers by request, oldest first; the oldest of all go when there are too many bytes."""

    def __init__(self, max_bytes: int = _MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        # time and body by what was asked
        self._answers: dict[str, deque[tuple[int, bytes]]] = {}
        # what was asked, in the order of the answers
        self._order: deque[str] = deque()

    def keep(self, request: Request, body: bytes, now: int) -> None:
        """Keep an answer."""
        key = _key(request)
        answers = self._answers.setdefault(key, deque())
        if answers and answers[-1][0] > now - _PERIOD:
            return
        answers.append((now, body))
        self._order.append(key)
        self._bytes += len(body)
        while self._bytes > self._max_bytes:
            oldest = self._order.popleft()
            self._bytes -= len(self._answers[oldest].popleft()[1])
            if not self._answers[oldest]:
                del self._answers[oldest]

    def before(self, request: Request, time: int) -> bytes | None:
        """Return the newest answer to the same request up to ``time``, or None."""
        found = None
        for told, body in self._answers.get(_key(request), ()):
            if told > time:
                break
            found = body
        return found


def _key(request: Request) -> str:
    return f"{request.path}?{sorted(request.query.items())}"
