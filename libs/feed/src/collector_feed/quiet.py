"""Streams that fell silent while their neighbours run, by the quiet times that each one has shown.

A stream is stale once it is silent several times longer than it ever was of late. Then it is
subscribed anew and, where there is a history, asked whether something was traded meanwhile. If so
the exchange has forgotten us, and the connection is opened anew; if not the market is just quiet,
and the stream has shown a longer quiet time.
"""

from __future__ import annotations

from typing import Final

import msgspec

from collector_feed.outputs import Subscription
from collector_feed.pipeline import Pipeline

__all__ = ["Quiet"]

_LOOK: Final = 1.0
"""Seconds between two looks; quiet times are known no finer."""
_LEARNED: Final = 20
"""Quiet times that a stream has to show before it is judged by them."""
_TIMES: Final = 4.0
"""How many times its longest quiet time of late a stream may be silent."""
_FADE: Final = 0.999
"""What is left of the longest quiet time at each newer one: half after some 700."""
_ANSWER: Final = 15.0
"""Seconds after which a stream that was subscribed anew has to show life."""


class _Pulse(msgspec.Struct):
    # what changes with each item of the stream, and when it was last seen to change
    mark: object
    since: float
    usual: float = 0.0
    seen: int = 0
    # when it was called stale, None while it is not
    stale: float | None = None
    # trades fetched so far, and whether some were since it is stale
    filled: int = 0
    missed: bool = False


class Quiet:
    """Watches the trades and books of one connection.

    Args:
        pipeline: whose streams are watched.
        floor: seconds of silence that are never stale.
    """

    def __init__(self, pipeline: Pipeline, floor: float) -> None:
        self._pipeline = pipeline
        self._floor = floor
        self._pulses: dict[Subscription, _Pulse] = {}
        self._next = 0.0
        # streams found stale, and connections given up for one that stayed deaf, for metrics
        self.found = 0
        self.deaf = 0

    def on_time(self, now: float) -> tuple[list[Subscription], bool]:
        """Return the streams that have become stale, and whether the connection is deaf to one."""
        if now < self._next:
            return [], False
        self._next = now + _LOOK
        stale: list[Subscription] = []
        deaf = False
        for symbol, trades in self._pipeline.trades():
            wanted = Subscription("trade", symbol)
            pulse = self._look(wanted, (trades.time, trades.doubles), trades.filled, now)
            if self._judge(pulse, now):
                stale.append(wanted)
            elif pulse.stale is not None and now >= pulse.stale + _ANSWER:
                if pulse.missed:
                    # the history had trades that this connection never brought
                    deaf = True
                elif trades.healthy:
                    self._at_rest(pulse, now)
        for symbol, book in self._pipeline.books():
            wanted = Subscription("book", symbol)
            pulse = self._look(wanted, book.updates, 0, now)
            if self._judge(pulse, now):
                stale.append(wanted)
            elif pulse.stale is not None and now >= pulse.stale + _ANSWER:
                self._at_rest(pulse, now)
        self.found += len(stale)
        self.deaf += deaf
        return stale, deaf

    def stale(self) -> int:
        """Return how many streams are stale now."""
        return sum(pulse.stale is not None for pulse in self._pulses.values())

    def disconnected(self) -> None:
        """The connection is gone: what is not sent says nothing; what was learned stays."""
        for pulse in self._pulses.values():
            pulse.mark = None
            pulse.stale = None
            pulse.missed = False

    def deadline(self) -> float:
        """Return when to look again, in monotonic seconds."""
        return self._next

    def forget(self, wanted: Subscription) -> None:
        """A stream is wanted no longer."""
        self._pulses.pop(wanted, None)

    def _look(self, wanted: Subscription, mark: object, filled: int, now: float) -> _Pulse:
        pulse = self._pulses.get(wanted)
        if pulse is None:
            return self._pulses.setdefault(wanted, _Pulse(mark, now, filled=filled))
        fetched, pulse.filled = filled > pulse.filled, filled
        if pulse.mark is None:
            # a new connection: its silence counts from here
            pulse.mark, pulse.since = mark, now
        elif pulse.mark != mark:
            pulse.mark = mark
            if pulse.stale is not None and fetched:
                # what was fetched is no sign of life, on the contrary
                pulse.missed = True
                return pulse
            if pulse.stale is None:
                pulse.usual = max(pulse.usual * _FADE, now - pulse.since)
                pulse.seen += 1
            pulse.since = now
            pulse.stale = None
            pulse.missed = False
        return pulse

    def _judge(self, pulse: _Pulse, now: float) -> bool:
        bound = max(self._floor, _TIMES * (pulse.usual + _LOOK))
        if pulse.stale is None and pulse.seen >= _LEARNED and now - pulse.since >= bound:
            pulse.stale = now
            return True
        return False

    def _at_rest(self, pulse: _Pulse, now: float) -> None:
        pulse.usual = max(pulse.usual, now - pulse.since)
        pulse.since = now
        pulse.stale = None
