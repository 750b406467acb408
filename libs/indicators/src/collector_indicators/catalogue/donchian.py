"""Donchian Channels.

Source: Richard D. Donchian, High Finance in Copper, Financial Analysts Journal 16:6 (1960): highest
high and lowest low of the last n bars; here with the present one, as charts draw it (TA_MAX of the
high, TA_MIN of the low, TA_MIDPRICE).
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.rolling_range import RollingRange

__all__ = ["Donchian"]


class DonchianParameters(Parameters, frozen=True):
    """Bars of the window, the present one among them."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 20


class Donchian(Indicator[DonchianParameters, RollingRange]):
    """Highest high, lowest low and the middle between them."""

    name = "donchian"
    outputs = ("upper", "middle", "lower")
    parameters_type = DonchianParameters
    state_type = RollingRange

    @property
    def bars_needed(self) -> int:
        """A full window."""
        return self._period

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the values over it."""
        window = self._state
        upper, lower = window.update(bar.high, bar.low, self._period)
        if window.bar < self._period:
            return {"upper": None, "middle": None, "lower": None}
        return {"upper": upper, "middle": (upper + lower) / 2.0, "lower": lower}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the values if ``bar`` closed now."""
        if self._state.bar + 1 < self._period:
            return {"upper": None, "middle": None, "lower": None}
        upper, _, lower, _ = self._state.peek(bar.high, bar.low, self._period)
        return {"upper": upper, "middle": (upper + lower) / 2.0, "lower": lower}

    def _rebuild(self) -> None:
        self._period = self.parameters.period
