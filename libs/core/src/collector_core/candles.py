"""When a candle is closed, for exchanges whose candles carry no flag of their own.

Rule (design section 3): a candle is closed when a newer one of the same stream was seen, or when
its end plus a grace has passed. The last row received of an open time wins.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from collector_core.events import Candle

__all__ = ["CandleCloser"]

GRACE: Final = 3_000_000
"""Microseconds past its end after which a candle is closed without a newer one."""


class CandleCloser:
    """Holds the last open candle of each (symbol, interval) and emits it once, closed."""

    def __init__(self, grace: int = GRACE) -> None:
        self._grace = grace
        # the candle still open, by (symbol, interval)
        self._open: dict[tuple[str, str], Candle] = {}
        # open time of the newest candle emitted as closed
        self._closed: dict[tuple[str, str], int] = {}

    def feed(self, candle: Candle) -> list[Candle]:
        """Take a candle without a flag; return the rows to publish, the closed one first.

        A row for a candle that was closed already is a late correction: it is published again,
        closed.
        """
        stream = candle.symbol, candle.interval
        if candle.open_time <= self._closed.get(stream, -1):
            return [replace(candle, closed=True)]
        held = self._open.get(stream)
        if held is not None and candle.open_time < held.open_time:
            return [replace(candle, closed=True)]
        rows = []
        if held is not None and candle.open_time > held.open_time:
            rows.append(self._close(stream, held))
        self._open[stream] = candle
        rows.append(candle)
        return rows

    def on_time(self, wall: int) -> list[Candle]:
        """Return, closed, the candles whose end plus the grace has passed at wall time ``wall``."""
        due = [
            (stream, held)
            for stream, held in self._open.items()
            if held.close_time + self._grace <= wall
        ]
        return [self._close(stream, held) for stream, held in due]

    def next_close(self) -> int | None:
        """Return the wall time at which ``on_time`` has something to do, or None."""
        ends = [held.close_time + self._grace for held in self._open.values()]
        return min(ends, default=None)

    def interrupted(self) -> None:
        """The connection is gone: an open candle may miss trades and is never closed from here.

        The next row of its open time, or history fetched over REST, says how it ended.
        """
        self._open.clear()

    def forget(self, symbol: str) -> None:
        """Drop what is held of a symbol that is no longer followed."""
        for stream in [s for s in self._open if s[0] == symbol]:
            del self._open[stream]
        for stream in [s for s in self._closed if s[0] == symbol]:
            del self._closed[stream]

    def _close(self, stream: tuple[str, str], held: Candle) -> Candle:
        self._open.pop(stream, None)
        self._closed[stream] = held.open_time
        return replace(held, closed=True)
