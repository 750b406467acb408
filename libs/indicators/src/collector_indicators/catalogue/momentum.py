"""Momentum.

Source: John J. Murphy, Technical Analysis of the Financial Markets (1999), chapter 10, Measuring
Momentum: the close less the close n bars ago; 10 bars, as TA-Lib (TA_MOM).
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["Momentum"]


class MomentumParameters(Parameters, frozen=True):
    """Bars back."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 10


class _State(msgspec.Struct):
    closes: list[float] = []
    """The last n; a ring once there are so many."""
    oldest: int = 0
    """Where the ring's oldest close stands."""


class Momentum(Indicator[MomentumParameters, _State]):
    """How far the close has moved in n bars."""

    name = "momentum"
    outputs = ("momentum",)
    parameters_type = MomentumParameters
    state_type = _State

    def _rebuild(self) -> None:
        self._last = self.parameters.period - 1
        self._full = len(self._state.closes) > self._last

    @property
    def bars_needed(self) -> int:
        """One bar more than it looks back."""
        return self._last + 2

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the momentum over it."""
        state, close = self._state, bar.close
        closes = state.closes
        if self._full:
            oldest = state.oldest
            earlier = closes[oldest]
            closes[oldest] = close
            state.oldest = oldest + 1 if oldest != self._last else 0
            return {"momentum": close - earlier}
        closes.append(close)
        self._full = len(closes) > self._last
        return {"momentum": None}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the momentum if ``bar`` closed now."""
        state = self._state
        return {"momentum": bar.close - state.closes[state.oldest] if self._full else None}
