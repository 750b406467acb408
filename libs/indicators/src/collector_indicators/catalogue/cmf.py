"""Chaikin Money Flow.

Source: Marc Chaikin, as StockCharts' ChartSchool gives it: the money flow volumes of the last n
bars (``flow.money_flow``) divided by their volumes, 20 bars by default.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.flow import money_flow
from collector_indicators.indicator import Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.window_ratio import WindowRatio

__all__ = ["Cmf"]


class CmfParameters(Parameters, frozen=True):
    """Bars of the window."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 20


class Cmf(WindowRatio[CmfParameters]):
    """Part of the volume that closed high less that which closed low, -1 to 1.

    None while nothing was traded in the window.
    """

    name = "cmf"
    outputs = ("cmf",)
    parameters_type = CmfParameters

    def _rebuild(self) -> None:
        self._length = self.parameters.period
        super()._rebuild()

    @property
    def bars_needed(self) -> int:
        """A full window."""
        return self._length

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the flow over it."""
        return {"cmf": self._take(bar)}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the flow if ``bar`` closed now."""
        return {"cmf": self._look(bar)}

    def _terms(self, bar: Ohlcv) -> tuple[float, float]:
        return money_flow(bar), bar.volume
