"""The ``Retry-After`` header of an answer."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["retry_after"]


def retry_after(value: str | None, wall: int) -> float | None:
    """Return the seconds to wait (RFC 9110, 10.2.3: seconds or a date), or None if unreadable.

    Args:
        value: the header's value.
        wall: now, in microseconds, from which a date counts.
    """
    if value is None:
        return None
    text = value.strip()
    try:
        # some exchanges send fractions, which the RFC does not know
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.fromtimestamp(wall / 1e6, UTC)).total_seconds()
    # a NaN compares false both ways and is no time to wait
    return max(0.0, seconds) if seconds < float("inf") else None
