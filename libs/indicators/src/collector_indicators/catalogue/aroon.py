"""Aroon and its oscillator.

Source: Tushar Chande, A Time Price Oscillator, Technical Analysis of Stocks & Commodities 13:9
(1995); window and ties as TA-Lib (TA_AROON, TA_AROONOSC): the last n + 1 bars, and of equal
extremes the latest.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.rolling_range import RollingRange

__all__ = ["Aroon"]


class AroonParameters(Parameters, frozen=True):
    """Bars back from the present one."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 25


class Aroon(Indicator[AroonParameters, RollingRange]):
    """How recent the highest high and the lowest low are, 100 now to 0 n bars ago."""

    name = "aroon"
    outputs = ("up", "down", "oscillator")
    parameters_type = AroonParameters
    state_type = RollingRange

    @property
    def bars_needed(self) -> int:
        """The present bar and those back from it."""
        return self._length

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the values over it."""
        window = self._state
        window.update(bar.high, bar.low, self._length)
        if window.bar < self._length:
            return {"up": None, "down": None, "oscillator": None}
        since_high, since_low = window.ages()
        up = 100.0 * (self._period - since_high) / self._period
        down = 100.0 * (self._period - since_low) / self._period
        return {"up": up, "down": down, "oscillator": up - down}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the values if ``bar`` closed now."""
        if self._state.bar + 1 < self._length:
            return {"up": None, "down": None, "oscillator": None}
        _, since_high, _, since_low = self._state.peek(bar.high, bar.low, self._length)
        up = 100.0 * (self._period - since_high) / self._period
        down = 100.0 * (self._period - since_low) / self._period
        return {"up": up, "down": down, "oscillator": up - down}

    def _rebuild(self) -> None:
        self._period = self.parameters.period
        self._length = self._period + 1
