"""Average True Range.

Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978), section III; seed as
TA-Lib (TA_ATR): the plain mean of the true ranges of the second to the (n + 1)-th bar.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.average_true_range import AverageTrueRange
from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["Atr"]


class AtrParameters(Parameters, frozen=True):
    """True ranges of the seed, and of Wilder's smoothing."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 14


class Atr(Indicator[AtrParameters, AverageTrueRange]):
    """Smoothed range of a bar and its distance from the close before, in units of the price."""

    name = "atr"
    outputs = ("atr",)
    parameters_type = AtrParameters
    state_type = AverageTrueRange

    @property
    def bars_needed(self) -> int:
        """One bar more than true ranges are averaged."""
        return self._period + 1

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the average over it."""
        return {"atr": self._state.update(bar, self._period)}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the average if ``bar`` closed now."""
        return {"atr": self._state.peek(bar, self._period)}

    def _rebuild(self) -> None:
        self._period = self.parameters.period
