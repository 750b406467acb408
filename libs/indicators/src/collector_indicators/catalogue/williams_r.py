"""Williams %R.

Source: Larry Williams, How I Made One Million Dollars Last Year Trading Commodities (1973), as
TA-Lib (TA_WILLR) writes it: -100 * (highest high - close) / (highest high - lowest low); 0 where
they are equal.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.rolling_range import RollingRange

__all__ = ["WilliamsR"]


class WilliamsRParameters(Parameters, frozen=True):
    """Bars of the window."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 14


class WilliamsR(Indicator[WilliamsRParameters, RollingRange]):
    """Where the close stands in the range of the window: 0 at its top, -100 at its bottom.

    A window without a range gives 0, as TA-Lib defines it; a close outside of its own bar counts
    as the end of the range that it lies beyond.
    """

    name = "williams_r"
    outputs = ("williams_r",)
    parameters_type = WilliamsRParameters
    state_type = RollingRange

    @property
    def bars_needed(self) -> int:
        """A full window."""
        return self._period

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the value over it."""
        window, close = self._state, bar.close
        highest, lowest = window.update(bar.high, bar.low, self._period)
        if window.bar < self._period:
            return {"williams_r": None}
        if close >= highest:
            return {"williams_r": 0.0}
        if close <= lowest:
            return {"williams_r": -100.0}
        return {"williams_r": -100.0 * ((highest - close) / (highest - lowest))}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the value if ``bar`` closed now."""
        window, close = self._state, bar.close
        if window.bar + 1 < self._period:
            return {"williams_r": None}
        highest, _, lowest, _ = window.peek(bar.high, bar.low, self._period)
        if close >= highest:
            return {"williams_r": 0.0}
        if close <= lowest:
            return {"williams_r": -100.0}
        return {"williams_r": -100.0 * ((highest - close) / (highest - lowest))}

    def _rebuild(self) -> None:
        self._period = self.parameters.period
