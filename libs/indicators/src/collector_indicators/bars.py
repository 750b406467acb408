"""Time bars of one interval, from the trades of one symbol (design section 7).

A bar without a trade has no row: it would have no price of its own, and a carried one would look
like a trade. Exchanges that build candles from trades alone leave such candles out too; who wants
them carried fills forward by ``ordinal``. It also bounds the work of one row after a silence of
days.
"""

from __future__ import annotations

import msgspec

from collector_indicators.gaps import Gaps
from collector_indicators.output import BarName, BarSpan, Output
from collector_indicators.partial_bar import PartialBar
from collector_indicators.series import ClosedBar, Series
from collector_indicators.timeframe import Timeframe

__all__ = ["BarsState", "TimeBars"]


class BarsState(msgspec.Struct):
    """What changes with the trades of one interval; closed bars stand in the series' state."""

    interval: str
    since: int | None
    frontier: int
    parts: dict[int, PartialBar]
    stirred: bool
    late: int
    dropped: int
    changed: list[int]


class TimeBars:
    """Open bars of one interval, and the series of the closed ones.

    Args:
        interval: our name of it.
        series: takes the closed bars.
        horizon: intervals back from the first bar not closed that late trades still revise.
    """

    __slots__ = (
        "_changed",
        "_horizon",
        "_name",
        "_stirred",
        "dropped",
        "frontier",
        "frontier_end",
        "late",
        "parts",
        "series",
        "since",
        "timeframe",
    )

    def __init__(self, interval: str, series: Series, horizon: int) -> None:
        self.timeframe = Timeframe(interval)
        self.series = series
        self._name = BarName(interval, "time", interval)
        self._horizon = horizon
        # time of the first row taken: a bar that opened no later is not whole
        self.since: int | None = None
        # the first bar that is not closed, and its end; every bar before it is closed
        self.frontier = 0
        self.frontier_end = 0
        # bars that are not closed and have trades, by open time
        self.parts: dict[int, PartialBar] = {}
        # something changed since the last live rows
        self._stirred = False
        # trades that revised a closed bar, and those that came too late for that
        self.late = 0
        self.dropped = 0
        # closed bars that late trades changed and whose new rows are still to be given out
        self._changed: list[int] = []

    @property
    def reach(self) -> int:
        """Open time of the oldest bar that a late trade still revises."""
        return self.timeframe.back(self.frontier, self._horizon)

    @property
    def revising(self) -> bool:
        """Whether late trades changed bars whose new rows are still to be given out."""
        return bool(self._changed)

    def advance(self, waited: int) -> None:
        """Move the frontier: every bar that ended by ``waited`` counts as closed."""
        self.frontier = self.timeframe.open_of(waited)
        self.frontier_end = self.timeframe.end_of(self.frontier)

    def add(self, part: PartialBar, gaps: Gaps) -> bool:
        """Take trades that belong to one bar; tell whether that bar was closed and changed."""
        opened = self.timeframe.open_of(part.first_time)
        if opened >= self.frontier:
            known = self.parts.get(opened)
            if known is None:
                self.parts[opened] = part.copy()
            else:
                known.merge(part)
            self._stirred = True
            return False
        settled = self.series.settled
        if opened < self.reach or (settled is not None and opened < settled):
            self.dropped += part.trade_count
            return False
        self.late += part.trade_count
        bar = self.series.find(opened)
        if bar is None or bar.part is None:
            self.series.insert(self._closed(opened, part.copy(), opened, gaps))
        else:
            bar.part.merge(part)
            bar.ohlcv = bar.part.ohlcv(opened)
        if opened not in self._changed:
            self._changed.append(opened)
        return True

    def publish_revisions(self, output: Output) -> bool:
        """Give out the bars that late trades changed, and the indicators from the first one on."""
        if not self._changed:
            return False
        changed, self._changed = sorted(self._changed), []
        for opened in changed:
            bar = self.series.find(opened)
            # always there: bars close, and so leave, only after their revisions were given out
            if bar is not None and bar.part is not None:
                bar.part_revision += 1
                output.bar(
                    self._name,
                    self._span(opened),
                    bar.part,
                    closed=True,
                    revision=bar.part_revision,
                    incomplete=bar.incomplete,
                )
        self.series.revise(changed[0], output)
        self._stirred = True
        return True

    def close_until(self, waited: int, gaps: Gaps, output: Output) -> bool:
        """Close the bars that ended by ``waited``; tell whether one with trades was among them."""
        self.advance(waited)
        due = sorted(opened for opened in self.parts if opened < self.frontier)
        for opened in due:
            before = opened if self.series.end is None else self.series.end
            part = self.parts.pop(opened)
            bar = self._closed(opened, part, before, gaps)
            output.bar(
                self._name,
                self._span(opened),
                part,
                closed=True,
                revision=0,
                incomplete=bar.incomplete,
            )
            self.series.close(bar, self.reach, output)
            self._stirred = True
        return bool(due)

    def live(self, gaps: Gaps, output: Output) -> None:
        """Give out the open bars as they stand, if anything changed since the last time.

        Indicator rows are over the oldest one alone: over a later bar they would lack it.
        """
        if not self._stirred:
            return
        self._stirred = False
        for index, opened in enumerate(sorted(self.parts)):
            before = opened if self.series.end is None else self.series.end
            bar = self._closed(opened, self.parts[opened], before, gaps)
            output.bar(
                self._name,
                self._span(opened),
                self.parts[opened],
                closed=False,
                revision=0,
                incomplete=bar.incomplete,
            )
            if not index:
                self.series.live(bar.ohlcv, bar.touched, output)

    def _span(self, opened: int) -> BarSpan:
        return BarSpan(opened, self.timeframe.end_of(opened), self.timeframe.ordinal(opened))

    def _closed(self, opened: int, part: PartialBar, before: int, gaps: Gaps) -> ClosedBar:
        """Return a bar as closed; ``before`` is the end of the last bar before it, or its start."""
        end = self.timeframe.end_of(opened)
        own = gaps.touch(opened, end)
        if self.since is not None and opened <= self.since:
            # what was traded before the log began is not known
            own = self.since if own is None else max(self.since, own)
        hole = gaps.touch(before, opened) if before < opened else None
        touched = own if own is not None else hole
        return ClosedBar(opened, end, part.ohlcv(opened), own is not None, touched, part=part)

    # --- state --------------------------------------------------------------------------------

    def state(self) -> BarsState:
        """Return what changes with the trades."""
        return BarsState(
            self.timeframe.interval,
            self.since,
            self.frontier,
            self.parts,
            self._stirred,
            self.late,
            self.dropped,
            self._changed,
        )

    def restore(self, state: BarsState) -> None:
        """Go on from a state."""
        self.advance(state.frontier)
        self.since, self.parts, self._stirred = state.since, state.parts, state.stirred
        self.late, self.dropped, self._changed = state.late, state.dropped, state.changed
