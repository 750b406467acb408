"""One plan played: sessions against a simulated exchange, in memory, on a manual clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from collector_feed.book_stream import BUFFER
from collector_feed.outputs import Undecodable
from collector_feed.trade_fill import HELD
from collector_testkit.dialects.dialect import Limits
from collector_testkit.rig import Link, Rig

from .plan import Jump, Plan
from .shown import Shown

__all__ = ["Played", "play"]

_SLICE = 1.0
_FLUSH = 3.0
"""Seconds without any trade at the end, in which everything arrives that was sent."""
_OUTBOX = 40


class Played:
    """What came of a plan.

    Args:
        plan: the plan.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.rig = Rig(
            plan.exchange,
            plan.seed,
            symbols=plan.symbols,
            channels=plan.channels,
            options=plan.options,
            limits=plan.limits,
            rate=plan.rate,
            orders=plan.orders,
            latency=plan.latency,
        )
        self.shown = Shown(self.rig.venue)
        self.rig.venue.watcher = self.shown
        # payloads that reached a session and that nobody can read
        self.unreadable: list[bytes] = []
        self.rig.heard = self._heard
        # (seconds from the start, number of rows by then)
        self.marks: list[tuple[float, int]] = []
        # streams that were not whole at the end, and bounds that were passed on the way
        self.unwell: list[str] = []
        self.overfull: set[str] = set()
        # number of rows when the sessions were told to stop
        self.end = 0

    @property
    def undecodable(self) -> list[Undecodable]:
        """Frames for the dead letters."""
        return [output for output in self.rig.outputs if isinstance(output, Undecodable)]

    def _heard(self, payload: bytes) -> None:
        if payload in self.shown.unreadable:
            self.unreadable.append(payload)

    def mark(self, now: float) -> None:
        """Look at what is held, and note how far the rows are."""
        self.marks.append((now, len(self.rig.rows)))
        for link in self.rig.all_links():
            self.overfull.update(_overfull(link, self.plan.bound))


def _overfull(link: Link, bound: int | None) -> Iterator[str]:
    pipeline = link.session.pipeline
    trades_held, updates_held = (bound, bound) if bound else (HELD, BUFFER)
    for symbol, trades in pipeline.trades():
        fill = trades.filling
        held = len(trades._kept) if fill is None else max(len(fill.held), len(trades._kept))
        if held > trades_held:
            yield f"{symbol}: expected at most {trades_held} trades held, was {held}"
    for symbol, book in pipeline.books():
        if book.held > updates_held:
            yield f"{symbol}: expected at most {updates_held} updates held, was {book.held}"
    waiting = len(link.session.streams.dialogue.outbox._waiting)
    if waiting > _OUTBOX:
        yield f"expected at most {_OUTBOX} messages in the outbox, was {waiting}"


@contextmanager
def _bounds(bound: int | None) -> Iterator[None]:
    if bound is None:
        yield
        return
    buffer, held = "collector_feed.book_stream.BUFFER", "collector_feed.trade_stream.HELD"
    with patch(buffer, bound), patch(held, bound):
        yield


def play(plan: Plan) -> Played:
    """Return what comes of a plan."""
    played = Played(plan)
    with _bounds(plan.bound):
        _storm(played)
        _calm(played)
    return played


def _storm(played: Played) -> None:
    rig, plan = played.rig, played.plan
    start = rig.venue.now
    rig.venue.faults.extend((start + round(at * 1e6), fault) for at, fault in plan.faults)
    rig.start()
    jumps = sorted(plan.jumps, key=lambda jump: jump.at)
    now = 0.0
    while now < plan.stormy:
        step = min(_SLICE, plan.stormy - now)
        rig.run(step)
        now += step
        while jumps and jumps[0].at <= now:
            _jump(rig, jumps.pop(0), plan.rate)
        played.mark(now)


def _jump(rig: Rig, jump: Jump, rate: float) -> None:
    if jump.whose == "ours":
        rig.time.jump_wall(jump.by)
        return
    # an hour passes for the exchange alone, and nobody trades in it
    rig.venue.market.set_rate(0.0)
    rig.act(rig.venue.advance(rig.venue.now + round(jump.by * 1e6)))
    rig.venue.market.set_rate(rate)


def _calm(played: Played) -> None:
    rig, plan = played.rig, played.plan
    rig.act(rig.venue.clear_faults())
    rig.venue.dialect.limits = Limits()
    now = plan.stormy
    while now < plan.stormy + plan.calm:
        rig.run(_SLICE)
        now += _SLICE
        played.mark(now)
    rig.venue.market.set_rate(0.0)
    rig.run(_FLUSH)
    played.mark(now + _FLUSH)
    for link in rig.links:
        for symbol, trades in link.session.pipeline.trades():
            if not trades.healthy:
                played.unwell.append(f"trade {symbol}")
        for symbol, book in link.session.pipeline.books():
            if book.state != "live":
                played.unwell.append(f"book {symbol}")
    played.end = len(rig.rows)
    rig.stop()
