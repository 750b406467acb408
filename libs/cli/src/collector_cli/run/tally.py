"""Counts the rows of the bus by channel and exchange, and keeps the last of each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from confluent_kafka import Message

from collector_cli.bus.describe import describe
from collector_core.codec import decode
from collector_core.topics import Topics

__all__ = ["CHANNELS", "Group", "Line", "Tally"]

CHANNELS: Final = (
    *("trade", "ticker", "book", "depth", "candle"),
    *("bar", "indicator", "instrument", "status"),
)
"""In the order of the table."""
_WINDOW: Final = 5.0
"""Seconds over which a rate is taken."""


class Group:
    """The topics of one channel and exchange."""

    __slots__ = ("begins", "last", "read_at", "rows")

    def __init__(self, channel: str) -> None:
        # with what a row of the channel's own type begins; clocks and statuses are not counted
        self.begins = b'{"type":"%s"' % channel.encode()
        self.rows = 0
        # the last such row, and the wall time in microseconds at which it was read
        self.last: bytes | None = None
        self.read_at = 0


class Line(NamedTuple):
    """What is shown of a group."""

    channel: str
    exchange: str
    rows: int
    rate: float
    """Rows a second."""
    lag: float | None
    """Seconds from the arrival of the frame behind the last row until we read the row."""
    symbol: str
    last: str


class Tally:
    """The counts of one run.

    Args:
        topics: names and layout.
        exchanges: those that are run; each has a line in every channel from the start.
        channels: those that each of them has from the start.
    """

    def __init__(
        self, topics: Topics, exchanges: Iterable[str], channels: Iterable[str] = ()
    ) -> None:
        self._topics = topics
        self._groups = {
            (channel, exchange): Group(channel) for channel in channels for exchange in exchanges
        }
        self._by_topic: dict[str, Group] = {}
        # (monotonic time, rows by group), oldest first
        self._history: deque[tuple[float, dict[tuple[str, str], int]]] = deque()

    def count(self, messages: Sequence[Message], wall: int) -> None:
        """Count rows that were read at wall time ``wall``, in microseconds."""
        by_topic = self._by_topic
        for message in messages:
            topic = message.topic() or ""
            group = by_topic.get(topic)
            if group is None:
                group = by_topic[topic] = self._group(topic)
            value = message.value() or b""
            if value.startswith(group.begins):
                group.rows += 1
                group.last = value
                group.read_at = wall

    def rows(self) -> dict[str, dict[str, int]]:
        """Return the rows by channel and exchange."""
        found: dict[str, dict[str, int]] = {}
        for (channel, exchange), group in self._sorted():
            found.setdefault(channel, {})[exchange] = group.rows
        return found

    def lines(self, now: float) -> list[Line]:
        """Return what is to be shown at monotonic time ``now``, in seconds."""
        history = self._history
        history.append((now, {name: group.rows for name, group in self._groups.items()}))
        while len(history) > 2 and history[1][0] <= now - _WINDOW:
            history.popleft()
        then, before = history[0]
        passed = max(now - then, 1e-9)
        return [
            _line(*name, group, (group.rows - before.get(name, 0)) / passed)
            for name, group in self._sorted()
        ]

    def _group(self, topic: str) -> Group:
        name = self._topics.parse(topic)
        return self._groups.setdefault((name.channel, name.exchange), Group(name.channel))

    def _sorted(self) -> Iterator[tuple[tuple[str, str], Group]]:
        order = {channel: place for place, channel in enumerate(CHANNELS)}
        names = sorted(self._groups, key=lambda name: (order.get(name[0], len(order)), name[1]))
        return ((name, self._groups[name]) for name in names)


def _line(channel: str, exchange: str, group: Group, rate: float) -> Line:
    if group.last is None:
        return Line(channel, exchange, group.rows, rate, None, "", "")
    event = decode(group.last)
    lag = None if event.receive_time is None else (group.read_at - event.receive_time) / 1e6
    return Line(channel, exchange, group.rows, rate, lag, event.symbol, describe(event))
