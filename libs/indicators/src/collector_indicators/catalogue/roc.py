"""Rate of Change.

Source: StockCharts' ChartSchool, Rate of Change (ROC): the change of the close over n bars in
percent of the close n bars ago, 12 bars by default; formula as TA-Lib (TA_ROC).
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["Roc"]

_TINY = 1e-200
"""Less counts as zero: a number below ``ohlcv.LIMIT``, divided by it, could be no double."""


class RocParameters(Parameters, frozen=True):
    """Bars back."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 12


class _State(msgspec.Struct):
    closes: list[float] = []
    """The last n; a ring once there are so many."""
    oldest: int = 0
    """Where the ring's oldest close stands."""


class Roc(Indicator[RocParameters, _State]):
    """Percent by which the close has moved in n bars; None where it was zero then."""

    name = "roc"
    outputs = ("roc",)
    parameters_type = RocParameters
    state_type = _State

    def _rebuild(self) -> None:
        self._last = self.parameters.period - 1
        self._full = len(self._state.closes) > self._last

    @property
    def bars_needed(self) -> int:
        """One bar more than it looks back."""
        return self._last + 2

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the rate over it."""
        state, close = self._state, bar.close
        closes = state.closes
        if self._full:
            oldest = state.oldest
            earlier = closes[oldest]
            closes[oldest] = close
            state.oldest = oldest + 1 if oldest != self._last else 0
            if earlier > _TINY or earlier < -_TINY:
                return {"roc": (close - earlier) / earlier * 100.0}
            return {"roc": None}
        closes.append(close)
        self._full = len(closes) > self._last
        return {"roc": None}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the rate if ``bar`` closed now."""
        if self._full:
            earlier = self._state.closes[self._state.oldest]
            if abs(earlier) > _TINY:
                return {"roc": (bar.close - earlier) / earlier * 100.0}
        return {"roc": None}
