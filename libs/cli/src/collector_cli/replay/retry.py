"""One dead letter given to the decoder of today: what it says now, row by row.

The decoder alone is asked, not the streams behind it: which row a trade becomes, or whether a
book's change fits, depends on frames that are not here.
"""

from __future__ import annotations

from typing import NamedTuple

from collector_core.codec import encode
from collector_core.errors import FrameError
from collector_core.events import Event
from collector_core.records import DeadLetter
from collector_feed.adapter import Adapter
from collector_feed.outputs import (
    Acknowledged,
    BookDelta,
    BookSnapshot,
    Decoded,
    Lost,
    Notice,
    Rejected,
)

__all__ = ["Verdict", "retry"]


class Verdict(NamedTuple):
    """What became of a frame."""

    error: str | None
    """Why it still cannot be read; None if it can."""
    rows: list[bytes]
    """Rows that it would give, with epoch and seq 0, for no publisher has numbered them."""
    items: list[str]
    """What else it says, in words: parts of books, answers to subscriptions."""

    @property
    def understood(self) -> bool:
        """Whether today's decoder can read it."""
        return self.error is None


def retry(letter: DeadLetter, adapter: Adapter) -> Verdict:
    """Return what a frame gives now.

    Args:
        letter: the frame, with its receive time.
        adapter: the exchange's, fresh or of the same connection: a frame may need those before it.
    """
    try:
        decoded = adapter.on_frame(letter.frame, letter.receive_time)
    except (FrameError, RecursionError) as error:
        # RecursionError: brackets nested deeper than a decoder follows
        return Verdict(str(error), [], [])
    rows = [encode(item) for item in decoded if isinstance(item, Event)]
    items = [_say(item) for item in decoded if not isinstance(item, Event)]
    return Verdict(None, rows, items)


def _say(item: Decoded) -> str:  # noqa: PLR0911 - one for each kind of thing that a frame says
    match item:
        case BookDelta():
            return (
                f"change of the book of {item.symbol}: {len(item.bids)} bids, "
                f"{len(item.asks)} asks, updates {item.first} to {item.last}"
            )
        case BookSnapshot():
            return f"book of {item.symbol}: {len(item.bids)} bids, {len(item.asks)} asks"
        case Acknowledged():
            return "the exchange acknowledges a subscription"
        case Rejected():
            return f"the exchange refuses a subscription: {item.reason}"
        case Notice():
            return f"the exchange announces a close: {item.reason}"
        case Lost():
            return f"frames {item.expected} to {item.received - 1} are missing before it"
        case Event():
            return f"a row of {item.symbol}"
