"""The indicators over one interval of one symbol's book: what stood for how long, and its rows.

A row says the values as of the interval's end and, for some, the mean over the time in it. The
book goes on while nothing comes, so a quiet interval has a row too; one in which no book could be
trusted has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import msgspec

from collector_indicators.named import Values
from collector_indicators.output import Label, Output, Reading
from collector_indicators.selection import Choice
from collector_indicators.time_mean import TimeMean, TimeMeanState
from collector_indicators.timeframe import Timeframe

__all__ = ["BookSeries", "BookSeriesState", "Readings"]

Readings: TypeAlias = Sequence[Values] | None
"""What each indicator says of the book as it stands; None while it cannot be trusted."""
_CARRIED: Final = 600
"""Intervals without a row of the topic, one after another, to which the book is carried on."""


class _SlotState(msgspec.Struct):
    choice: Choice
    skipped: int
    sound: int
    means: list[TimeMeanState]


class BookSeriesState(msgspec.Struct):
    """What a series is restored from."""

    interval: str
    opened: int | None
    seen: int
    slots: list[_SlotState]


class _Slot:
    """One indicator of the series."""

    __slots__ = ("choice", "label", "means", "outputs", "skipped", "sound", "sources")

    def __init__(self, choice: Choice, interval: str) -> None:
        kind = choice.create_of_book()
        self.choice = choice
        self.label = Label(choice.name, choice.params, "book", interval)
        self.outputs = kind.outputs
        # names of what means are taken of, and of the means
        self.sources = [(source, name) for name, source in kind.means.items()]
        self.means = [TimeMean() for _ in self.sources]
        # microseconds of the interval in which the book was sound
        self.sound = 0
        # intervals of the series before this indicator was added
        self.skipped = 0

    def hold(self, values: Values, held: int) -> None:
        self.sound += held
        for (source, _), mean in zip(self.sources, self.means, strict=True):
            value = values[source]
            if value is not None:
                mean.add(value, held)

    def values(self, now: Values | None) -> Values:
        means = {
            name: mean.value() for (_, name), mean in zip(self.sources, self.means, strict=True)
        }
        known = means if now is None else now | means
        return {name: known.get(name) for name in self.outputs}

    def begin(self) -> None:
        self.sound = 0
        self.means = [TimeMean() for _ in self.sources]

    def state(self) -> _SlotState:
        return _SlotState(
            self.choice, self.skipped, self.sound, [mean.state() for mean in self.means]
        )

    def restore(self, state: _SlotState) -> None:
        self.skipped, self.sound = state.skipped, state.sound
        self.means = [TimeMean(mean) for mean in state.means]


class BookSeries:
    """Intervals of one length.

    Args:
        interval: our name of it.
        choices: the indicators, in the order of their rows and of ``Readings``.
    """

    def __init__(self, interval: str, choices: Iterable[Choice]) -> None:
        self.timeframe = Timeframe(interval)
        self._slots = [_Slot(choice, interval) for choice in choices]
        # the interval that is open, and its end; None before the first sound book
        self.opened: int | None = None
        self.end = 0
        # intervals with a row so far
        self._seen = 0

    def begin(self, time: int) -> None:
        """Open the interval that holds ``time``."""
        self.opened = self.timeframe.open_of(time)
        self.end = self.timeframe.end_of(self.opened)

    def hold(self, since: int, until: int, readings: Readings, output: Output) -> None:
        """Let the book stand from ``since`` to ``until``; give out the intervals that end."""
        if self.opened is None:
            return
        carried = 0
        while until >= self.end:
            self._add(readings, self.end - since)
            self._close(readings, output)
            carried += 1
            # what comes after an outage, or a very long silence, begins where that ends
            gone_on = readings is not None and carried <= _CARRIED
            since = self.end if gone_on else self.timeframe.open_of(until)
            self.begin(since)
        self._add(readings, until - since)

    def _add(self, readings: Readings, held: int) -> None:
        if readings is not None and held:
            for slot, values in zip(self._slots, readings, strict=True):
                slot.hold(values, held)

    def _close(self, readings: Readings, output: Output) -> None:
        if self._known:
            self._seen += 1
            self._give(self.end, readings, output, closed=True)
        for slot in self._slots:
            slot.begin()

    def live(self, time: int, readings: Readings, output: Output) -> None:
        """Give out the open interval as if it ended at ``time``, if a part of it was seen."""
        if self._known:
            self._seen += 1
            self._give(time, readings, output, closed=False)
            self._seen -= 1

    @property
    def _known(self) -> bool:
        return any(slot.sound for slot in self._slots)

    def _give(self, until: int, readings: Readings, output: Output, *, closed: bool) -> None:
        opened = until if self.opened is None else self.opened
        for i, slot in enumerate(self._slots):
            reading = Reading(
                bars_seen=self._seen - slot.skipped,
                warm=True,
                closed=closed,
                revision=0,
                incomplete=slot.sound < until - opened,
            )
            values = slot.values(None if readings is None else readings[i])
            output.indicator(slot.label, opened, values, reading)

    # --- state ----------------------------------------------------------------------------------

    def state(self) -> BookSeriesState:
        """Return what the series is restored from."""
        return BookSeriesState(
            self.timeframe.interval,
            self.opened,
            self._seen,
            [slot.state() for slot in self._slots],
        )

    def restore(self, state: BookSeriesState) -> list[Choice]:
        """Go on from a state; return the indicators that it does not have, which begin here."""
        if state.opened is not None:
            self.begin(state.opened)
        self._seen = state.seen
        known = {slot.choice: slot for slot in state.slots}
        lacking = []
        for slot in self._slots:
            if slot.choice in known:
                slot.restore(known[slot.choice])
            else:
                slot.skipped = self._seen
                lacking.append(slot.choice)
        return lacking

    def adopt(self, choice: Choice, other: BookSeries) -> None:
        """Let an indicator go on from where it stands in another series at the same row.

        It stays as it is if the other one began too late to know more.
        """
        if self.opened != other.opened:
            return
        mine, theirs = self._slot(choice), other._slot(choice)
        mine.restore(theirs.state())
        mine.skipped = self._seen - (other._seen - theirs.skipped)

    def _slot(self, choice: Choice) -> _Slot:
        return next(slot for slot in self._slots if slot.choice == choice)
