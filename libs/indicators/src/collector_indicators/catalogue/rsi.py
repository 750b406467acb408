"""Relative Strength Index.

Source: J. Welles Wilder, New Concepts in Technical Trading Systems (1978), section VI: the first
averages are the plain means of the first n gains and losses, the later ones
(previous * (n - 1) + present) / n; RSI = 100 - 100 / (1 + gain / loss).
"""

from __future__ import annotations

from math import ldexp
from typing import Annotated

import msgspec

from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["Rsi", "RsiParameters", "RsiState"]

_TINY = 1e-250
_LIFT = 512


class RsiParameters(Parameters, frozen=True):
    """Bars of the average, as TA-Lib takes them."""

    period: Annotated[int, msgspec.Meta(ge=2, le=100_000)] = 14


class RsiState(msgspec.Struct):
    """The two averages."""

    changes: int = 0
    """Changes seen, counted up to the period."""
    close: float | None = None
    gain: float = 0.0
    """Sum of gains while seeding, then their average; times 2**lift."""
    loss: float = 0.0
    lift: int = 0


class Rsi(Indicator[RsiParameters, RsiState]):
    """Share of gains in the smoothed changes of the close, 0 to 100; 50 when nothing changed.

    While a price stands still both averages shrink by the same factor and the RSI stays. Before
    they reach the smallest doubles, where their ratio would be lost, both are lifted by 2**512.
    """

    name = "rsi"
    outputs = ("rsi",)
    parameters_type = RsiParameters
    state_type = RsiState

    def _rebuild(self) -> None:
        self._period = self.parameters.period
        self._kept = self._period - 1

    @property
    def bars_needed(self) -> int:
        """One bar more than changes are averaged."""
        return self._period + 1

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the RSI over it."""
        state, close = self._state, bar.close
        last, state.close = state.close, close
        if state.changes == self._period and not state.lift and last is not None:
            # the usual case of _step, written out
            change = close - last
            if change > 0.0:
                state.gain = gain = (state.gain * self._kept + change) / self._period
                state.loss = loss = state.loss * self._kept / self._period
            else:
                state.gain = gain = state.gain * self._kept / self._period
                state.loss = loss = (state.loss * self._kept - change) / self._period
            moved = gain + loss
            if moved >= _TINY:
                return {"rsi": 100.0 * (gain / moved)}
            return self._settle(gain, loss)
        if last is None:
            return {"rsi": None}
        state.gain, state.loss, state.lift = gain, loss, _ = self._step(last, close)
        state.changes = min(state.changes + 1, self._period)
        return self._values(state.changes, gain, loss)

    def peek(self, bar: Ohlcv) -> Values:
        """Return the RSI if ``bar`` closed now."""
        if self._state.close is None:
            return {"rsi": None}
        gain, loss, _ = self._step(self._state.close, bar.close)
        return self._values(self._state.changes + 1, gain, loss)

    def _step(self, previous: float, close: float) -> tuple[float, float, int]:
        state, period = self._state, self._period
        gain, loss, lift = state.gain, state.loss, state.lift
        change = close - previous
        if lift and change:
            gain, loss, lift = ldexp(gain, -lift), ldexp(loss, -lift), 0
        up, down = (change, 0.0) if change > 0 else (0.0, -change)
        if state.changes < period:
            gain += up
            loss += down
            if state.changes + 1 == period:
                gain /= period
                loss /= period
        else:
            gain = (gain * (period - 1) + up) / period
            loss = (loss * (period - 1) + down) / period
        if 0.0 < gain + loss < _TINY:
            gain, loss, lift = ldexp(gain, _LIFT), ldexp(loss, _LIFT), lift + _LIFT
        return gain, loss, lift

    def _settle(self, gain: float, loss: float) -> Values:
        """Lift averages that became too small, and return the RSI of them."""
        state = self._state
        if gain + loss:
            state.gain = gain = ldexp(gain, _LIFT)
            state.loss = loss = ldexp(loss, _LIFT)
            state.lift = _LIFT
        return self._values(self._period, gain, loss)

    def _values(self, changes: int, gain: float, loss: float) -> Values:
        if changes < self._period:
            return {"rsi": None}
        moved = gain + loss
        return {"rsi": 100.0 * (gain / moved) if moved else 50.0}
