"""Candle intervals: ``1s`` to ``1M``, their length and the time at which each opens.

Seconds, minutes, hours and days are counted from the Unix epoch (UTC), weeks from Monday 00:00
UTC, months from the first of the month, which is how the exchanges that we know align theirs.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import Final

from collector_core.errors import SettingsError

__all__ = ["close_time", "length", "open_time"]

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_MICRO: Final = 1_000_000
_MONDAY: Final = 4 * 86400 * _MICRO
"""1970-01-05, the first Monday of the epoch."""
_PATTERN: Final = re.compile(r"([1-9][0-9]*)([smhdwM])").fullmatch


def _parse(interval: str) -> tuple[int, str]:
    match = _PATTERN(interval)
    if match is None or (match[2] == "M" and match[1] != "1"):
        raise SettingsError(f"expected an interval such as 1s, 5m, 1h, 1d or 1M, was {interval!r}")
    return int(match[1]), match[2]


def length(interval: str) -> int | None:
    """Return an interval's length in microseconds; None for the month, whose length varies.

    Raises:
        SettingsError: not an interval.
    """
    count, unit = _parse(interval)
    return None if unit == "M" else count * _UNITS[unit] * _MICRO


def open_time(interval: str, time: int) -> int:
    """Return when the candle that holds ``time`` opens; both in microseconds."""
    count, unit = _parse(interval)
    if unit == "M":
        moment = datetime.fromtimestamp(time // _MICRO, UTC)
        first = moment.replace(day=1, hour=0, minute=0, second=0)
        return int(first.timestamp()) * _MICRO
    step = count * _UNITS[unit] * _MICRO
    origin = _MONDAY if unit == "w" else 0
    return (time - origin) // step * step + origin


def close_time(interval: str, opened: int) -> int:
    """Return the exclusive end of the candle that opens at ``opened``; both in microseconds."""
    step = length(interval)
    if step is not None:
        return opened + step
    moment = datetime.fromtimestamp(opened // _MICRO, UTC)
    days = monthrange(moment.year, moment.month)[1]
    return int((moment + timedelta(days=days)).timestamp()) * _MICRO
