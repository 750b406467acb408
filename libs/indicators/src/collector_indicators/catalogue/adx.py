"""Average Directional Index with both directional indicators.

Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978), section IV; seed as
TA-Lib (TA_ADX, TA_PLUS_DI, TA_MINUS_DI): directional movements and true ranges of the second to
the n-th bar are summed, from the next on a sum is previous - previous / n + present; the ADX starts
as the plain mean of the first n values of the DX.
"""

from __future__ import annotations

from copy import copy
from typing import Annotated

import msgspec

from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["Adx"]

_TINY = 1e-280


class AdxParameters(Parameters, frozen=True):
    """Bars of the sums and of the average, as TA-Lib takes them."""

    period: Annotated[int, msgspec.Meta(ge=2, le=100_000)] = 14


class _State(msgspec.Struct):
    bars: int = 0
    """Bars seen, counted up to twice the period."""
    high: float = 0.0
    """Of the bar before."""
    low: float = 0.0
    close: float = 0.0
    plus: float = 0.0
    """Smoothed sum of the movements up."""
    minus: float = 0.0
    """Smoothed sum of the movements down."""
    span: float = 0.0
    """Smoothed sum of the true ranges."""
    plus_di: float = 0.0
    minus_di: float = 0.0
    dx: float = 0.0
    adx: float = 0.0
    """Sum of the DX while seeding, then their average."""


class Adx(Indicator[AdxParameters, _State]):
    """How much the price goes in one direction, 0 to 100, and how much it goes up and down.

    The 0/0 of bars that never moved is 0, as in TA-Lib. While the price stands still sums shrink by
    one factor and their ratios stay, so below 1e-280, before the smallest doubles lose them, the
    ratios are no longer computed but kept.
    """

    name = "adx"
    outputs = ("adx", "plus_di", "minus_di")
    parameters_type = AdxParameters
    state_type = _State

    @property
    def bars_needed(self) -> int:
        """Bars of the seed of the sums, and of that of the ADX."""
        return 2 * self._period

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the values over it."""
        state, period, bars = self._state, self._period, self._state.bars
        if bars < period:
            return self._gather(bar)
        high, low, before = bar.high, bar.low, state.close
        up, down = high - state.high, state.low - low
        state.high, state.low, state.close = high, low, bar.close
        if before > high:
            high = before
        if before < low:
            low = before
        state.span = span = state.span - state.span / period + (high - low)
        plus = state.plus - state.plus / period
        minus = state.minus - state.minus / period
        if up > down:
            if up > 0.0:
                plus += up
        elif down > up and down > 0.0:
            minus += down
        state.plus, state.minus = plus, minus
        if span > _TINY:
            # a movement is larger than its true range only if a close lies outside of its bar
            state.plus_di = 100.0 * (plus / span) if plus < span else 100.0
            state.minus_di = 100.0 * (minus / span) if minus < span else 100.0
        moved = plus + minus
        if moved > _TINY:
            state.dx = 100.0 * (abs(plus - minus) / moved)
        if bars == self._warm:
            state.adx = adx = (state.adx * (period - 1) + state.dx) / period
            return {"adx": adx, "plus_di": state.plus_di, "minus_di": state.minus_di}
        state.bars = bars + 1
        state.adx += state.dx
        if bars + 1 < self._warm:
            return {"adx": None, "plus_di": state.plus_di, "minus_di": state.minus_di}
        state.adx /= period
        return {"adx": state.adx, "plus_di": state.plus_di, "minus_di": state.minus_di}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the values if ``bar`` closed now."""
        kept = self._state
        self._state = copy(kept)
        try:
            return self.update(bar)
        finally:
            self._state = kept

    def _rebuild(self) -> None:
        self._period = self.parameters.period
        self._warm = 2 * self._period

    def _gather(self, bar: Ohlcv) -> Values:
        """Take a bar of the seed of the sums."""
        state = self._state
        if state.bars:
            state.span += max(bar.high, state.close) - min(bar.low, state.close)
            up, down = bar.high - state.high, state.low - bar.low
            if up > max(down, 0.0):
                state.plus += up
            elif down > max(up, 0.0):
                state.minus += down
        state.high, state.low, state.close = bar.high, bar.low, bar.close
        state.bars += 1
        return {"adx": None, "plus_di": None, "minus_di": None}
