"""The mean of a value over the time for which it stood, without any error but one rounding."""

from __future__ import annotations

import msgspec

from collector_indicators.exact_sum import ExactSum

__all__ = ["TimeMean", "TimeMeanState"]


class TimeMeanState(msgspec.Struct):
    """What a mean is restored from."""

    total: str
    """Hexadecimal digits: it may have more bits than msgpack's integers."""
    shift: int
    held: int


class TimeMean:
    """Value times duration by duration, as exact integers; so where time is cut does not show."""

    __slots__ = ("_sum", "held")

    def __init__(self, state: TimeMeanState | None = None) -> None:
        self._sum = ExactSum()
        # microseconds for which there was a value
        self.held = 0
        if state is not None:
            self._sum = ExactSum(int(state.total, 16), state.shift)
            self.held = state.held

    def add(self, value: float, held: int) -> None:
        """Take in that a finite value stood for some microseconds."""
        units = self._sum.units(value)
        self._sum.total += units * held
        self.held += held

    def value(self) -> float | None:
        """Return the mean, None if there was no time."""
        return self._sum.total / (self.held << self._sum.shift) if self.held else None

    def state(self) -> TimeMeanState:
        """Return what the mean is restored from."""
        return TimeMeanState(f"{self._sum.total:x}", self._sum.shift, self.held)
