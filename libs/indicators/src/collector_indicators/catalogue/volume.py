"""Volume and its average.

Source: charting tools' volume pane: the bar's own volume, and the plain mean of the last n
(``sma`` of volumes), 20 bars by default.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.indicator import Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.window import Window, WindowState

__all__ = ["Volume"]


class VolumeParameters(Parameters, frozen=True):
    """Bars of the average."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 20


class Volume(Window[VolumeParameters, WindowState]):
    """What was traded in the bar, and on average in the last ones."""

    name = "volume"
    outputs = ("volume", "average")
    parameters_type = VolumeParameters
    state_type = WindowState

    def _rebuild(self) -> None:
        self._length = self.parameters.period
        super()._rebuild()

    def _gather(self, units: list[int]) -> None:
        self._total = sum(units)
        self._divisor = self._length << self._shift

    @property
    def bars_needed(self) -> int:
        """A full window."""
        return self._length

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the values over it."""
        # first the units, for they may change those of the sums
        volume, units = bar.volume, self._units(bar.volume)
        state, ring = self._state, self._ring
        position = state.position
        self._total = total = self._total + units - ring[position]
        ring[position] = units
        state.position = position + 1 if position != self._last else 0
        if self._full:
            state.values[position] = volume
        else:
            self._fill(volume)
        return {"volume": volume, "average": total / self._divisor if self._full else None}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the values if ``bar`` closed now."""
        state, units = self._state, self._units(bar.volume)
        if len(state.values) + 1 < self._length:
            return {"volume": bar.volume, "average": None}
        total = self._total + units - self._ring[state.position]
        return {"volume": bar.volume, "average": total / self._divisor}
