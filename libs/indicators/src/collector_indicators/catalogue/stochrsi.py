"""Stochastic RSI.

Source: Tushar S. Chande, Stanley Kroll, The New Technical Trader (1994), chapter 5: where the RSI
stands in the range of its last values; RSI of Wilder (``rsi``), averaged twice as in the slow
stochastic (``stochastic``), which is how charting tools draw it. TA-Lib's TA_STOCHRSI has its
"fast" form, without the first average.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.catalogue.rsi import Rsi, RsiParameters, RsiState
from collector_indicators.catalogue.stochastic import (
    Stochastic,
    StochasticParameters,
    StochasticState,
)
from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["StochRsi"]


class StochRsiParameters(Parameters, frozen=True):
    """Changes in the RSI's averages, RSIs in the range, and bars of both averages."""

    rsi_period: Annotated[int, msgspec.Meta(ge=2, le=100_000)] = 14
    period: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 14
    smoothing: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 3
    signal: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 3


class _State(msgspec.Struct):
    rsi: RsiState = msgspec.field(default_factory=RsiState)
    stochastic: StochasticState = msgspec.field(default_factory=StochasticState)
    close: float | None = None
    value: float | None = None
    """The RSI over it."""


class StochRsi(Indicator[StochRsiParameters, _State]):
    """Where the RSI stands in the range of its last values: 0 at its bottom, 100 at its top.

    While a price stands still the RSI does too, to the last bit; else its rounding would look
    like a range. A range without width counts as its bottom, as in ``stochastic``.
    """

    name = "stochrsi"
    outputs = ("k", "d")
    parameters_type = StochRsiParameters
    state_type = _State

    def _rebuild(self) -> None:
        given, state = self.parameters, self._state
        self._rsi = Rsi.within(RsiParameters(given.rsi_period), state.rsi)
        self._stochastic = Stochastic.within(
            StochasticParameters(given.period, given.smoothing, given.signal), state.stochastic
        )

    @property
    def bars_needed(self) -> int:
        """Bars until there is an RSI, and until there are enough of them."""
        return self._rsi.bars_needed + self._stochastic.bars_needed - 1

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the values over it."""
        state, close = self._state, bar.close
        value = self._rsi.update(bar)["rsi"]
        if close == state.close and state.value is not None:
            value = state.value
        state.close, state.value = close, value
        if value is None:
            return {"k": None, "d": None}
        return self._stochastic.update(Ohlcv(0, value, value, value, value, 0.0))

    def peek(self, bar: Ohlcv) -> Values:
        """Return the values if ``bar`` closed now."""
        state = self._state
        value = self._rsi.peek(bar)["rsi"]
        if bar.close == state.close and state.value is not None:
            value = state.value
        if value is None:
            return {"k": None, "d": None}
        return self._stochastic.peek(Ohlcv(0, value, value, value, value, 0.0))
