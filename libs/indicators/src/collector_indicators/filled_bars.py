"""Bars of one size in trades, volume or quote value, from the trades of one symbol.

The trade that fills a bar belongs to it whole and closes it (Lopez de Prado 2018, section 2.3.1),
so a bar may hold more than its size. Trades count in the order of the topic; a late one, whose
bar by time has closed, goes into that bar within the horizon: where bars end never changes.

A bar opens at the time of its first trade and ends behind its last one. Where that is no later
than the bar before opened, as with two bars in one millisecond, it opens a microsecond after it:
bars of one series differ in their open times, by which consumers tell rows over them apart.
"""

from __future__ import annotations

from decimal import Decimal, DecimalException

import msgspec

from collector_core.events import Trade
from collector_indicators.fill import Fill
from collector_indicators.gaps import Gaps
from collector_indicators.output import BarName, BarSpan, Output
from collector_indicators.partial_bar import EXACT, PartialBar, bad_number, time_of
from collector_indicators.series import ClosedBar, Series

__all__ = ["FilledBars", "FilledState"]

_FOLDED = 256
"""Trades collected at most before they become a part."""
_NOTHING = Decimal(0)
_ONE = Decimal(1)


class FilledState(msgspec.Struct):
    """What changes with the trades of one size; closed bars stand in the series' state."""

    size: str
    part: PartialBar | None
    full: list[PartialBar]
    full_until: int | None
    closed: int
    last_opened: int | None
    stirred: bool
    late: int
    dropped: int
    changed: list[int]


