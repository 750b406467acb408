"""What a session of each exchange is given, taken from a run against the simulated exchange.

The session runs once in memory against its venue, and everything that it is told is written down:
that it is connected, frames, answers, times. Played to a fresh session up to a mark, it stands
where the first one stood; the frames after the mark are what is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean
from typing import Any, Final, NamedTuple

from bench.merged_frames import merged
from bench.processes import Failed

from collector_core.events import Book, Event
from collector_core.symbols import SymbolTable
from collector_exchanges.discovery import adapter as adapter_of
from collector_feed.outputs import Output, Subscription
from collector_feed.session import Session
from collector_testkit.dialects import load
from collector_testkit.rig import Link, Rig

__all__ = ["CHANNELS", "LEVELS", "Played", "play"]

CHANNELS: Final = ("trade", "ticker", "book", "candle")
LEVELS: Final = 10
"""Changed levels that a delta should have."""
_RATE: Final = 100.0
_SLOWEST: Final = 10.0
_FASTEST: Final = 600.0
_EACH: Final = 8
"""Frames that go into one, where deltas are put together."""
_LEAD: Final = 12.0
"""Seconds in which streams are subscribed and books become whole."""
_SECONDS: Final = 4.0
_MOST: Final = 40.0
_INPUTS: Final = ("on_connected", "on_frame", "on_pong", "on_answer", "on_time")

_Input = tuple[str, tuple[Any, ...], dict[str, Any]]


class Played(NamedTuple):
    """What a session with one channel was told."""

    exchange: str
    channel: str
    symbols: tuple[str, ...]
    wanted: tuple[Subscription, ...]
    path: str
    began: float
    lead: list[_Input]
    """Up to the mark."""
    frames: list[tuple[bytes, int]]
    """After it: frames with their receive times."""

    def session(self) -> Session:
        """Return a fresh session that stands at the mark."""
        kind = adapter_of(self.exchange)
        symbols = SymbolTable(zip(self.symbols, self._venue_symbols(), strict=True))
        session = Session(
            kind(symbols), kind.spec.websocket_url, lambda: 0.5, path=self.path
        )  # fmt: skip
        session.subscribe(self.wanted, self.began)
        session.start(self.began)
        for name, arguments, named in self.lead:
            getattr(session, name)(*arguments, **named)
        return session

    def rows(self) -> list[Event]:
        """Return the rows of the frames.

        Raises:
            Failed: a frame asked for something else than a row, or gave none.
        """
        session = self.session()
        rows: list[Event] = []
        for frame, at in self.frames:
            for output in session.on_frame(frame, at):
                if not isinstance(output, Event):
                    raise Failed(f"expected rows of {self.exchange} {self.channel}, was {output}")
                rows.append(output)
        if not rows:
            raise Failed(f"expected rows of {self.exchange} {self.channel}, was none")
        return rows

    def _venue_symbols(self) -> list[str]:
        return [load(self.exchange).to_venue(symbol) for symbol in self.symbols]


def play(exchange: str, channel: str, count: int) -> Played | None:
    """Return a played session with at most ``count`` frames; None where nothing is pushed.

    The market is as quick as makes a delta of ten levels, where that is a matter of the market;
    where it is not, deltas are put together until they have ten.
    """
    spec = adapter_of(exchange).spec.channels[channel]
    if not spec.stream:
        return None
    played = _played(exchange, channel, count, _RATE)
    if channel == "book" and adapter_of(exchange).spec.book_rule != "whole":
        rows = [row for row in played.rows() if isinstance(row, Book) and row.kind == "delta"]
        levels = mean(len(row.bids) + len(row.asks) for row in rows)
        rate = min(max(_RATE * LEVELS / levels, _SLOWEST), _FASTEST)
        if rate == _FASTEST:
            # an exchange that tells each change at once tells no more of them when it is quick
            played = _played(exchange, channel, count * _EACH, _RATE)
            return played._replace(frames=merged(played.frames, LEVELS)[:count])
        played = _played(exchange, channel, count, rate)
    return played


def _played(exchange: str, channel: str, count: int, rate: float) -> Played:
    intervals = adapter_of(exchange).spec.channels[channel].intervals
    interval = "1m" if "1m" in intervals else next(iter(intervals), "")
    rig = Rig(exchange, 5, channels=(channel,), intervals=(interval,), rate=rate, latency=0.001)
    began = rig.time.monotonic
    rig.start()
    if len(rig.links) != 1:
        raise Failed(f"expected one connection of {exchange}, was {len(rig.links)}")
    link = rig.links[0]
    told = _listen(link)
    rig.run(_LEAD)
    lead = list(told)
    told.clear()
    spent = 0.0
    while spent < _MOST and sum(name == "on_frame" for name, _, _ in told) < count:
        rig.run(_SECONDS)
        spent += _SECONDS
    frames = [arguments for name, arguments, _ in told if name == "on_frame"][:count]
    return Played(
        exchange, channel, tuple(rig.symbols), tuple(link.wanted), link.path, began, lead,
        [(bytes(frame), at) for frame, at in frames],
    )  # fmt: skip


def _listen(link: Link) -> list[_Input]:
    """Return a list that fills with what the link's session is told from now on."""
    told: list[_Input] = []

    def noting(name: str, does: Callable[..., list[Output]]) -> Callable[..., list[Output]]:
        def note(*arguments: Any, **named: Any) -> list[Output]:  # noqa: ANN401  # whatever comes
            told.append((name, arguments, named))
            return does(*arguments, **named)

        return note

    for name in _INPUTS:
        setattr(link.session, name, noting(name, getattr(link.session, name)))
    return told
