"""A sum over all bars of a log, kept exactly: the base of OBV, ADL and PVT.

The sum of doubles is exact (``exact_sum``), so nothing drifts however long a log is, and is rounded
once for each value. Its level follows from where the log begins; its changes do not.
"""

from __future__ import annotations

from abc import abstractmethod
from math import floor
from typing import ClassVar

import msgspec

from collector_indicators.exact_sum import ExactSum
from collector_indicators.indicator import Indicator, Values
from collector_indicators.ohlcv import Ohlcv
from collector_indicators.parameters import Parameters

__all__ = ["RunningTotal", "TotalState"]


class TotalState(msgspec.Struct):
    """The sum, and the close before."""

    total: str = "0"
    """Hexadecimal numerator over 2**shift."""
    shift: int = 0
    close: float | None = None


class RunningTotal(Indicator[Parameters, TotalState]):
    """Base of indicators that add one term a bar; a subclass says which."""

    parameters_type = Parameters
    state_type = TotalState
    looks_back: ClassVar[bool] = True
    """Whether the term needs the close before."""

    @abstractmethod
    def _term(self, bar: Ohlcv, before: float | None) -> float:
        """Return what a bar adds, a finite double; ``before`` is the last close, None at first."""

    def _rebuild(self) -> None:
        self._sum = ExactSum(int(self._state.total, 16), self._state.shift)
        self._output = self.outputs[0]

    @property
    def bars_needed(self) -> int:
        """The bar alone, or one before it too."""
        return 2 if self.looks_back else 1

    def update(self, bar: Ohlcv) -> Values:
        """Take a closed bar and return the sum over all so far."""
        state, exact = self._state, self._sum
        term = self._term(bar, state.close)
        state.close = bar.close
        # the same without the call, and before the sum is read, for it may change its unit
        scaled = term * exact.scale
        units = floor(scaled) if scaled.is_integer() else exact.units(term)
        exact.total = total = exact.total + units
        return {self._output: total / exact.unit}

    def peek(self, bar: Ohlcv) -> Values:
        """Return the sum if ``bar`` closed now."""
        exact = self._sum
        units = exact.units(self._term(bar, self._state.close))
        return {self._output: (exact.total + units) / exact.unit}

    def state(self) -> bytes:
        """Return all that the next values depend on, versioned."""
        total, self._state.shift = self._sum.lowest_terms()
        self._state.total = f"{total:x}"
        return super().state()
