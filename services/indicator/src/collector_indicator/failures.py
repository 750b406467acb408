"""What follows from an error of a shard: try again after a while, or end the process."""

from __future__ import annotations

from typing import Final, NamedTuple

from collector_core.errors import BrokerError, FencedError, NumberError

__all__ = ["Retry", "retry_of"]

_FENCED: Final = 1.0
"""Seconds, two heartbeats: a process that lost its lease hears of it before it inits again."""
_FIRST: Final = 0.1
_MOST: Final = 5.0


class Retry(NamedTuple):
    """When a shard is opened again."""

    delay: float
    """Seconds."""
    failures: int
    """In a row, this one included; fencing is none of ours."""


def retry_of(error: BaseException, failures: int) -> Retry | None:
    """Return when to try again after an error, or None when the process has to end.

    Args:
        error: what an open, a commit or a calculation raised.
        failures: of this shard in a row before.
    """
    if isinstance(error, FencedError):
        return Retry(_FENCED, failures)
    # DeliveryError is one: a catalogue entry that was not delivered is written again
    if isinstance(error, BrokerError):
        return Retry(min(_MOST, _FIRST * 2 ** min(failures, 10)), failures + 1)
    if isinstance(error, NumberError):
        return Retry(0.0, failures + 1)
    return None
