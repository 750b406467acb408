"""Raw frames kept around gaps, disconnections and invalid books (docs/recording.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from collector_core.events import Event, Status
from collector_feed.outputs import Output
from collector_feed.session import Session
from collector_runtime.clock import wall_us
from collector_runtime.recording import BundleStore, IncidentRing, RingLimits, Source

__all__ = ["Bystander", "Incidents", "Witness"]

_INCIDENTS: Final = frozenset({"gap", "disconnected", "book_invalid"})
_PATIENCE: Final = 1.5
"""Seconds that the end of the process waits for bundles; its rows come first."""
_LOG: Final = structlog.get_logger("collector.incidents")


class Bystander:
    """Keeps nothing of a connection: frames and rows go straight where they belong.

    Args:
        session: takes the frames.
        publish: takes the rows.
    """

    def __init__(self, session: Session, publish: Callable[[Event], None]) -> None:
        # attributes, so that whoever binds them calls nothing of ours for a frame
        self.take: Callable[[bytes, int], list[Output]] = session.on_frame
        self.publish = publish

    def sent(self, text: str) -> None:
        """Know of a text frame that was sent."""

    def opened(self) -> None:
        """Know that the socket opened."""

    def closed(self, reason: str) -> None:
        """Know that the socket is gone."""

    def end(self) -> None:
        """Know that the connection ends for good."""


class Witness(Bystander):
    """Keeps what passes on a connection, and has it written when a row tells of an incident.

    Args:
        session: takes the frames.
        publish: takes the rows; it stamps them, so that bundles hold them as the bus has them.
        ring: the connection's last seconds.
    """

    def __init__(
        self, session: Session, publish: Callable[[Event], None], ring: IncidentRing
    ) -> None:
        super().__init__(session, publish)
        self._ring = ring
        self._keep = ring.frame
        self._session_takes, self.take = self.take, self._keep_and_take
        self._publish, self.publish = self.publish, self._publish_and_look
        self._open = False

    def sent(self, text: str) -> None:
        """Keep a text frame that was sent."""
        self._ring.sent(wall_us(), text)

    def opened(self) -> None:
        """Keep that the socket opened."""
        self._open = True
        self._ring.mark(wall_us(), "opened")

    def closed(self, reason: str) -> None:
        """Keep that the socket is gone, unless it never opened."""
        if self._open:
            self._open = False
            self._ring.mark(wall_us(), "closed", reason)

    def end(self) -> None:
        """Have the bundle that is under way written with what there is."""
        self._ring.close()

    def _keep_and_take(self, frame: bytes, receive_time: int) -> list[Output]:
        self._keep(receive_time, frame)
        return self._session_takes(frame, receive_time)

    def _publish_and_look(self, event: Event) -> None:
        self._publish(event)
        if type(event) is Status and event.state in _INCIDENTS:
            self._ring.incident(event.state, event)


class Incidents:
    """The incident bundles of one process, if they are wanted.

    Args:
        folder: this process' alone, made with the first bundle; None to keep nothing.
        source: what the connections are of.
        seconds: how far back a bundle goes.
    """

    def __init__(self, folder: Path | None, source: Source, seconds: float) -> None:
        self.store = None if folder is None else BundleStore(folder, source)
        self._limits = RingLimits(seconds_before=seconds)

    def witness(self, name: str, session: Session, publish: Callable[[Event], None]) -> Bystander:
        """Return what stands between a new connection and what it drives."""
        if self.store is None:
            return Bystander(session, publish)
        return Witness(session, publish, IncidentRing(name, self.store, self._limits))

    async def close(self) -> None:
        """Write what waits to be written; what cannot be in time is said in the log."""
        if self.store is not None and not await asyncio.to_thread(self.store.close, _PATIENCE):
            _LOG.warning("bundles_unwritten", folder=str(self.store.folder))
