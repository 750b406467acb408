"""The indicators over one series of bars, and the closed bars that may still be revised.

The last bars, within the horizon, are kept. Each indicator exists twice: ``base`` has taken all
bars before the kept ones, ``head`` those too. A revision copies base to head and takes the kept
bars again, so its cost is that of a few updates; and the state of the series is that of base and
the kept bars, from which head follows bit for bit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

import msgspec

from collector_indicators.discovery import AnyIndicator
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.output import Label, Output, Reading
from collector_indicators.partial_bar import PartialBar
from collector_indicators.selection import Choice

__all__ = ["ClosedBar", "Series", "SeriesState"]

_UNPUBLISHED = -1
"""Revision of a bar that has no row yet; its first row makes it 0."""
_Touch = tuple[int, int]
"""Number of the last bar that a gap touched, counted from 1, and the last missing time."""


class ClosedBar(msgspec.Struct):
    """A closed bar or candle; times in microseconds."""

    open_time: int
    close_time: int
    ohlcv: Ohlcv
    incomplete: bool = False
    """A gap touches the bar itself."""
    touched: int | None = None
    """Last missing time since the end of the bar before, up to this bar's end."""
    revision: int = 0
    """Revision of the indicator rows over it."""
    part: PartialBar | None = None
    """What it was built from; None for a candle."""
    part_revision: int = 0
    """Revision of the bar's own row."""


class SeriesState(msgspec.Struct):
    """What a series is restored from."""

    seen: int
    """Bars that base has taken."""
    end: int | None
    """End of the last closed bar."""
    settled: int | None
    """End of the last bar that base has taken."""
    touch: _Touch | None
    kept: list[ClosedBar]
    indicators: list[tuple[Choice, int, bytes]]
    """Base of each indicator, and the number of bars before its first one."""


class _Slot:
    """One indicator of the series."""

    __slots__ = ("base", "choice", "head", "label", "skipped")

    def __init__(self, choice: Choice, source: str, interval: str) -> None:
        self.choice = choice
        self.label = Label(choice.name, choice.params, source, interval)
        self.base = choice.create()
        self.head = choice.create()
        # bars of the series before this indicator was added
        self.skipped = 0


