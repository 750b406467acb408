"""What one connection has received, by channel, as plain numbers that are read when scraped."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter_ns
from typing import Final

from collector_core.events import Event, Status
from collector_feed.numbering import channel_of
from collector_feed.outputs import Output, Undecodable
from collector_runtime.metrics import Latency

__all__ = ["SAMPLE", "Counters", "Tally", "now_ns"]

SAMPLE: Final = 127
"""One frame in so many is timed; a prime, so that no rhythm of the exchange falls in with it."""

now_ns: Final = perf_counter_ns
"""Clock of the timed frames, in nanoseconds of no particular beginning."""


class Tally:
    """The frames of one channel."""

    __slots__ = ("bytes", "frames", "latency", "parse")

    def __init__(self) -> None:
        self.frames = 0
        self.bytes = 0
        # from a frame to its rows, of the frames that were timed
        self.parse = Latency()
        # from receive to produce, of the last frame of each batch that the socket held
        self.latency = Latency()


class Counters:
    """What one connection has seen; a connection that replaces another goes on with its counters.

    A frame counts for the channel of its first output; what carries nothing for us is ``control``
    (acknowledgements, heartbeats), a frame that begins with a status row is ``status``.
    """

    __slots__ = ("by_channel", "by_kind", "pauses", "undecodable")

    def __init__(self) -> None:
        self.by_channel: dict[str, Tally] = {}
        # the same by the type of the first output: the hot path looks here
        self.by_kind: dict[type, Tally] = {}
        self.undecodable = 0
        # times that reading was paused for a slow broker
        self.pauses = 0

    def of(self, outputs: Sequence[Output]) -> Tally:
        """Return where a frame with these outputs counts; the hot path asks ``by_kind`` first."""
        first = outputs[0] if outputs else None
        tally = self.by_kind.get(type(first))
        if tally is None:
            tally = self.by_channel.setdefault(_channel(first), Tally())
            self.by_kind[type(first)] = tally
        return tally


def _channel(first: Output | None) -> str:
    match first:
        case Status():
            return "status"
        case Event():
            return channel_of(first)
        case Undecodable():
            return "undecodable"
        case _:
            return "control"
