"""Date texts of the wire as integer microseconds since the epoch, exact and strict."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from collector_core.errors import FrameError

__all__ = ["DateTimes", "rfc3339"]

_KEPT: Final = 1_024
_DATE_TIME: Final = re.compile(
    r"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9](:[0-5][0-9]){2}"
).fullmatch
_FRACTION: Final = re.compile(r"\.[0-9]{1,9}").fullmatch


class DateTimes(dict[str, int]):
    """Times in microseconds by their text without a zone, such as ``2025-01-02T04:28:05``.

    Args:
        offset: seconds by which the texts' clock is ahead of UTC.
    """

    def __init__(self, offset: int = 0) -> None:
        super().__init__()
        self._offset = offset

    def __missing__(self, text: str) -> int:
        """Read a time that is not remembered; raises ``FrameError`` if it is none."""
        wrong = f"expected a time such as 2025-01-02T04:28:05, was {text[:64]!r}"
        if not _DATE_TIME(text):
            raise FrameError(wrong)
        try:
            moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            raise FrameError(wrong) from None
        if len(self) >= _KEPT:
            self.clear()
        time = self[text] = (int(moment.timestamp()) - self._offset) * 1_000_000
        return time


_SECONDS: Final = DateTimes()


def rfc3339(text: str) -> int:
    """Return the microseconds of ``2023-09-25T07:49:37.708706Z``; nanoseconds are cut off.

    Raises:
        FrameError: not such a time, or not in UTC.
    """
    fraction = text[19:-1]
    if text[-1:] != "Z" or (fraction and not _FRACTION(fraction)):
        raise FrameError(f"expected a time such as 2023-09-25T07:49:37.708706Z, was {text[:64]!r}")
    # the second is the same for many frames in a row
    return _SECONDS[text[:19]] + int(fraction[1:7].ljust(6, "0") or 0)
