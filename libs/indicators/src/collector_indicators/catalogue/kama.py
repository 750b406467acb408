"""Kaufman's Adaptive Moving Average.

Source: Perry J. Kaufman, Trading Systems and Methods (1998), chapter 17: the weight of a new close
is the square of a constant between those of a slow and a fast exponential average, by the
efficiency ratio (net change of n bars divided by the sum of their changes). Seed as TA-Lib
(TA_KAMA): the close before the first value. Where nothing moved the ratio is 1, as there.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.indicator import Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.path import Path
from collector_indicators.window import WindowState

__all__ = ["Kama"]


class KamaParameters(Parameters, frozen=True):
    """Bars of the efficiency ratio, and of the fastest and the slowest average."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 10
    fast: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 2
    slow: Annotated[int, msgspec.Meta(ge=2, le=100_000)] = 30

    def check(self) -> None:
        """Refuse a fast average that is not faster."""
        if self.fast >= self.slow:
            raise ValueError(f"expected fast below slow, was {self.fast} and {self.slow}")


class KamaState(WindowState):
    """The window, and the average."""

    average: float = 0.0
    """The last close until there is an average."""


class Kama(Path[KamaParameters, KamaState]):
    """Average that follows a straight move quickly and a noisy one slowly."""

    name = "kama"
    outputs = ("kama",)
    parameters_type = KamaParameters
    state_type = KamaState

    def _rebuild(self) -> None:
        given = self.parameters
        self._length = given.period + 1
        self._slowest = 2 / (given.slow + 1)
        self._spread = 2 / (given.fast + 1) - self._slowest
        super()._rebuild()

    @property
    def bars_needed(self) -> int:
        """One bar more than the ratio's."""
        return self._length

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the average over it."""
        average = self._average(bar.close, self._take(bar.close))
        self._state.average = bar.close if average is None else average
        return {"kama": average}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the average if ``bar`` closed now."""
        return {"kama": self._average(bar.close, self._look(bar))}

    def _average(self, close: float, taken: tuple[int, int] | None) -> float | None:
        if taken is None:
            return None
        change, way = taken
        ratio = abs(change) / way if way else 1.0
        average = self._state.average
        return average + (ratio * self._spread + self._slowest) ** 2 * (close - average)
