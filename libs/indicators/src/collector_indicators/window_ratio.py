"""One exact sum over a window divided by another: the base of CMF, MFI and the trade flow."""

from __future__ import annotations

from abc import abstractmethod
from typing import TypeVar

import msgspec

from collector_indicators.exact_sum import ExactSum
from collector_indicators.indicator import Indicator
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["RatioState", "WindowRatio"]

P = TypeVar("P", bound=Parameters)


class RatioState(msgspec.Struct):
    """The terms of the window; rings once they are full."""

    above: list[float] = []
    below: list[float] = []
    oldest: int = 0
    before: float | None = None
    """What an indicator keeps of the bar before."""


class WindowRatio(Indicator[P, RatioState]):
    """Base of indicators that divide sums of the last n bars; a subclass says what is summed.

    Sums are exact, so nothing drifts, and their quotient is rounded once.
    """

    state_type = RatioState
    _length: int
    """Bars of the window; set in ``_rebuild`` before this one's."""

    @abstractmethod
    def _terms(self, bar: Ohlcv) -> tuple[float, float]:
        """Return what a bar adds to the two sums, finite doubles."""

    def _rebuild(self) -> None:
        state = self._state
        self._above, self._below = ExactSum(), ExactSum()
        for above, below in zip(state.above, state.below, strict=True):
            self._above.add(above)
            self._below.add(below)

    def _take(self, bar: Ohlcv) -> float | None:
        """Take a bar; return the quotient, None while the window fills or the divisor is 0."""
        state = self._state
        above, below = self._terms(bar)
        if len(state.above) == self._length:
            oldest = state.oldest
            self._above.subtract(state.above[oldest])
            self._below.subtract(state.below[oldest])
            state.above[oldest], state.below[oldest] = above, below
            state.oldest = oldest + 1 if oldest + 1 < self._length else 0
        else:
            state.above.append(above)
            state.below.append(below)
        self._above.add(above)
        self._below.add(below)
        if len(state.above) < self._length:
            return None
        return _quotient(self._above, self._below)

    def _look(self, bar: Ohlcv) -> float | None:
        """Return what ``_take`` would, and change nothing that shows."""
        state = self._state
        if len(state.above) + 1 < self._length:
            return None
        sums = []
        for exact, term, terms in zip(
            (self._above, self._below), self._terms(bar), (state.above, state.below), strict=True
        ):
            other = ExactSum(exact.total, exact.shift)
            other.add(term)
            if len(terms) == self._length:
                other.subtract(terms[state.oldest])
            sums.append(other)
        return _quotient(*sums)


def _quotient(above: ExactSum, below: ExactSum) -> float | None:
    if not below.total:
        return None
    finer = above.shift - below.shift
    if finer >= 0:
        return above.total / (below.total << finer)
    return (above.total << -finer) / below.total
