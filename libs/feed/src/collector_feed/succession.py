"""The steps by which one connection replaces another; a driver with sockets carries them out."""

from __future__ import annotations

from enum import Enum
from typing import Final

from collector_feed.session import Phase, Session

__all__ = ["Step", "Succession"]

_PATIENCE: Final = 90.0
"""Seconds that a successor may take; a stream that acknowledges nothing is waited for 30 s."""
_LATER: Final = 300.0
"""Seconds to the next attempt after one in vain."""


class Step(Enum):
    """What the driver has to do now."""

    NOTHING = "nothing"
    BEGIN = "begin"
    """Make a successor with the same subscriptions and let it connect."""
    TAKE_OVER = "take over"
    """Publish from the successor; retire the old session."""
    ABANDON = "abandon"
    """Retire the successor; the old session goes on."""


class Succession:
    """Watches one session and, while there is one, its successor."""

    def __init__(self) -> None:
        self.successor: Session | None = None
        self._began = 0.0
        # successions done and given up, for metrics
        self.done = 0
        self.abandoned = 0

    def look(self, session: Session, now: float) -> Step:
        """Return what to do at monotonic ``now``."""
        successor = self.successor
        if successor is None:
            return Step.BEGIN if session.rotation_due(now) else Step.NOTHING
        # an old connection that is gone has nothing to overlap with
        if set(session.streams.wanted()) - set(successor.streams.wanted()):
            # what the exchange refused to the new connection may still flow on the old one
            return Step.ABANDON
        lives = successor.phase is Phase.LIVE
        if successor.ready(session, now) or (
            lives and session.phase is not Phase.LIVE and successor.streams.settled()
        ):
            return Step.TAKE_OVER
        heard = successor.pipeline.overheard
        if now >= self._began + _PATIENCE or (heard is not None and heard.full):
            return Step.ABANDON
        return Step.NOTHING

    def begun(self, successor: Session, now: float) -> None:
        """A successor was made."""
        self.successor = successor
        self._began = now

    def ended(self, session: Session, now: float, *, done: bool) -> None:
        """The successor took over, or was given up; ``session`` is the one that goes on."""
        self.successor = None
        if done:
            self.done += 1
        else:
            self.abandoned += 1
            session.rotation.postponed(now, _LATER)