class FilledBars:
    """The open bar of one size, and the series of the closed ones.

    Args:
        fill: what fills a bar.
        series: takes the closed bars.
        horizon: closed bars that late trades still revise.
    """

    def __init__(self, fill: Fill, series: Series, horizon: int) -> None:
        self.fill = fill
        self.series = series
        self._horizon = horizon
        self._name = BarName(None, fill.kind, fill.size)
        self._size = fill.amount
        # trades of the open bar, in order of time, and what earlier ones of it became
        self._collected: list[Trade] = []
        self._part: PartialBar | None = None
        self._newest = 0
        # what the open bar holds of its size
        self._held = _NOTHING
        # bars that are full and wait for the end of a backfill
        self.full: list[PartialBar] = []
        # time of the last trade of the newest full or closed bar; what is earlier is late
        self._full_until: int | None = None
        # bars closed so far, which is the number of the next one, and when the last one opened
        self._closed = 0
        self._last_opened: int | None = None
        # something changed since the last live rows
        self._stirred = False
        # trades that revised a closed bar, and those that came too late for that
        self.late = 0
        self.dropped = 0
        # closed bars that late trades changed and whose new rows are still to be given out
        self._changed: list[int] = []

    @property
    def reach(self) -> int | None:
        """Time from which on gaps still matter; None while all do."""
        return self.series.kept[0].open_time if self.series.kept else self.series.end

    @property
    def revising(self) -> bool:
        """Whether late trades changed bars whose new rows are still to be given out."""
        return bool(self._changed)

    # --- trades ---------------------------------------------------------------------------------

    def add(self, trade: Trade, time: int) -> bool:
        """Take the next trade of the topic; tell whether it changed a closed bar.

        Raises:
            NumberError: its price or amount is no finite decimal number.
        """
        if self._full_until is not None and time < self._full_until:
            return self._take_late(trade, time)
        held = EXACT.add(self._held, self._measure(trade))
        if len(self._collected) == _FOLDED or (self._collected and time < self._newest):
            self._fold()
        self._collected.append(trade)
        self._newest, self._held, self._stirred = time, held, True
        if held >= self._size:
            part = self._fold()
            self._part, self._held = None, _NOTHING
            if part is not None:
                self._full_until = part.last_time
                self.full.append(part)
        return False

    def _measure(self, trade: Trade) -> Decimal:
        """Return how much of a bar's size a trade fills."""
        if self.fill.kind == "trades":
            return _ONE
        try:
            measure = Decimal(trade.amount)
            if self.fill.kind == "quote":
                measure = EXACT.multiply(measure, Decimal(trade.price))
        except DecimalException:
            raise bad_number((trade,)) from None
        if not measure.is_finite():
            raise bad_number((trade,))
        return measure

    def _fold(self) -> PartialBar | None:
        """Make the collected trades a part of the open bar; return that."""
        if self._collected:
            trades, self._collected = self._collected, []
            first, last = time_of(trades[0]), time_of(trades[-1])
            part = PartialBar.of(trades, first or 0, last or 0)
            if self._part is None:
                self._part = part
            else:
                self._part.merge(part)
        return self._part

    def _take_late(self, trade: Trade, time: int) -> bool:
        part = PartialBar.of((trade,), time, time)
        for full in reversed(self.full):
            if full.first_time <= time:
                # it has no row yet
                full.merge(part)
                return False
        for bar in reversed(self.series.kept):
            if bar.part is not None and bar.part.first_time <= time:
                bar.part.merge(part)
                bar.ohlcv = bar.part.ohlcv(bar.open_time)
                self.late += 1
                if bar.open_time not in self._changed:
                    self._changed.append(bar.open_time)
                return True
        self.dropped += 1
        return False

    # --- rows out -------------------------------------------------------------------------------

    def close_full(self, gaps: Gaps, output: Output) -> None:
        """Close the bars that are full; what late trades changed must have been given out."""
        full, self.full = self.full, []
        for part in full:
            bar = self._bar(part, gaps)
            self._give(bar, part, self._closed, output, closed=True)
            self._closed += 1
            self._last_opened = bar.open_time
            recent = [*(kept.open_time for kept in self.series.kept), bar.open_time]
            keep_from = recent[-self._horizon :][0] if self._horizon else bar.close_time
            self.series.close(bar, keep_from, output)

    def publish_revisions(self, output: Output) -> bool:
        """Give out the bars that late trades changed, and the indicators from the first one on."""
        if not self._changed:
            return False
        changed, self._changed = sorted(self._changed), []
        first = self._closed - len(self.series.kept)
        for ordinal, bar in enumerate(self.series.kept, first):
            if bar.open_time in changed and bar.part is not None:
                bar.part_revision += 1
                self._give(bar, bar.part, ordinal, output, closed=True)
        self.series.revise(changed[0], output)
        self._stirred = True
        return True

    def live(self, gaps: Gaps, output: Output) -> None:
        """Give out the open bar as it stands, if anything changed since the last time."""
        if not self._stirred:
            return
        self._stirred = False
        part = self._fold()
        if part is None:
            return
        bar = self._bar(part, gaps)
        self._give(bar, part, self._closed, output, closed=False)
        self.series.live(bar.ohlcv, bar.touched, output)

    def _give(
        self, bar: ClosedBar, part: PartialBar, ordinal: int, output: Output, *, closed: bool
    ) -> None:
        output.bar(
            self._name,
            BarSpan(bar.open_time, bar.close_time, ordinal),
            part,
            closed=closed,
            revision=bar.part_revision,
            incomplete=bar.incomplete,
        )

    def _bar(self, part: PartialBar, gaps: Gaps) -> ClosedBar:
        """Return a bar as the next one closed. What a gap before it took would have been in it."""
        opened = part.first_time
        if self._last_opened is not None:
            opened = max(opened, self._last_opened + 1)
        end = max(part.last_time, opened) + 1
        before = self.series.end
        touched = gaps.touch(opened if before is None else min(before, opened), end)
        return ClosedBar(opened, end, part.ohlcv(opened), touched is not None, touched, part=part)

    # --- state ----------------------------------------------------------------------------------

    def state(self) -> FilledState:
        """Return what changes with the trades."""
        return FilledState(
            self.fill.text,
            self._fold(),
            self.full,
            self._full_until,
            self._closed,
            self._last_opened,
            self._stirred,
            self.late,
            self.dropped,
            self._changed,
        )

    def restore(self, state: FilledState) -> None:
        """Go on from a state."""
        self._part, self.full, self._full_until = state.part, state.full, state.full_until
        self._closed, self._last_opened = state.closed, state.last_opened
        self._stirred, self.late, self.dropped = state.stirred, state.late, state.dropped
        self._changed = state.changed
        if state.part is not None:
            held = {
                "trades": Decimal(state.part.trade_count),
                "volume": state.part.volume,
                "quote": state.part.quote_volume,
            }
            self._held = held[self.fill.kind]