class Series:
    """Closed bars in, indicator rows out.

    Args:
        source: what ``input`` says in the rows, such as ``candle`` or ``bar:time``.
        interval: what ``interval`` says in the rows.
        choices: the indicators, in the order of their rows.
    """

    def __init__(self, source: str, interval: str, choices: Iterable[Choice]) -> None:
        self._slots = [_Slot(choice, source, interval) for choice in choices]
        # bars that base has taken
        self._seen = 0
        # the last bar with something missing, among those of base and among all
        self._base_touch: _Touch | None = None
        self._touch: _Touch | None = None
        # closed bars within the horizon, by open time
        self.kept: list[ClosedBar] = []
        # end of the last closed bar, None before the first
        self.end: int | None = None
        # end of the last bar that base has taken: nothing before it can be revised
        self.settled: int | None = None

    # --- closed bars --------------------------------------------------------------------------

    def close(self, bar: ClosedBar, keep_from: int, output: Output) -> None:
        """Take the next closed bar, give out its rows; keep bars from ``keep_from`` on."""
        self.kept.append(bar)
        self.end = bar.close_time
        self._take(bar, len(self.kept), output)
        while self.kept and self.kept[0].open_time < keep_from:
            self._absorb(self.kept.pop(0))

    def find(self, open_time: int) -> ClosedBar | None:
        """Return the kept bar that opens at ``open_time``."""
        index = bisect_left(self.kept, open_time, key=_opens)
        if index < len(self.kept) and self.kept[index].open_time == open_time:
            return self.kept[index]
        return None

    def insert(self, bar: ClosedBar) -> None:
        """Keep a bar that closed late, at its place; ``revise`` gives its rows out."""
        bar.revision = bar.part_revision = _UNPUBLISHED
        self.kept.insert(bisect_left(self.kept, bar.open_time, key=_opens), bar)
        self.end = self.kept[-1].close_time

    def revise(self, since: int, output: Output) -> None:
        """Compute the kept bars anew; give out rows from the bar that opens at ``since`` on."""
        for slot in self._slots:
            slot.head = slot.base.copy()
        self._touch = self._base_touch
        for number, bar in enumerate(self.kept, 1):
            if bar.open_time >= since:
                bar.revision += 1
            self._take(bar, number, output if bar.open_time >= since else None)

    def _take(self, bar: ClosedBar, number: int, output: Output | None) -> None:
        number += self._seen
        if bar.touched is not None:
            self._touch = (number, bar.touched)
        for slot in self._slots:
            head = slot.head
            seen = number - slot.skipped
            warm = head.warm(bar.ohlcv, seen)
            values = head.update(bar.ohlcv)
            if output is not None:
                missing = _touches(head, self._touch, number, bar.open_time)
                reading = Reading(
                    bars_seen=seen,
                    warm=warm,
                    closed=True,
                    revision=bar.revision,
                    incomplete=missing,
                )
                output.indicator(slot.label, bar.open_time, values, reading)

    def _absorb(self, bar: ClosedBar) -> None:
        self._seen += 1
        self.settled = bar.close_time
        if bar.touched is not None:
            self._base_touch = (self._seen, bar.touched)
        for slot in self._slots:
            slot.base.update(bar.ohlcv)

    # --- open bars ----------------------------------------------------------------------------

    def live(self, bar: Ohlcv, touched: int | None, output: Output) -> None:
        """Give out the values as if ``bar`` closed now as the next one."""
        number = self._seen + len(self.kept) + 1
        touch = self._touch if touched is None else (number, touched)
        for slot in self._slots:
            head = slot.head
            seen = number - slot.skipped
            reading = Reading(
                bars_seen=seen,
                warm=head.warm(bar, seen),
                closed=False,
                revision=0,
                incomplete=_touches(head, touch, number, bar.open_time),
            )
            output.indicator(slot.label, bar.open_time, head.peek(bar), reading)

    # --- state --------------------------------------------------------------------------------

    def state(self) -> SeriesState:
        """Return what the series is restored from."""
        return SeriesState(
            self._seen,
            self.end,
            self.settled,
            self._base_touch,
            self.kept,
            [(slot.choice, slot.skipped, slot.base.state()) for slot in self._slots],
        )

    def restore(self, state: SeriesState) -> None:
        """Go on from a state; an indicator that is not in it begins with the kept bars.

        Raises:
            StateError: the state of an indicator is unreadable or of another version.
        """
        self._seen, self.end, self.settled = state.seen, state.end, state.settled
        self._base_touch = self._touch = state.touch
        self.kept = state.kept
        known = {choice: (skipped, base) for choice, skipped, base in state.indicators}
        for slot in self._slots:
            if slot.choice in known:
                slot.skipped, base = known[slot.choice]
                slot.base.restore(base)
                slot.head = slot.base.copy()
            else:
                slot.skipped = self._seen
        for number, bar in enumerate(self.kept, 1):
            self._take(bar, number, None)

    # --- what another one read further back ---------------------------------------------------

    def lacks(self, state: SeriesState) -> list[Choice]:
        """Return which of its indicators a state does not have."""
        known = {choice for choice, _, _ in state.indicators}
        return [slot.choice for slot in self._slots if slot.choice not in known]

    def adopt(self, choice: Choice, other: Series) -> bool:
        """Let an indicator go on from where it stands in another series over the same bars.

        Returns:
            Whether it does: not if the other one keeps other bars, for then it began too late to
            know more.
        """
        if [_known(bar) for bar in self.kept] != [_known(bar) for bar in other.kept]:
            return False
        mine, theirs = self._slot(choice), other._slot(choice)
        mine.base, mine.head = theirs.base.copy(), theirs.head.copy()
        mine.skipped = self._seen - (other._seen - theirs.skipped)
        return True

    def _slot(self, choice: Choice) -> _Slot:
        return next(slot for slot in self._slots if slot.choice == choice)


def _known(bar: ClosedBar) -> tuple[int, Ohlcv]:
    return bar.open_time, bar.ohlcv


def _opens(bar: ClosedBar) -> int:
    return bar.open_time


def _touches(indicator: AnyIndicator, touch: _Touch | None, number: int, open_time: int) -> bool:
    """Tell whether something is missing in the window of an indicator over bar ``number``."""
    if touch is None:
        return False
    if number - touch[0] < indicator.bars_needed:
        return True
    start = indicator.window_start(open_time)
    return start is not None and touch[1] >= start
