"""Where replayed rows go, and the nearest of it: standard output."""

from __future__ import annotations

from abc import ABC, abstractmethod

from collector_cli.output import Output
from collector_core.codec import encode
from collector_core.events import Event
from collector_core.topics import Topics
from collector_feed.numbering import Numbering, channel_of

__all__ = ["Destination", "Lines"]


class Destination(ABC):
    """Takes events in order; numbers are given when the first one has come."""

    @abstractmethod
    def begin(self, epoch: int) -> None:
        """Number the rows under an epoch: the first receive time, or 0."""

    @abstractmethod
    def put(self, event: Event) -> None:
        """Take the next event."""

    @abstractmethod
    def flush(self) -> None:
        """Hand on what was taken since; called when no more input is at hand."""

    @abstractmethod
    def finish(self) -> None:
        """Return when every row is where it belongs."""

    def summary(self) -> str:
        """Return what was done with the rows, where they cannot be seen; else nothing."""
        return ""


class Lines(Destination):
    """JSON lines on standard output."""

    def __init__(self) -> None:
        # names of topics are not printed, so any will do
        self._topics = Topics()
        self._output = Output()
        # rows of the piece of input at hand
        self._rows: list[bytes] = []
        self._append = self._rows.append

    def begin(self, epoch: int) -> None:
        """Number the rows under an epoch."""
        self._numbering = Numbering(epoch, self._topics)
        self._stamp = self._numbering.stamp

    def put(self, event: Event) -> None:
        """Number an event and write its row."""
        try:
            self._stamp(event)
        except KeyError:
            stream = self._numbering.open(channel_of(event), event.exchange, event.symbol)
            self._numbering.stamp_in(event, stream)
        self._append(encode(event))

    def flush(self) -> None:
        """Write out what waits."""
        self._output.lines(self._rows)
        self._rows.clear()
        self._output.flush()

    def finish(self) -> None:
        """Write out what waits."""
        self.flush()
