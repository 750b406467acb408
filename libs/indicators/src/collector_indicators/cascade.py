"""Exponential averages of exponential averages, as DEMA, TEMA and TRIX are made of.

Seeds as TA-Lib (default compatibility): each stage starts with the plain mean of its first n
inputs, so stage k has its first value at bar k (n - 1) + 1. Errors of rounding are forgotten with
the factor 1 - 2 / (n + 1) a bar, so nothing drifts.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, ClassVar

import msgspec

from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["Cascade", "CascadeParameters", "CascadeState"]


class CascadeParameters(Parameters, frozen=True):
    """Bars that each stage's weight is made for, and of its seed."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 20


class CascadeState(msgspec.Struct):
    """The averages of all stages."""

    seen: int = 0
    """Bars seen, counted up to the end of the seeding."""
    averages: list[float] = []
    """Of each stage: the sum while seeding, then the average."""
    before: float | None = None
    """What an indicator keeps of the bar before."""


class Cascade(Indicator[CascadeParameters, CascadeState]):
    """Base of indicators made of such stages; a subclass says what its values are."""

    stages: ClassVar[int]
    parameters_type = CascadeParameters
    state_type = CascadeState

    @abstractmethod
    def _values(self, averages: list[float]) -> Values:
        """Return the values over averages that are all seeded."""

    @abstractmethod
    def _nothing(self) -> Values:
        """Return the values before that."""

    def _fresh(self) -> CascadeState:
        return CascadeState(averages=[0.0] * self.stages)

    def _rebuild(self) -> None:
        self._period = self.parameters.period
        self._weight = 2 / (self._period + 1)
        self._seeded = self.stages * (self._period - 1) + 1

    @property
    def bars_needed(self) -> int:
        """Bars until the last stage has its seed."""
        return self._seeded

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the values over it."""
        state = self._state
        if state.seen == self._seeded:
            value, weight, averages = bar.close, self._weight, state.averages
            for stage, average in enumerate(averages):
                averages[stage] = value = average + weight * (value - average)
            return self._values(averages)
        state.seen += 1
        self._seed(state.averages, state.seen, bar.close)
        return self._values(state.averages) if state.seen == self._seeded else self._nothing()

    def peek(self, bar: Ohlcv) -> Values:
        """Return the values if ``bar`` closed now."""
        kept = self._state
        self._state = CascadeState(kept.seen, kept.averages.copy(), kept.before)
        try:
            return self.update(bar)
        finally:
            self._state = kept

    def _seed(self, averages: list[float], seen: int, value: float) -> None:
        for stage in range(self.stages):
            count = seen - stage * (self._period - 1)
            if count < self._period:
                averages[stage] += value
                return
            if count == self._period:
                averages[stage] = value = (averages[stage] + value) / self._period
            else:
                averages[stage] = value = averages[stage] + self._weight * (value - averages[stage])
