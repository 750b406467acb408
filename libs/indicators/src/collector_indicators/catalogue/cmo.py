"""Chande Momentum Oscillator.

Source: Tushar S. Chande, Stanley Kroll, The New Technical Trader (1994), chapter 5: the sum of the
gains of the last n bars less that of the losses, in percent of both together. TA-Lib's TA_CMO
smooths both as Wilder does his RSI, which is another indicator.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.indicator import Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.path import Path
from collector_indicators.window import WindowState

__all__ = ["Cmo"]


class CmoParameters(Parameters, frozen=True):
    """Changes in the window."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 14


class Cmo(Path[CmoParameters, WindowState]):
    """Gains less losses in percent of both, -100 to 100; 0 when nothing changed."""

    name = "cmo"
    outputs = ("cmo",)
    parameters_type = CmoParameters
    state_type = WindowState

    def _rebuild(self) -> None:
        self._length = self.parameters.period + 1
        super()._rebuild()

    @property
    def bars_needed(self) -> int:
        """One bar more than changes are summed."""
        return self._length

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the oscillator over it."""
        return _values(self._take(bar.close))

    def peek(self, bar: Ohlcv) -> Values:
        """Return the oscillator if ``bar`` closed now."""
        return _values(self._look(bar))


def _values(taken: tuple[int, int] | None) -> Values:
    if taken is None:
        return {"cmo": None}
    change, way = taken
    # gains less losses are the change, both together the way
    return {"cmo": 100 * change / way if way else 0.0}
