"""Bithumb REST as data: what it does in its own way.

https://apidocs.bithumb.com/reference (거래-대상-목록-조회, 호가-조회, 체결-내역-조회,
분minute-캔들-조회)
Every request costs one of its group's 150 a second. Errors come with HTTP status 200.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec

from collector_core.errors import Throttled
from collector_exchanges.bithumb import wire
from collector_feed.ticket_rest import TicketRest
from collector_feed.unreadable import UNREADABLE

__all__ = ["BithumbRest"]

_KOREA: Final = 9 * 3600
"""Seconds by which Korea's clock is ahead of UTC; it knows no summer time."""
_THROTTLED: Final = frozenset({"429", "too_many_requests"})
_Kind = TypeVar("_Kind")


class BithumbRest(TicketRest):
    """A book of one market has 30 levels; of several at once it would be 15."""

    DAYS = "daysAgo"
    WHY = " (longer ones begin at midnight in Korea)"

    def answer(self, body: bytes, kind: type[_Kind]) -> _Kind:
        """Return what a body holds, or raise what it says is wrong: its status is 200 as well."""
        try:
            return self.read(body, kind)
        except msgspec.MsgspecError:
            failure = _failure(body)
            if failure is None:
                raise
        refusal = self.refused(str(failure))
        if str(failure.name) in _THROTTLED:
            raise Throttled(str(refusal), 429)
        raise refusal

    def moment(self, seconds: int) -> str:
        """Return a time by Korea's clock."""
        return datetime.fromtimestamp(seconds + _KOREA, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _failure(body: bytes) -> wire.Failure | None:
    try:
        return msgspec.json.decode(body, type=wire.Refusal).error
    except UNREADABLE:
        return None
