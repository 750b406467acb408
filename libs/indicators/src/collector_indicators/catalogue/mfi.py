"""Money Flow Index.

Source: Gene Quong, Avrum Soudack, Volume-Weighted RSI: Money Flow, Technical Analysis of Stocks &
Commodities 7:3 (1989): typical price (high + low + close) / 3 times volume counts as inflow when
the typical price rose and as outflow when it fell; inflow in percent of both over n bars. As
TA-Lib (TA_MFI), but for windows without flow.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from collector_indicators.indicator import Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters
from collector_indicators.window_ratio import WindowRatio

__all__ = ["Mfi"]


class MfiParameters(Parameters, frozen=True):
    """Changes in the window."""

    period: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 14


class Mfi(WindowRatio[MfiParameters]):
    """Inflow in percent of in- and outflow, 0 to 100; 50 where nothing flowed."""

    name = "mfi"
    outputs = ("mfi",)
    parameters_type = MfiParameters

    def _rebuild(self) -> None:
        self._length = self.parameters.period
        super()._rebuild()

    @property
    def bars_needed(self) -> int:
        """One bar more than changes are summed."""
        return self._length + 1

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the index over it."""
        state = self._state
        if state.before is None:
            state.before = _three(bar)
            return {"mfi": None}
        share = self._take(bar)
        state.before = _three(bar)
        return self._values(share, full=len(state.below) == self._length)

    def peek(self, bar: Ohlcv) -> Values:
        """Return the index if ``bar`` closed now."""
        state = self._state
        if state.before is None:
            return {"mfi": None}
        return self._values(self._look(bar), full=len(state.below) + 1 >= self._length)

    def _terms(self, bar: Ohlcv) -> tuple[float, float]:
        price, before = _three(bar), self._state.before
        if before is None or price == before:
            return 0.0, 0.0
        # a third of both terms is left out: it would cancel
        flow = price * bar.volume
        return (flow if price > before else 0.0), flow

    def _values(self, share: float | None, *, full: bool) -> Values:
        if share is None:
            return {"mfi": 50.0 if full else None}
        return {"mfi": 100.0 * share}


def _three(bar: Ohlcv) -> float:
    """Return three times the typical price."""
    return bar.high + bar.low + bar.close
